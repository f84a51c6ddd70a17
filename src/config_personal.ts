/**
 * The settings of the relay token, of the limits, of uploads and of the traffic log, under the names that the older personal
 * relay gave them. A part of the table in config.ts.
 *
 * @module
 */
import { row } from "./config_setting.ts";
import * as value from "./config_value.ts";
import { defaultUploadLimits } from "./files/file_vault.ts";
import { defaultLimitSettings } from "./guard/limits.ts";

/** The rows. */
export const personalSettings = Object.freeze({
  bearerToken: row<string | undefined>({
    group: "Relay token",
    env: "AUTH_AI_BEARER_TOKEN",
    secret: true,
    value: value.relayToken(),
    fallback: undefined,
    description: "The relay token; wins over the file, and turns the personal half on.",
  }),
  bearerTokenFile: row<string | undefined>({
    group: "Relay token",
    env: "AUTH_AI_BEARER_TOKEN_FILE",
    toml: "security.bearer_token_file",
    flag: "bearer-token-file",
    value: value.localPath(),
    fallback: undefined,
    description: "File with the relay token, where it is not relay_token in the data directory.",
  }),
  requireBearerAuth: row({
    group: "Relay token",
    env: "AUTH_AI_REQUIRE_BEARER_AUTH",
    toml: "security.require_bearer_auth",
    flag: "no-auth",
    flagText: "false",
    value: value.yesOrNo(),
    fallback: true,
    description:
      "Whether /v1 asks for a credential. Without one, whoever reaches the address spends your quota.",
    flagDescription: "Ask for no credential; on loopback only, unless a setting allows more.",
  }),
  allowRemoteNoAuth: row({
    group: "Relay token",
    env: "AUTH_AI_ALLOW_REMOTE_NO_AUTH",
    toml: "security.allow_remote_no_auth",
    value: value.yesOrNo(),
    fallback: false,
    description:
      "Whether a relay that asks for no credential may answer beyond loopback, and behind a proxy.",
  }),
  tokenGraceSeconds: row({
    group: "Relay token",
    env: "AUTH_AI_TOKEN_GRACE_SECONDS",
    toml: "security.token_grace_seconds",
    value: value.wholeNumber(0, 7 * 86_400),
    fallback: 600,
    description: "How long the token before is still accepted after `token rotate`.",
  }),
  rateLimitPerMinute: row({
    group: "Limits",
    env: "AUTH_AI_RATE_LIMIT_PER_MINUTE",
    toml: "security.rate_limit_per_minute",
    value: value.wholeNumber(1, 1_000_000),
    fallback: defaultLimitSettings.ratePerMinute,
    description: "Requests a minute, for each address or session.",
  }),
  rateLimitBurst: row({
    group: "Limits",
    env: "AUTH_AI_RATE_LIMIT_BURST",
    toml: "security.rate_limit_burst",
    value: value.wholeNumber(1, 1_000_000),
    fallback: defaultLimitSettings.rateBurst,
    description: "Requests that may come at once after a pause.",
  }),
  concurrentRequestsPerIp: row({
    group: "Limits",
    env: "AUTH_AI_CONCURRENT_REQUESTS_PER_IP",
    toml: "security.concurrent_requests_per_ip",
    value: value.wholeNumber(1, 1_000_000),
    fallback: defaultLimitSettings.concurrentRequests,
    description: "Requests in progress, for each address or session; a stream counts until it ends.",
  }),
  failedAuthWindowSeconds: row({
    group: "Limits",
    env: "AUTH_AI_FAILED_AUTH_WINDOW_SECONDS",
    toml: "security.failed_auth_window_seconds",
    value: value.wholeNumber(1, 86_400),
    fallback: defaultLimitSettings.failedAuthWindowMs / 1000,
    description: "How long a failed authentication is counted against its address.",
  }),
  failedAuthMaxAttempts: row({
    group: "Limits",
    env: "AUTH_AI_FAILED_AUTH_MAX_ATTEMPTS",
    toml: "security.failed_auth_max_attempts",
    value: value.wholeNumber(1, 1000),
    fallback: defaultLimitSettings.failedAuthMaxAttempts,
    description: "Failed authentications within that time that block an address.",
  }),
  failedAuthBlockSeconds: row({
    group: "Limits",
    env: "AUTH_AI_FAILED_AUTH_BLOCK_SECONDS",
    toml: "security.failed_auth_block_seconds",
    value: value.wholeNumber(1, 30 * 86_400),
    fallback: defaultLimitSettings.failedAuthBlockMs / 1000,
    description: "How long the block lasts.",
  }),
  trustForwardedFor: row({
    group: "Limits",
    env: "AUTH_AI_TRUST_X_FORWARDED_FOR",
    toml: "security.trust_x_forwarded_for",
    value: value.yesOrNo(),
    fallback: defaultLimitSettings.trustForwardedFor,
    description:
      "Whether the client's address is read from X-Forwarded-For: only behind a proxy that writes it.",
  }),
  trustedProxyHops: row({
    group: "Limits",
    env: "AUTH_AI_TRUSTED_PROXY_HOPS",
    toml: "security.trusted_proxy_hops",
    value: value.wholeNumber(1, 32),
    fallback: defaultLimitSettings.trustedProxyHops,
    description:
      "How many proxies of yours are before the relay: the address is that many entries from the right.",
  }),
  exemptAddresses: row<readonly string[]>({
    group: "Limits",
    env: "AUTH_AI_EXEMPT_ADDRESSES",
    toml: "security.exempt_addresses",
    value: value.addressBlocks(),
    fallback: defaultLimitSettings.exemptAddresses,
    description: "Addresses without limits and blocks.",
  }),
  maxUploadBytes: row({
    group: "Uploads",
    env: "AUTH_AI_MAX_UPLOAD_BYTES",
    toml: "uploads.max_upload_bytes",
    value: value.wholeNumber(1, 1024 ** 4),
    fallback: defaultUploadLimits.maxUploadBytes,
    description: "Largest file of /v1/files, bytes.",
  }),
  maxTotalUploadBytes: row({
    group: "Uploads",
    env: "AUTH_AI_MAX_TOTAL_UPLOAD_BYTES",
    toml: "uploads.max_total_upload_bytes",
    value: value.wholeNumber(1, 1024 ** 4),
    fallback: defaultUploadLimits.maxTotalUploadBytes,
    description: "What the files of one user, or of the owner, may take together, bytes.",
  }),
  logEnabled: row({
    group: "Traffic log",
    env: "AUTH_AI_LOG_ENABLED",
    toml: "logging.enabled",
    value: value.yesOrNo(),
    fallback: true,
    description: "Whether the traffic log is written.",
  }),
  logDir: row({
    group: "Traffic log",
    env: "AUTH_AI_LOG_DIR",
    toml: "logging.dir",
    value: value.localPath(),
    fallback: "logs",
    description: "Its directory; a relative path is taken from the data directory.",
  }),
  logRetentionDays: row({
    group: "Traffic log",
    env: "AUTH_AI_LOG_RETENTION_DAYS",
    toml: "logging.retention_days",
    value: value.wholeNumber(0, 36_500),
    fallback: 14,
    description: "After how many days a file is removed; 0: only the total size counts.",
  }),
  logMaxTotalBytes: row({
    group: "Traffic log",
    env: "AUTH_AI_LOG_MAX_TOTAL_BYTES",
    toml: "logging.max_total_bytes",
    value: value.wholeNumber(1024 ** 2, 1024 ** 4),
    fallback: 1024 ** 3,
    description: "What all files may take together, bytes; the oldest are removed first.",
  }),
  logBodies: row({
    group: "Traffic log",
    env: "AUTH_AI_LOG_BODIES",
    toml: "logging.bodies",
    value: value.yesOrNo(),
    fallback: false,
    description: "Whether prompts and answers are logged too. Tokens and keys in them are blanked out.",
  }),
});
