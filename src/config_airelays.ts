/**
 * The settings of AIRelays, an older personal relay, in the terms of the table in config.ts: who comes from there keeps
 * `config.toml` and environment. What has no counterpart here is known too, so that it can be told apart from a typing
 * error.
 *
 * @module
 */
import { settings } from "./config.ts";
import type { OlderName, UnsupportedName } from "./config_source.ts";

/** What there was under the oldest prefix. Other programs use it too, so nothing else is read from there. */
const oldestNames: readonly string[] = Object.freeze([
  "CONFIG",
  "DATA_DIR",
  "LOGS_DIR",
  "HOST",
  "PORT",
  "UPSTREAM_BASE_URL",
  "ISSUER_BASE_URL",
  "CLIENT_ID",
  "CLIENT_VERSION",
  "AUTH_STORAGE",
  "BROWSER_OPEN",
  "LOGIN_TIMEOUT_SECONDS",
  "REQUEST_TIMEOUT_SECONDS",
]);

/** The names that have a counterpart. What is in the same place under the same name in the file has no key here. */
export const airelaysNames: readonly OlderName[] = Object.freeze([
  older(settings.configPath, "CONFIG"),
  older(settings.dataDir, "DATA_DIR", "paths.data_dir"),
  older(settings.logDir, "LOGS_DIR", "paths.logs_dir"),
  older(settings.host, "HOST"),
  older(settings.port, "PORT"),
  // Their base ends in the path of one client of the API; here that path is a part of each call.
  older(
    settings.openaiApiUrl,
    "UPSTREAM_BASE_URL",
    "upstream.base_url",
    (url) => url.replace(/\/codex\/*$/, ""),
  ),
  older(settings.openaiIssuerUrl, "ISSUER_BASE_URL", "upstream.issuer_base_url"),
  older(settings.openaiClientId, "CLIENT_ID", "upstream.client_id"),
  // Both were written into every config file, and mean "what the relay knows to work".
  older(
    settings.openaiClientVersion,
    "CLIENT_VERSION",
    "upstream.client_version",
    (version) => ["auto", "0.124.0"].includes(version) ? undefined : version,
  ),
  older(settings.bearerToken, "BEARER_TOKEN"),
  older(settings.bearerTokenFile, "BEARER_TOKEN_FILE"),
  older(settings.requireBearerAuth, "REQUIRE_BEARER_AUTH"),
  older(settings.rateLimitPerMinute, "RATE_LIMIT_PER_MINUTE"),
  older(settings.rateLimitBurst, "RATE_LIMIT_BURST"),
  older(settings.concurrentRequestsPerIp, "CONCURRENT_REQUESTS_PER_IP"),
  older(settings.failedAuthWindowSeconds, "FAILED_AUTH_WINDOW_SECONDS"),
  older(settings.failedAuthMaxAttempts, "FAILED_AUTH_MAX_ATTEMPTS"),
  older(settings.failedAuthBlockSeconds, "FAILED_AUTH_BLOCK_SECONDS"),
  older(settings.trustForwardedFor, "TRUST_X_FORWARDED_FOR"),
  older(settings.trustedProxyHops, "TRUSTED_PROXY_HOPS"),
  older(settings.maxUploadBytes, "MAX_UPLOAD_BYTES"),
  older(settings.maxTotalUploadBytes, "MAX_TOTAL_UPLOAD_BYTES"),
  Object.freeze<OlderName>({
    setting: settings.logMaxTotalBytes.env,
    env: [],
    toml: "logging.max_total_mb",
    translate: mebibytes,
  }),
]);

/** The names that have none. Those of one reason are told in one warning. */
export const airelaysUnsupported: readonly UnsupportedName[] = Object.freeze([
  ...unsupported("sign-ins are always sealed in the data directory", {
    AUTH_STORAGE: "auth.storage",
  }),
  ...unsupported("`login` shows a code and an address; open it in any browser", {
    BROWSER_OPEN: "auth.browser_open",
    LOGIN_TIMEOUT_SECONDS: "auth.login_timeout_seconds",
  }),
  ...unsupported("set streams.first_byte_seconds and streams.silence_seconds instead", {
    REQUEST_TIMEOUT_SECONDS: "upstream.request_timeout_seconds",
  }),
  ...unsupported("`init` makes the relay token, and `serve` never does", {
    AUTO_GENERATE_BEARER_TOKEN: "security.auto_generate_bearer_token",
  }),
  ...unsupported("set logging.bodies to log what was said; single stream lines are not logged", {
    LOG_STREAM_LINES: "logging.stream_lines",
  }),
  { toml: "logging.max_file_mb", reason: "log files are hourly; set logging.max_total_bytes instead" },
  ...unsupported('list the providers on offer in `providers`, e.g. providers = ["openai"]', {
    ENABLE_OPENAI: "providers.openai.enabled",
  }),
  ...unsupported("there is one account for each provider, and model lists are always live", {
    OPENAI_BALANCE: "providers.openai.balance",
    OPENAI_ACCOUNT_COOLDOWN_SECONDS: "providers.openai.account_cooldown_seconds",
    OPENAI_EXTRA_MODELS: "providers.openai.extra_models",
    OPENAI_MODELS_CACHE_TTL_SECONDS: "providers.openai.models_cache_ttl_seconds",
    MODELS_CACHE_TTL_SECONDS: undefined,
  }),
  ...unsupported("passing failures are tried again by fixed rules", {
    OPENAI_RETRY_ATTEMPTS: "providers.openai.retry_attempts",
    OPENAI_RETRY_BACKOFF_SECONDS: "providers.openai.retry_backoff_seconds",
  }),
  ...unsupported("this relay has no Claude runtime", {
    ENABLE_CLAUDE: "providers.claude.enabled",
    ENABLE_CLAUDE_EXPERIMENTAL: undefined,
    CLAUDE_BIN: "providers.claude.bin",
    CLAUDE_TIMEOUT_SECONDS: "providers.claude.timeout_seconds",
    CLAUDE_MAX_CONCURRENT_REQUESTS: "providers.claude.max_concurrent_requests",
    CLAUDE_STRIP_API_KEY_ENV: "providers.claude.strip_api_key_env",
    CLAUDE_MODELS: "providers.claude.models",
    CLAUDE_OAUTH_TOKEN_FILE: "providers.claude.oauth_token_file",
  }),
]);

/** The file of the relay token in a data directory of AIRelays. */
export const airelaysTokenFile = "relay-token";

function older(
  setting: { readonly env: string },
  name: string,
  toml?: string,
  translate?: OlderName["translate"],
): OlderName {
  return Object.freeze<OlderName>({
    setting: setting.env,
    env: spellings(name),
    ...(toml === undefined ? {} : { toml }),
    ...(translate === undefined ? {} : { translate }),
  });
}

function unsupported(
  reason: string,
  names: Readonly<Record<string, string | undefined>>,
): UnsupportedName[] {
  return Object.entries(names).flatMap(([name, toml]): UnsupportedName[] => [
    ...spellings(name).map((env) => ({ env, reason })),
    ...(toml === undefined ? [] : [{ toml, reason }]),
  ]);
}

/** Best first. The later ones are from before AIRelays had its name. */
function spellings(name: string): readonly string[] {
  return [
    `AIRELAYS_${name}`,
    `AIRELAY_${name}`,
    ...(oldestNames.includes(name) ? [`OPENAI_ENDPOINT_${name}`] : []),
  ];
}

/** What is no number is handed on, so that the rule of the setting refuses it. */
function mebibytes(text: string): string {
  return /^\d{1,9}$/.test(text) ? String(Number(text) * 1024 ** 2) : text;
}
