import assert from "node:assert/strict";
import { settings } from "../src/config.ts";
import { environmentNames } from "../src/config_layers.ts";
import { config, identitySecret, jwtSecret, load, problems, required } from "./config_bench.ts";

Deno.test("loadConfig() gives the defaults of the table when only the required settings are given", async () => {
  const { storage, providers, configPath, log: { dir, ...log }, relayToken, ...rest } = await config({});
  assert.deepEqual({ log, ...rest }, {
    halves: { app: true, personal: false },
    jwtSecret,
    previousJwtSecrets: [],
    identitySecret,
    originator: "Test App",
    server: {
      host: "127.0.0.1",
      port: 3000,
      corsOrigins: ["*"],
      maxBodyBytes: 33_554_432,
      bodyTimeoutMs: 30_000,
      shutdownGraceMs: 20_000,
    },
    limits: {
      ratePerMinute: 120,
      rateBurst: 40,
      concurrentRequests: 8,
      failedAuthWindowMs: 300_000,
      failedAuthMaxAttempts: 8,
      failedAuthBlockMs: 900_000,
      trustForwardedFor: false,
      trustedProxyHops: 1,
      exemptAddresses: [],
    },
    uploads: { maxUploadBytes: 33_554_432, maxTotalUploadBytes: 268_435_456 },
    log: { enabled: true, retentionDays: 14, maxTotalBytes: 1024 ** 3, bodies: false },
    streams: { keepAliveMs: 15_000, silenceLimitMs: 300_000, firstByteLimitMs: 600_000 },
  });
  const { dataDir } = storage;
  assert.equal(configPath, `${dataDir}/config.toml`);
  assert.equal(dir, `${dataDir}/logs`);
  assert.deepEqual(relayToken, {
    required: true,
    override: undefined,
    path: `${dataDir}/relay_token`,
    named: false,
    present: false,
    remoteNoAuth: false,
    graceMs: 600_000,
  });
  assert.equal(storage.databasePath, "relay.db");
  assert.equal(storage.kvPath, "shared.kv");
  assert.deepEqual(providers.enabled, ["openai", "xai", "github"]);
  assert.equal(providers.openai.apiUrl, "https://chatgpt.com/backend-api");
  assert.equal(providers.xai.issuerUrl, "https://auth.x.ai");
  assert.equal(providers.github.copilotApiUrl, null);
});

Deno.test("loadConfig() takes flag over environment over config.toml over default", async () => {
  const toml = "[server]\nport = 1001\nhost = 'toml.example'\nmax_body_bytes = 2048\n";
  const env = { ...required, AUTH_AI_PORT: "1002", AUTH_AI_HOST: "env.example" };
  const { server } = await config({ toml, env, flags: { port: "1003" } });
  assert.equal(server.port, 1003);
  assert.equal(server.host, "env.example");
  assert.equal(server.maxBodyBytes, 2048);
  assert.equal(server.shutdownGraceMs, 20_000);
});

Deno.test("loadConfig() reads every setting of the table from its name in the environment", async () => {
  const env = {
    ...required,
    AUTH_AI_JWT_SECRET_PREVIOUS: `${"03".repeat(31)}ff, ${"04".repeat(31)}ff`,
    AUTH_AI_HOST: "::",
    AUTH_AI_PORT: "0",
    AUTH_AI_CORS_ORIGINS: "https://a.example, capacitor://localhost",
    AUTH_AI_MAX_BODY_BYTES: "4096",
    AUTH_AI_BODY_TIMEOUT_SECONDS: "7",
    AUTH_AI_SHUTDOWN_GRACE_SECONDS: "3",
    AUTH_AI_BEARER_TOKEN: "the-token-of-the-environment",
    AUTH_AI_BEARER_TOKEN_FILE: "elsewhere/token",
    AUTH_AI_REQUIRE_BEARER_AUTH: "off",
    AUTH_AI_ALLOW_REMOTE_NO_AUTH: "yes",
    AUTH_AI_TOKEN_GRACE_SECONDS: "8",
    AUTH_AI_RATE_LIMIT_PER_MINUTE: "9",
    AUTH_AI_RATE_LIMIT_BURST: "10",
    AUTH_AI_CONCURRENT_REQUESTS_PER_IP: "11",
    AUTH_AI_FAILED_AUTH_WINDOW_SECONDS: "12",
    AUTH_AI_FAILED_AUTH_MAX_ATTEMPTS: "13",
    AUTH_AI_FAILED_AUTH_BLOCK_SECONDS: "14",
    AUTH_AI_TRUST_X_FORWARDED_FOR: "1",
    AUTH_AI_TRUSTED_PROXY_HOPS: "2",
    AUTH_AI_EXEMPT_ADDRESSES: "10.0.0.0/8, ::1, 192.0.2.7/32, 2001:db8::/32",
    AUTH_AI_MAX_UPLOAD_BYTES: "15",
    AUTH_AI_MAX_TOTAL_UPLOAD_BYTES: "16",
    AUTH_AI_LOG_ENABLED: "FALSE",
    AUTH_AI_LOG_DIR: "/var/log/relay",
    AUTH_AI_LOG_RETENTION_DAYS: "0",
    AUTH_AI_LOG_MAX_TOTAL_BYTES: "1048576",
    AUTH_AI_LOG_BODIES: "true",
    AUTH_AI_KEEP_ALIVE_SECONDS: "4",
    AUTH_AI_SILENCE_SECONDS: "5",
    AUTH_AI_FIRST_BYTE_SECONDS: "6",
    AUTH_AI_PROVIDERS: "github,openai",
    AUTH_AI_DB_DRIVER: "sqlite",
    AUTH_AI_DB_URL: ":memory:",
    AUTH_AI_KV_URL: "other.kv",
    AUTH_AI_OPENAI_ISSUER_URL: "http://openai-issuer.example/",
    AUTH_AI_OPENAI_API_URL: "http://openai-api.example/base/",
    AUTH_AI_OPENAI_CLIENT_ID: "openai-id",
    AUTH_AI_OPENAI_CLIENT_VERSION: "openai-version",
    AUTH_AI_XAI_ISSUER_URL: "http://xai-issuer.example",
    AUTH_AI_XAI_API_URL: "http://xai-api.example",
    AUTH_AI_XAI_CLIENT_ID: "xai-id",
    AUTH_AI_XAI_CLIENT_VERSION: "xai-version",
    AUTH_AI_XAI_SEND_CLI_HEADERS: "never",
    AUTH_AI_GITHUB_URL: "http://github.example",
    AUTH_AI_GITHUB_API_URL: "http://github-api.example",
    AUTH_AI_GITHUB_CLIENT_ID: "github-id",
    AUTH_AI_COPILOT_API_URL: "http://copilot-api.example",
    AUTH_AI_COPILOT_EDITOR_VERSION: "editor",
    AUTH_AI_COPILOT_PLUGIN_VERSION: "plugin",
    AUTH_AI_COPILOT_INTEGRATION_ID: "integration",
  };
  const names = Object.values(settings).map((setting) => setting.env);
  const elsewhere = ["AUTH_AI_CONFIG", "AUTH_AI_DATA_DIR"];
  assert.deepEqual([...Object.keys(env), ...elsewhere].sort(), [...names].sort(), "a setting lacks its test");

  const { storage, providers, server, ...rest } = await config({ env });
  assert.deepEqual(rest.previousJwtSecrets, [`${"03".repeat(31)}ff`, `${"04".repeat(31)}ff`]);
  assert.deepEqual(server, {
    host: "::",
    port: 0,
    corsOrigins: ["https://a.example", "capacitor://localhost"],
    maxBodyBytes: 4096,
    bodyTimeoutMs: 7000,
    shutdownGraceMs: 3000,
  });
  assert.deepEqual(rest.relayToken, {
    required: false,
    override: { token: "the-token-of-the-environment", name: "AUTH_AI_BEARER_TOKEN" },
    path: "elsewhere/token",
    named: true,
    present: true,
    remoteNoAuth: true,
    graceMs: 8000,
  });
  assert.deepEqual(rest.limits, {
    ratePerMinute: 9,
    rateBurst: 10,
    concurrentRequests: 11,
    failedAuthWindowMs: 12_000,
    failedAuthMaxAttempts: 13,
    failedAuthBlockMs: 14_000,
    trustForwardedFor: true,
    trustedProxyHops: 2,
    exemptAddresses: ["10.0.0.0/8", "::1", "192.0.2.7/32", "2001:db8::/32"],
  });
  assert.deepEqual(rest.uploads, { maxUploadBytes: 15, maxTotalUploadBytes: 16 });
  assert.deepEqual(rest.log, {
    enabled: false,
    dir: "/var/log/relay",
    retentionDays: 0,
    maxTotalBytes: 1_048_576,
    bodies: true,
  });
  assert.deepEqual(rest.streams, { keepAliveMs: 4_000, silenceLimitMs: 5_000, firstByteLimitMs: 6_000 });
  assert.equal(storage.databasePath, ":memory:");
  assert.equal(storage.kvPath, "other.kv");
  assert.deepEqual(providers.enabled, ["openai", "github"]);
  const { openai, xai, github } = providers;
  assert.equal(openai.issuerUrl, "http://openai-issuer.example");
  assert.equal(openai.apiUrl, "http://openai-api.example/base");
  assert.equal(openai.clientId, "openai-id");
  assert.equal(openai.clientVersion, "openai-version");
  assert.equal(xai.issuerUrl, "http://xai-issuer.example");
  assert.equal(xai.apiUrl, "http://xai-api.example");
  assert.equal(xai.clientId, "xai-id");
  assert.equal(xai.clientVersion, "xai-version");
  assert.equal(xai.sendCliHeaders, "never");
  assert.equal(github.githubUrl, "http://github.example");
  assert.equal(github.githubApiUrl, "http://github-api.example");
  assert.equal(github.clientId, "github-id");
  assert.equal(github.copilotApiUrl, "http://copilot-api.example");
  assert.equal(github.editorVersion, "editor");
  assert.equal(github.editorPluginVersion, "plugin");
  assert.equal(github.integrationId, "integration");
});

Deno.test("loadConfig() reads every TOML key of the table", async () => {
  const leaf: Record<string, string> = {
    "server.port": "77",
    "server.cors_origins": '["https://a.example"]',
    "server.max_body_bytes": "5000",
    "server.shutdown_grace_seconds": "1",
    "server.body_timeout_seconds": "5",
    "security.require_bearer_auth": "false",
    "security.allow_remote_no_auth": "true",
    "security.token_grace_seconds": "6",
    "security.rate_limit_per_minute": "7",
    "security.rate_limit_burst": "8",
    "security.concurrent_requests_per_ip": "9",
    "security.failed_auth_window_seconds": "10",
    "security.failed_auth_max_attempts": "11",
    "security.failed_auth_block_seconds": "12",
    "security.trust_x_forwarded_for": "true",
    "security.trusted_proxy_hops": "13",
    "security.exempt_addresses": '["127.0.0.1"]',
    "uploads.max_upload_bytes": "14",
    "uploads.max_total_upload_bytes": "15",
    "logging.enabled": "false",
    "logging.retention_days": "16",
    "logging.max_total_bytes": "1048577",
    "logging.bodies": "true",
    "streams.keep_alive_seconds": "2",
    "streams.silence_seconds": "3",
    "streams.first_byte_seconds": "4",
    "providers": '["xai"]',
    "storage.driver": '"sqlite"',
    "upstream.xai.send_cli_headers": '"always"',
    "data_dir": '"ignored, because the environment wins"',
  };
  const keys = Object.values(settings).flatMap((setting) => setting.toml === undefined ? [] : [setting.toml]);
  const value = (key: string) => leaf[key] ?? (key.endsWith("url") ? '"http://toml.example"' : '"toml"');
  const memory = { "storage.url": '"toml.db"', "storage.kv_url": '"toml.kv"' } as Record<string, string>;
  const toml = keys.map((key) => `${key} = ${memory[key] ?? value(key)}`).join("\n");
  const { AUTH_AI_ORIGINATOR: _, ...env } = required;

  const loaded = await config({ toml, env });
  assert.equal(loaded.originator, "toml");
  assert.deepEqual(loaded.server, {
    host: "toml",
    port: 77,
    corsOrigins: ["https://a.example"],
    maxBodyBytes: 5000,
    bodyTimeoutMs: 5000,
    shutdownGraceMs: 1000,
  });
  const { named, required: asked, graceMs } = loaded.relayToken;
  assert.deepEqual([named, asked, graceMs], [true, false, 6000]);
  assert.deepEqual(Object.values(loaded.limits), [7, 8, 9, 10_000, 11, 12_000, true, 13, ["127.0.0.1"]]);
  assert.deepEqual(Object.values(loaded.uploads), [14, 15]);
  const { dir, ...log } = loaded.log;
  assert.match(dir, /\/toml$/);
  assert.deepEqual(Object.values(log), [false, 16, 1_048_577, true]);
  assert.deepEqual(loaded.streams, { keepAliveMs: 2_000, silenceLimitMs: 3_000, firstByteLimitMs: 4_000 });
  assert.equal(loaded.storage.databasePath, "toml.db");
  assert.equal(loaded.storage.kvPath, "toml.kv");
  assert.deepEqual(loaded.providers.enabled, ["xai"]);
  assert.equal(loaded.providers.openai.apiUrl, "http://toml.example");
  assert.equal(loaded.providers.xai.sendCliHeaders, "always");
  assert.equal(loaded.providers.github.copilotApiUrl, "http://toml.example");
  assert.equal(loaded.providers.github.integrationId, "toml");
});

Deno.test("loadConfig() accepts the client id name of the older system, and the newer name wins", async () => {
  const old = { ...required, AUTH_AI_OPENAI_CODEX_CLIENT_ID: "old" };
  assert.equal((await config({ env: old })).providers.openai.clientId, "old");
  const both = { ...old, AUTH_AI_OPENAI_CLIENT_ID: "new" };
  assert.equal((await config({ env: both })).providers.openai.clientId, "new");
});

Deno.test("loadConfig() counts an empty variable as absent", async () => {
  assert.equal((await config({ env: { ...required, AUTH_AI_PORT: " " } })).server.port, 3000);
});

Deno.test("loadConfig() ignores names of other programs in the environment", async () => {
  assert.equal((await config({ env: { ...required, PORT: "x", HOME: "/" } })).server.port, 3000);
});

Deno.test("loadConfig() refuses each bad value with its key, its origin and the rule, and all at once", async () => {
  const env = {
    AUTH_AI_JWT_SECRET: "00ff",
    AUTH_AI_IDENTITY_SECRET: "not hexadecimal",
    AUTH_AI_ORIGINATOR: "two\nlines",
    AUTH_AI_PORT: "80a",
    AUTH_AI_CORS_ORIGINS: "https://a.example/path",
    AUTH_AI_PROVIDERS: "openai,claude",
    AUTH_AI_DB_DRIVER: "postgres",
    AUTH_AI_DB_URL: "postgres://user:canary@db/relay",
    AUTH_AI_OPENAI_API_URL: "https://user:canary@api.example",
    AUTH_AI_XAI_API_URL: "ftp://api.example",
    AUTH_AI_XAI_SEND_CLI_HEADERS: "sometimes",
    AUTH_AI_BEARER_TOKEN: "two words",
    AUTH_AI_TRUST_X_FORWARDED_FOR: "perhaps",
    AUTH_AI_EXEMPT_ADDRESSES: "10.0.0.1/8",
  };
  const toml = "[server]\nshutdown_grace_seconds = 'soon'\nmax_body_bytes = 1\n";
  const told = await problems({ env, toml, flags: { host: "http://x" } });
  assert.deepEqual([...told].sort(), [
    "--host on the command line must be a host name or an IP address, without scheme and port.",
    "AUTH_AI_BEARER_TOKEN in the environment must be 1 to 4096 printable ASCII characters without space and comma.",
    "AUTH_AI_CORS_ORIGINS in the environment must be * or a list of origins such as https://app.example, without a path.",
    'AUTH_AI_DB_DRIVER in the environment must be "sqlite", the only choice so far.',
    "AUTH_AI_DB_URL in the environment must be a path of the file system, not a URL.",
    "AUTH_AI_EXEMPT_ADDRESSES in the environment must list IP addresses or blocks such as 10.0.0.0/8, without bits behind the prefix.",
    "AUTH_AI_IDENTITY_SECRET in the environment must consist of hexadecimal digits only.",
    "AUTH_AI_JWT_SECRET in the environment must be at least 32 bytes (64 hexadecimal digits).",
    "AUTH_AI_OPENAI_API_URL in the environment must be an http or https URL without user, query and fragment.",
    "AUTH_AI_ORIGINATOR in the environment must be 1 to 64 printable characters on one line.",
    "AUTH_AI_PORT in the environment must be a whole number from 0 to 65535.",
    "AUTH_AI_PROVIDERS in the environment must list one or more of openai, xai, github.",
    "AUTH_AI_TRUST_X_FORWARDED_FOR in the environment must be true or false.",
    "AUTH_AI_XAI_API_URL in the environment must be an http or https URL without user, query and fragment.",
    "AUTH_AI_XAI_SEND_CLI_HEADERS in the environment must be one of auto, always, never.",
    "server.max_body_bytes in DATA/config.toml must be a whole number from 1024 to 1073741824.",
    "server.shutdown_grace_seconds in DATA/config.toml must be a whole number without quotes.",
  ]);
});

Deno.test("loadConfig() names no value of a refused setting", async () => {
  const canary = "canary-5f1d0b";
  const names = environmentNames.filter((name) => !/_DATA_DIR$|_CONFIG$|^HOME$/.test(name));
  const env = Object.fromEntries(names.map((name) => [name, `${canary}\0://`]));
  const told = await problems({ env, toml: `[server]\nport = "${canary}"\nhost = ${canary}\n` });
  assert.ok(told.length > 20);
  assert.ok(!told.join("\n").includes(canary), told.join("\n"));
});

Deno.test("loadConfig() refuses secrets that are the same in another spelling", async () => {
  const env = { ...required, AUTH_AI_IDENTITY_SECRET: jwtSecret.toUpperCase() };
  assert.deepEqual(await problems({ env }), [
    "AUTH_AI_IDENTITY_SECRET must differ from AUTH_AI_JWT_SECRET: who has one must not have both.",
  ]);
});

Deno.test("loadConfig() names exactly what is missing", async () => {
  const outcome = await load({ env: { AUTH_AI_JWT_SECRET: jwtSecret } });
  assert.equal(outcome.kind, "incomplete");
  assert.deepEqual(
    outcome.kind === "incomplete" && outcome.missing.map(({ env }) => env).sort(),
    ["AUTH_AI_IDENTITY_SECRET"],
  );
});

Deno.test("loadConfig() does not call missing what may stand in a file that it did not read", async () => {
  const secrets = `jwt_secret = "${jwtSecret}"\nidentity_secret = "${identitySecret}"\n`;
  for (const [secretsMode, kind] of [[0o600, "config"], [0o644, "invalid"]] as const) {
    const outcome = await load({ env: {}, secrets, secretsMode });
    assert.equal(outcome.kind, kind);
    if (outcome.kind === "invalid") assert.deepEqual([outcome.problems.length, outcome.missing], [1, []]);
  }
});

Deno.test("loadConfig() does not call a refused secret missing", async () => {
  const outcome = await load({ env: { ...required, AUTH_AI_JWT_SECRET: "short" } });
  assert.deepEqual(outcome.kind === "invalid" && outcome.missing, []);
});
