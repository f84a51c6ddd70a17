import assert from "node:assert/strict";
import { settings } from "../src/config.ts";
import { environmentNames } from "../src/config_load.ts";
import { config, identitySecret, jwtSecret, load, problems, required } from "./config_bench.ts";

Deno.test("loadConfig() gives the defaults of the table when only the required settings are given", async () => {
  const { storage, providers, ...rest } = await config({});
  assert.deepEqual(rest, {
    jwtSecret,
    previousJwtSecrets: [],
    identitySecret,
    originator: "Test App",
    server: {
      host: "127.0.0.1",
      port: 3000,
      corsOrigins: ["*"],
      maxBodyBytes: 33_554_432,
      shutdownGraceMs: 20_000,
    },
    streams: { keepAliveMs: 15_000, silenceLimitMs: 300_000, firstByteLimitMs: 600_000 },
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
    AUTH_AI_HOST: "::1",
    AUTH_AI_PORT: "0",
    AUTH_AI_CORS_ORIGINS: "https://a.example, capacitor://localhost",
    AUTH_AI_MAX_BODY_BYTES: "4096",
    AUTH_AI_SHUTDOWN_GRACE_SECONDS: "3",
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
    host: "::1",
    port: 0,
    corsOrigins: ["https://a.example", "capacitor://localhost"],
    maxBodyBytes: 4096,
    shutdownGraceMs: 3000,
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
    shutdownGraceMs: 1000,
  });
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
  };
  const toml = "[server]\nshutdown_grace_seconds = 'soon'\nmax_body_bytes = 1\n";
  const told = await problems({ env, toml, flags: { host: "http://x" } });
  assert.deepEqual([...told].sort(), [
    "--host on the command line must be a host name or an IP address, without scheme and port.",
    "AUTH_AI_CORS_ORIGINS in the environment must be * or a list of origins such as https://app.example, without a path.",
    'AUTH_AI_DB_DRIVER in the environment must be "sqlite", the only choice so far.',
    "AUTH_AI_DB_URL in the environment must be a path of the file system, not a URL.",
    "AUTH_AI_IDENTITY_SECRET in the environment must consist of hexadecimal digits only.",
    "AUTH_AI_JWT_SECRET in the environment must be at least 32 bytes (64 hexadecimal digits).",
    "AUTH_AI_OPENAI_API_URL in the environment must be an http or https URL without user, query and fragment.",
    "AUTH_AI_ORIGINATOR in the environment must be 1 to 64 printable characters on one line.",
    "AUTH_AI_PORT in the environment must be a whole number from 0 to 65535.",
    "AUTH_AI_PROVIDERS in the environment must list one or more of openai, xai, github.",
    "AUTH_AI_XAI_API_URL in the environment must be an http or https URL without user, query and fragment.",
    "AUTH_AI_XAI_SEND_CLI_HEADERS in the environment must be one of auto, always, never.",
    "server.max_body_bytes in DATA/config.toml must be a whole number from 1024 to 1073741824.",
    "server.shutdown_grace_seconds in DATA/config.toml must be a whole number without quotes.",
  ]);
});

Deno.test("loadConfig() names no value of a refused setting", async () => {
  const canary = "canary-5f1d0b";
  const names = environmentNames.filter((name) => name !== "AUTH_AI_DATA_DIR" && name !== "AUTH_AI_CONFIG");
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
    ["AUTH_AI_IDENTITY_SECRET", "AUTH_AI_ORIGINATOR"],
  );
});

Deno.test("loadConfig() does not call a refused secret missing", async () => {
  const outcome = await load({ env: { ...required, AUTH_AI_JWT_SECRET: "short" } });
  assert.deepEqual(outcome.kind === "invalid" && outcome.missing, []);
});
