/**
 * Every setting of the relay, in one table. The parser (config_load.ts), `--help` and the reference in the documentation
 * (config_text.ts) are all made from it: a setting that is not here does not exist.
 *
 * @module
 */
import { personalSettings } from "./config_personal.ts";
import { row } from "./config_setting.ts";
import { upstreamSettings } from "./config_upstream.ts";
import * as value from "./config_value.ts";
import type { ProviderId } from "./provider/provider.ts";

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
    description: "Largest body of a JSON request, bytes; a larger one is answered with 413.",
  }),
  bodyTimeoutSeconds: row({
    group: "Server",
    env: "AUTH_AI_BODY_TIMEOUT_SECONDS",
    toml: "server.body_timeout_seconds",
    value: value.wholeNumber(1, 3600),
    fallback: 30,
    description: "How long each 256 KiB of a request body may take; a slower one is answered with 408.",
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
    description: "Your app's name, for consent screens and upstream requests. Turns the app half on.",
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
  ...personalSettings,
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
  ...upstreamSettings,
});
