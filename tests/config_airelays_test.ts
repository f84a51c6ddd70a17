import assert from "node:assert/strict";
import { join } from "node:path";
import { airelaysNames, airelaysUnsupported } from "../src/config_airelays.ts";
import { settings } from "../src/config.ts";
import { loadConfig, type LoadOutcome } from "../src/config_load.ts";
import { config, load, problems, required } from "./config_bench.ts";

const fixture = new URL("fixtures/airelays/config.toml", import.meta.url);

/** Runs `test` with the home directory of an AIRelays user: their config file, their token file. */
async function withHome(test: (home: string) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(home, ".config/airelays"), { recursive: true });
    await Deno.copyFile(fixture, join(home, ".config/airelays/config.toml"));
    await Deno.mkdir(join(home, ".airelays"), { mode: 0o700 });
    await Deno.writeTextFile(join(home, ".airelays/relay-token"), `${"t".repeat(43)}\n`, { mode: 0o600 });
    await test(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

function loadAt(home: string, env: Record<string, string> = {}): Promise<LoadOutcome> {
  return loadConfig({
    flags: {},
    environment: {
      HOME: home,
      AIRELAYS_CONFIG: "~/.config/airelays/config.toml",
      AUTH_AI_JWT_SECRET: required.AUTH_AI_JWT_SECRET,
      AUTH_AI_IDENTITY_SECRET: required.AUTH_AI_IDENTITY_SECRET,
      ...env,
    },
    files: "read",
  });
}

Deno.test("loadConfig() takes the config file and the token file of AIRelays as they are", () =>
  withHome(async (home) => {
    const outcome = await loadAt(home);
    assert.equal(outcome.kind, "config", JSON.stringify(outcome));
    if (outcome.kind !== "config") return;
    const { halves, server, storage, relayToken, limits, uploads, log, providers } = outcome.config;
    assert.deepEqual(halves, { app: false, personal: true });
    assert.equal(server.port, 8080);
    assert.equal(storage.dataDir, `${home}/.airelays`);
    assert.deepEqual(relayToken, {
      required: true,
      override: undefined,
      path: `${home}/.airelays/relay-token`,
      named: true,
      present: true,
      remoteNoAuth: false,
      graceMs: 600_000,
    });
    assert.deepEqual(limits, {
      ratePerMinute: 119,
      rateBurst: 39,
      concurrentRequests: 50,
      failedAuthWindowMs: 299_000,
      failedAuthMaxAttempts: 7,
      failedAuthBlockMs: 899_000,
      trustForwardedFor: true,
      trustedProxyHops: 1,
      exemptAddresses: [],
    });
    assert.deepEqual(uploads, { maxUploadBytes: 33_554_431, maxTotalUploadBytes: 268_435_455 });
    assert.equal(log.dir, `${home}/.airelays/logs`);
    assert.equal(log.retentionDays, 7);
    assert.equal(log.maxTotalBytes, 512 * 1024 ** 2);
    assert.equal(providers.openai.apiUrl, "https://chatgpt.com/backend-api");
    assert.equal(providers.openai.clientVersion, settings.openaiClientVersion.fallback);
  }));

Deno.test("loadConfig() names each key of AIRelays that has no effect, with what to do instead", () =>
  withHome(async (home) => {
    const { warnings } = await loadAt(home);
    const file = `${home}/.config/airelays/config.toml`;
    assert.deepEqual(warnings, [
      `auth.storage in ${file} has no effect: sign-ins are always sealed in the data directory.`,
      `auth.browser_open, auth.login_timeout_seconds in ${file} have no effect: ` +
      "`login` shows a code and an address; open it in any browser.",
      `upstream.request_timeout_seconds in ${file} has no effect: ` +
      "set streams.first_byte_seconds and streams.silence_seconds instead.",
      `security.auto_generate_bearer_token in ${file} has no effect: ` +
      "`init` makes the relay token, and `serve` never does.",
      `logging.stream_lines in ${file} has no effect: ` +
      "set logging.bodies to log what was said; single stream lines are not logged.",
      `logging.max_file_mb in ${file} has no effect: log files are hourly; set logging.max_total_bytes instead.`,
      `providers.openai.enabled in ${file} has no effect: ` +
      'list the providers on offer in `providers`, e.g. providers = ["openai"].',
      "providers.openai.models_cache_ttl_seconds, providers.openai.balance, providers.openai.extra_models, " +
      `providers.openai.account_cooldown_seconds in ${file} have no effect: ` +
      "there is one account for each provider, and model lists are always live.",
      `providers.openai.retry_attempts, providers.openai.retry_backoff_seconds in ${file} have no effect: ` +
      "passing failures are tried again by fixed rules.",
      "providers.claude.enabled, providers.claude.oauth_token_file, providers.claude.bin, " +
      "providers.claude.timeout_seconds, providers.claude.max_concurrent_requests, " +
      `providers.claude.strip_api_key_env, providers.claude.models in ${file} have no effect: ` +
      "this relay has no Claude runtime.",
    ]);
  }));

Deno.test("loadConfig() finds the token file of AIRelays in its data directory, unless there is one of its own", () =>
  withHome(async (home) => {
    const data = { AIRELAYS_DATA_DIR: "~/.airelays", AIRELAYS_CONFIG: "" };
    const path = async () => {
      const outcome = await loadAt(home, data);
      return outcome.kind === "config" ? outcome.config.relayToken.path : JSON.stringify(outcome);
    };
    assert.equal(await path(), `${home}/.airelays/relay-token`);
    await Deno.writeTextFile(join(home, ".airelays/relay_token"), "u".repeat(43), { mode: 0o600 });
    assert.equal(await path(), `${home}/.airelays/relay_token`);
  }));

Deno.test("loadConfig() takes each name of AIRelays in the environment, best spelling first", async () => {
  const plain = {
    ...required,
    AIRELAYS_PORT: "1001",
    AIRELAY_PORT: "1002",
    OPENAI_ENDPOINT_PORT: "1003",
    AIRELAY_RATE_LIMIT_BURST: "11",
    OPENAI_ENDPOINT_HOST: "::1",
    AIRELAYS_BEARER_TOKEN: "a-token-of-some-length",
    AIRELAYS_UPSTREAM_BASE_URL: "https://gateway.example/api/codex/",
    AIRELAYS_LOGS_DIR: "elsewhere",
    AIRELAYS_REQUIRE_BEARER_AUTH: "On",
  };
  const { server, limits, relayToken, providers } = await config({ env: plain });
  assert.equal(server.port, 1001);
  assert.equal(server.host, "::1");
  assert.equal(limits.rateBurst, 11);
  assert.deepEqual(relayToken.override, { token: "a-token-of-some-length", name: "AIRELAYS_BEARER_TOKEN" });
  assert.equal(providers.openai.apiUrl, "https://gateway.example/api");
  const own = await config({ env: { ...plain, AUTH_AI_PORT: "1000" }, toml: "[server]\nport = 999\n" });
  assert.equal(own.server.port, 1000);
  const oldest = await config({ env: { ...required, OPENAI_ENDPOINT_PORT: "1003", AIRELAY_PORT: "1002" } });
  assert.equal(oldest.server.port, 1002);
});

Deno.test("loadConfig() tells a name of AIRelays without effect from a typing error in the environment", async () => {
  const env = { ...required, AIRELAYS_CLAUDE_BIN: "claude", AIRELAYS_BALANCE: "x", AIRELAYS_PROT: "1" };
  const outcome = await load({ env });
  assert.deepEqual(outcome.kind === "invalid" && outcome.problems, [
    "AIRELAYS_BALANCE in the environment is not a setting.",
    "AIRELAYS_PROT in the environment is not a setting. Did you mean AIRELAYS_PORT?",
  ]);
  assert.deepEqual(outcome.warnings, [
    "AIRELAYS_CLAUDE_BIN in the environment has no effect: this relay has no Claude runtime.",
  ]);
});

Deno.test("loadConfig() leaves alone what other programs may mean with the oldest prefixes", async () => {
  const env = { ...required, OPENAI_ENDPOINT_URL: "x", OPENAI_ENDPOINT_BEARER_TOKEN: "x", AIRELAY_MODE: "x" };
  const { relayToken } = await config({ env });
  assert.equal(relayToken.override, undefined);
});

Deno.test("loadConfig() prefers its own key to the one of AIRelays, wherever it stands", async () => {
  for (
    const toml of [
      "[paths]\nlogs_dir='theirs'\n[logging]\ndir='own'",
      "[logging]\ndir='own'\n[paths]\nlogs_dir='theirs'",
    ]
  ) {
    assert.match((await config({ toml })).log.dir, /own$/);
  }
});

Deno.test("loadConfig() refuses a bad value of AIRelays by its own name, and a path below an unknown home", async () => {
  const toml =
    "[paths]\nlogs_dir = '~/logs'\n[logging]\nmax_total_mb = -1\n[security]\nrequire_bearer_auth = 'no'\n";
  assert.deepEqual([...await problems({ toml, env: { ...required, AIRELAYS_PORT: "x" } })].sort(), [
    "AIRELAYS_PORT in the environment must be a whole number from 0 to 65535.",
    `logging.max_total_mb in DATA/config.toml ${settings.logMaxTotalBytes.value.rule}.`,
    "paths.logs_dir in DATA/config.toml begins with ~, but HOME is not set: write the whole path.",
    "security.require_bearer_auth in DATA/config.toml must be true or false, without quotes.",
  ]);
});

Deno.test("the names of AIRelays collide with no other name, and lead to settings", () => {
  const rows = Object.values(settings);
  const names = [
    ...airelaysNames.flatMap(({ env, toml }) => [...env, toml]),
    ...airelaysUnsupported.flatMap(({ env, toml }) => [env, toml]),
    ...rows.flatMap(({ env, toml }) => [env, toml]),
  ].filter((name) => name !== undefined);
  assert.equal(new Set(names).size, names.length);
  for (const { setting } of airelaysNames) assert.ok(rows.some(({ env }) => env === setting), setting);
});
