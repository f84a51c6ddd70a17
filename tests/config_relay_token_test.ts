import assert from "node:assert/strict";
import { join } from "node:path";
import { loadConfig, type LoadOutcome } from "../src/config_load.ts";
import { config, identitySecret, jwtSecret, load, problems } from "./config_bench.ts";

const secrets = { AUTH_AI_JWT_SECRET: jwtSecret, AUTH_AI_IDENTITY_SECRET: identitySecret };
const token = "a-token-that-is-long-enough";

/** Loads from a data directory that has a token file with this text and this mode. */
async function loadWithFile(
  text: string,
  mode: number,
  env: Record<string, string> = {},
): Promise<LoadOutcome> {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(dir, "relay_token"), text);
    await Deno.chmod(join(dir, "relay_token"), mode);
    return await loadConfig({
      flags: {},
      environment: { ...secrets, AUTH_AI_DATA_DIR: dir, ...env },
      files: "read",
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const halves: readonly (readonly [string, Record<string, string>, boolean, boolean])[] = [
  ["nothing", {}, false, false],
  ["an originator", { AUTH_AI_ORIGINATOR: "App" }, true, false],
  ["a relay token", { AUTH_AI_BEARER_TOKEN: token }, false, true],
  ["no need of a token", { AUTH_AI_REQUIRE_BEARER_AUTH: "false" }, false, true],
  ["originator and token", { AUTH_AI_ORIGINATOR: "App", AIRELAYS_BEARER_TOKEN: token }, true, true],
];

for (const [what, env, app, personal] of halves) {
  Deno.test(`loadConfig() turns the right halves on for ${what}`, async () => {
    const loaded = await config({ env: { ...secrets, ...env } });
    assert.deepEqual(loaded.halves, { app, personal });
    assert.equal(loaded.originator, app ? "App" : "authai-relay");
  });
}

Deno.test("loadConfig() tells the halves before the secrets are made", async () => {
  const outcome = await load({ env: { AUTH_AI_BEARER_TOKEN: token } });
  assert.equal(outcome.kind, "incomplete");
  assert.deepEqual(outcome.kind === "incomplete" && outcome.config.halves, { app: false, personal: true });
});

Deno.test("loadConfig() turns the personal half on for a token file", async () => {
  const outcome = await loadWithFile(`${token}\n`, 0o600);
  assert.equal(outcome.kind, "config");
  assert.deepEqual(outcome.kind === "config" && outcome.config.halves, { app: false, personal: true });
  assert.deepEqual(outcome.warnings, []);
});

Deno.test("loadConfig() warns of a token file that others can read, and of a token that can be guessed", async () => {
  const { warnings } = await loadWithFile("canary7", 0o644);
  assert.equal(warnings.length, 2, warnings.join("\n"));
  assert.match(warnings[0] ?? "", /relay_token is short enough to be guessed\. `authai-relay token rotate`/);
  assert.match(warnings[1] ?? "", /relay_token holds the relay token and is open to other users .*chmod 600/);
  assert.doesNotMatch(warnings.join("\n"), /canary7/);
});

Deno.test("loadConfig() refuses a token file without a token, and tells nothing of its content", async () => {
  for (const text of ["", "two words canary", "canary,canary"]) {
    const outcome = await loadWithFile(text, 0o600);
    assert.equal(outcome.kind, "invalid");
    const told = outcome.kind === "invalid" ? outcome.problems.join("\n") : "";
    assert.match(told, /relay_token has no relay token: its content must be 1 to 4096 printable ASCII/);
    assert.doesNotMatch(told, /canary/);
  }
});

Deno.test("loadConfig() accepts a token file that is named and does not exist yet", async () => {
  const { relayToken, halves: on } = await config({
    env: secrets,
    flags: { "bearer-token-file": "/nowhere/token" },
  });
  assert.deepEqual([relayToken.path, relayToken.named, relayToken.present], ["/nowhere/token", true, false]);
  assert.equal(on.personal, false);
});

for (const host of ["127.0.0.1", "127.9.9.9", "localhost", "LocalHost", "::1"]) {
  Deno.test(`loadConfig() lets a relay without a token listen on ${host}`, async () => {
    const { relayToken } = await config({
      env: { ...secrets, AUTH_AI_HOST: host },
      flags: { "no-auth": "" },
    });
    assert.equal(relayToken.required, false);
  });
}

for (const host of ["0.0.0.0", "::", "192.168.1.7", "127.example.org", "relay.example"]) {
  Deno.test(`loadConfig() lets no relay without a token listen on ${host}, unless a second setting allows it`, async () => {
    const env = { ...secrets, AUTH_AI_HOST: host };
    const [problem, ...more] = await problems({ env, flags: { "no-auth": "" } });
    assert.match(
      problem ?? "",
      /^--no-auth on the command line opens the relay .*loopback.*security\.allow_remote_no_auth/,
    );
    assert.deepEqual(more, []);
    const allowed = await load({
      env: { ...env, AUTH_AI_ALLOW_REMOTE_NO_AUTH: "true" },
      flags: { "no-auth": "" },
    });
    assert.equal(allowed.kind, "config");
    assert.deepEqual(allowed.warnings, [
      "No credential is asked for: whoever reaches this relay uses the owner's subscriptions.",
    ]);
  });
}

Deno.test("loadConfig() lets no web page call a relay without a token, unless its origin is named", async () => {
  const open = { ...secrets, AUTH_AI_REQUIRE_BEARER_AUTH: "false" };
  assert.deepEqual((await config({ env: open })).server.corsOrigins, []);
  const named = { ...open, AUTH_AI_CORS_ORIGINS: "https://app.example" };
  assert.deepEqual((await config({ env: named })).server.corsOrigins, ["https://app.example"]);
  assert.deepEqual((await config({ env: secrets })).server.corsOrigins, ["*"]);
});
