/**
 * Every setting of the relay, in one table. The parser (config_load.ts), `--help` and the reference in the documentation
 * (config_text.ts) are all made from it: a setting that is not here does not exist.
 *
 * @module
 */
import type { SettingNames } from "./config_source.ts";
import * as value from "./config_value.ts";
import { chatGptDefaults } from "./provider/chatgpt_settings.ts";
import { copilotDefaults } from "./provider/copilot_settings.ts";
import { grokDefaults } from "./provider/grok_settings.ts";
import type { ProviderId } from "./provider/provider.ts";

/** One row of the table. `T` is what the parsed value is. */
export interface Setting<T> extends SettingNames {
  readonly group: "Server" | "Streams" | "Sign-in" | "Storage" | "ChatGPT" | "Grok" | "GitHub Copilot";
  readonly value: value.ValueKind<T>;
  /** True when whoever knows the value can do harm: the value is then never shown, and there is no flag for it. */
  readonly secret?: true;
  /** The value when no source gives one. */
  readonly fallback: T;
  /** One sentence for the help and the reference. */
  readonly description: string;
}

/** The table. Keys are the names that the code uses; the names for people are in the rows. */
export const settings = Object.freeze({
  configPath: row<string | undefined>({
    group: "Server",
    env: "AUTH_AI_CONFIG",
    flag: "config",
    value: value.localPath(),
    fallback: undefined,
    description: "Settings file; config.toml in the data directory when that exists.",
  }),
  dataDir: row({
    group: "Server",
    env: "AUTH_AI_DATA_DIR",
    toml: "data_dir",
    flag: "data-dir",
    value: value.localPath(),
    fallback: "./data",
    description: "The one directory that the relay writes to.",
  }),
  host: row({
    group: "Server",
    env: "AUTH_AI_HOST",
    toml: "server.host",
    flag: "host",
    value: value.hostName(),
    fallback: "127.0.0.1",
    description: "Address to listen on; 0.0.0.0 for all. This is plain HTTP: put TLS before it.",
  }),
  port: row({
    group: "Server",
    env: "AUTH_AI_PORT",
    toml: "server.port",
    flag: "port",
    value: value.wholeNumber(0, 65_535),
    fallback: 3000,
    description: "Port to listen on; 0 lets the system choose one.",
  }),
  corsOrigins: row<readonly string[]>({
    group: "Server",
    env: "AUTH_AI_CORS_ORIGINS",
    toml: "server.cors_origins",
    value: value.webOrigins(),
    fallback: ["*"],
    description: "Origins of the web pages that may call the relay, or * for all.",
  }),
  maxBodyBytes: row({
    group: "Server",
    env: "AUTH_AI_MAX_BODY_BYTES",
    toml: "server.max_body_bytes",
    value: value.wholeNumber(1024, 1024 ** 3),
    fallback: 32 * 1024 ** 2,
    description: "Largest body of a model call, bytes; a larger one is answered with 413.",
  }),
  shutdownGraceSeconds: row({
    group: "Server",
    env: "AUTH_AI_SHUTDOWN_GRACE_SECONDS",
    toml: "server.shutdown_grace_seconds",
    value: value.wholeNumber(0, 3600),
    fallback: 20,
    description: "How long answers in progress may go on after SIGINT or SIGTERM.",
  }),
  keepAliveSeconds: row({
    group: "Streams",
    env: "AUTH_AI_KEEP_ALIVE_SECONDS",
    toml: "streams.keep_alive_seconds",
    value: value.wholeNumber(1, 3600),
    fallback: 15,
    description: "Silence after which the client of a stream gets a comment that keeps its connection alive.",
  }),
  silenceSeconds: row({
    group: "Streams",
    env: "AUTH_AI_SILENCE_SECONDS",
    toml: "streams.silence_seconds",
    value: value.wholeNumber(1, 86_400),
    fallback: 300,
    description: "Silence of an upstream inside a stream after which the answer has failed.",
  }),
  firstByteSeconds: row({
    group: "Streams",
    env: "AUTH_AI_FIRST_BYTE_SECONDS",
    toml: "streams.first_byte_seconds",
    value: value.wholeNumber(1, 86_400),
    fallback: 600,
    description: "How long an upstream may think before its first byte; then the call is answered with 504.",
  }),
  originator: row<string | undefined>({
    group: "Sign-in",
    env: "AUTH_AI_ORIGINATOR",
    toml: "originator",
    generated: "originator",
    value: value.plainText(64),
    fallback: undefined,
    description: "Your app's name, for consent screens and upstream requests. Required.",
  }),
  jwtSecret: row<string | undefined>({
    group: "Sign-in",
    env: "AUTH_AI_JWT_SECRET",
    generated: "jwt_secret",
    secret: true,
    value: value.secretText(),
    fallback: undefined,
    description: "Signs the sessions; another one signs everyone out. Required.",
  }),
  jwtSecretsPrevious: row<readonly string[]>({
    group: "Sign-in",
    env: "AUTH_AI_JWT_SECRET_PREVIOUS",
    secret: true,
    value: value.secretTexts(),
    fallback: [],
    description: "Older JWT secrets whose sessions are still accepted.",
  }),
  identitySecret: row<string | undefined>({
    group: "Sign-in",
    env: "AUTH_AI_IDENTITY_SECRET",
    generated: "identity_secret",
    secret: true,
    value: value.secretText(),
    fallback: undefined,
    description:
      "Keys the user ids; differs from the JWT secret. Another one changes every user id. Required.",
  }),
  providers: row<readonly ProviderId[]>({
    group: "Sign-in",
    env: "AUTH_AI_PROVIDERS",
    toml: "providers",
    value: value.someOf(["openai", "xai", "github"]),
    fallback: ["openai", "xai", "github"],
    description: "Providers on offer.",
  }),
  storageDriver: row({
    group: "Storage",
    env: "AUTH_AI_DB_DRIVER",
    toml: "storage.driver",
    value: value.oneOf(["sqlite"]),
    fallback: "sqlite",
    description: "Engine that keeps the sealed sign-ins.",
  }),
  databasePath: row({
    group: "Storage",
    env: "AUTH_AI_DB_URL",
    toml: "storage.url",
    value: value.localPath(),
    fallback: "relay.db",
    description: "Database file; a relative path is taken from the data directory.",
  }),
  kvPath: row({
    group: "Storage",
    env: "AUTH_AI_KV_URL",
    toml: "storage.kv_url",
    value: value.localPath(),
    fallback: "shared.kv",
    description: "Deno KV file for sign-ins in progress; a relative path is taken from the data directory.",
  }),
  openaiIssuerUrl: row({
    group: "ChatGPT",
    env: "AUTH_AI_OPENAI_ISSUER_URL",
    toml: "upstream.openai.issuer_url",
    value: value.baseUrl(),
    fallback: chatGptDefaults.issuerUrl,
    description: "Authorization server.",
  }),
  openaiApiUrl: row({
    group: "ChatGPT",
    env: "AUTH_AI_OPENAI_API_URL",
    toml: "upstream.openai.api_url",
    value: value.baseUrl(),
    fallback: chatGptDefaults.apiUrl,
    description: "Base of the API; /codex/responses is appended.",
  }),
  openaiClientId: row({
    group: "ChatGPT",
    env: "AUTH_AI_OPENAI_CLIENT_ID",
    envAliases: ["AUTH_AI_OPENAI_CODEX_CLIENT_ID"],
    toml: "upstream.openai.client_id",
    value: value.plainText(200),
    fallback: chatGptDefaults.clientId,
    description: "OAuth client id.",
  }),
  openaiClientVersion: row({
    group: "ChatGPT",
    env: "AUTH_AI_OPENAI_CLIENT_VERSION",
    toml: "upstream.openai.client_version",
    value: value.plainText(64),
    fallback: chatGptDefaults.clientVersion,
    description: "Client version that is reported; the model list hides models that ask for a newer one.",
  }),
  xaiIssuerUrl: row({
    group: "Grok",
    env: "AUTH_AI_XAI_ISSUER_URL",
    toml: "upstream.xai.issuer_url",
    value: value.baseUrl(),
    fallback: grokDefaults.issuerUrl,
    description: "OIDC issuer; its discovery document is read.",
  }),
  xaiApiUrl: row({
    group: "Grok",
    env: "AUTH_AI_XAI_API_URL",
    toml: "upstream.xai.api_url",
    value: value.baseUrl(),
    fallback: grokDefaults.apiUrl,
    description:
      "Base of the API. The default bills the subscription; https://api.x.ai/v1 bills API credits.",
  }),
  xaiClientId: row({
    group: "Grok",
    env: "AUTH_AI_XAI_CLIENT_ID",
    toml: "upstream.xai.client_id",
    value: value.plainText(200),
    fallback: grokDefaults.clientId,
    description: "OAuth client id.",
  }),
  xaiClientVersion: row({
    group: "Grok",
    env: "AUTH_AI_XAI_CLIENT_VERSION",
    toml: "upstream.xai.client_version",
    value: value.plainText(64),
    fallback: grokDefaults.clientVersion,
    description: "Client version that is reported; the subscription's API refuses old ones.",
  }),
  xaiSendCliHeaders: row<"auto" | "always" | "never">({
    group: "Grok",
    env: "AUTH_AI_XAI_SEND_CLI_HEADERS",
    toml: "upstream.xai.send_cli_headers",
    value: value.oneOf(["auto", "always", "never"]),
    fallback: grokDefaults.sendCliHeaders,
    description:
      "Whether calls carry the headers of xAI's command line client; auto: everywhere but on api.x.ai.",
  }),
  githubUrl: row({
    group: "GitHub Copilot",
    env: "AUTH_AI_GITHUB_URL",
    toml: "upstream.github.url",
    value: value.baseUrl(),
    fallback: copilotDefaults.githubUrl,
    description: "GitHub's web site, where people sign in.",
  }),
  githubApiUrl: row({
    group: "GitHub Copilot",
    env: "AUTH_AI_GITHUB_API_URL",
    toml: "upstream.github.api_url",
    value: value.baseUrl(),
    fallback: copilotDefaults.githubApiUrl,
    description: "GitHub's REST API.",
  }),
  githubClientId: row({
    group: "GitHub Copilot",
    env: "AUTH_AI_GITHUB_CLIENT_ID",
    toml: "upstream.github.client_id",
    value: value.plainText(200),
    fallback: copilotDefaults.clientId,
    description: "OAuth client id.",
  }),
  copilotApiUrl: row<string | null>({
    group: "GitHub Copilot",
    env: "AUTH_AI_COPILOT_API_URL",
    toml: "upstream.github.copilot_api_url",
    value: value.baseUrl(),
    fallback: copilotDefaults.copilotApiUrl,
    description:
      "Base of the Copilot API for every account; without it, the one that each account's token names.",
  }),
  copilotEditorVersion: row({
    group: "GitHub Copilot",
    env: "AUTH_AI_COPILOT_EDITOR_VERSION",
    toml: "upstream.github.copilot_editor_version",
    value: value.plainText(64),
    fallback: copilotDefaults.editorVersion,
    description: "Editor and version that are reported.",
  }),
  copilotPluginVersion: row({
    group: "GitHub Copilot",
    env: "AUTH_AI_COPILOT_PLUGIN_VERSION",
    toml: "upstream.github.copilot_plugin_version",
    value: value.plainText(64),
    fallback: copilotDefaults.editorPluginVersion,
    description: "Editor plugin and version that are reported.",
  }),
  copilotIntegrationId: row({
    group: "GitHub Copilot",
    env: "AUTH_AI_COPILOT_INTEGRATION_ID",
    toml: "upstream.github.copilot_integration_id",
    value: value.plainText(64),
    fallback: copilotDefaults.integrationId,
    description: "Integration that is reported; it selects the models on offer.",
  }),
});

function row<T>(setting: Setting<T>): Setting<T> {
  return Object.freeze(setting);
}
