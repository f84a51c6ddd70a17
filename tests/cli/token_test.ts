import assert from "node:assert/strict";
import { join } from "node:path";
import { runCli } from "../../src/cli/cli.ts";
import { recordingProcess } from "./recording_process.ts";

/** Commands on one data directory, at one moment. */
interface Rig {
  readonly dataDir: string;
  /** The token in the file. */
  token(): Promise<string>;
  run(
    args: readonly string[],
    env?: Record<string, string>,
  ): Promise<{ code: number; out: string; err: string }>;
}

const nowMs = Date.UTC(2026, 10, 22, 12, 0, 0);

async function withRig(test: (rig: Rig) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const dataDir = join(dir, "data");
  try {
    await test({
      dataDir,
      token: async () => (await Deno.readTextFile(join(dataDir, "relay_token"))).trim(),
      async run(args, env = {}) {
        const clock = { now: () => nowMs, timers: { after: () => () => {}, every: () => () => {} } };
        const process = recordingProcess({ AUTH_AI_DATA_DIR: dataDir, ...env }, { clock });
        const code = await runCli(args, process);
        return { code, out: process.out.join("\n"), err: process.err.join("\n") };
      },
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("init makes secrets and a token, prints none of them, and names the next steps", () =>
  withRig(async ({ run, token, dataDir }) => {
    const { code, out, err } = await run(["init"]);
    assert.deepEqual([code, err], [0, ""]);
    assert.deepEqual(out.split("\n"), [
      `Made jwt_secret in ${dataDir}/secrets.toml.`,
      `Made identity_secret in ${dataDir}/secrets.toml.`,
      `Made the relay token in ${dataDir}/relay_token.`,
      "",
      "Next steps",
      "  authai-relay login",
      "  authai-relay serve",
      "  authai-relay token show",
    ]);
    assert.ok(!out.includes(await token()));
    assert.doesNotMatch(await Deno.readTextFile(join(dataDir, "secrets.toml")), /originator/);
  }));

Deno.test("init changes nothing the second time, and everything with --force", () =>
  withRig(async ({ run, token, dataDir }) => {
    const secrets = () => Deno.readTextFile(join(dataDir, "secrets.toml"));
    await run(["init"]);
    const before = [await token(), await secrets()];
    assert.match((await run(["init"])).out, /^Nothing is missing\./);
    assert.deepEqual([await token(), await secrets()], before);
    const { out } = await run(["init", "--force"]);
    assert.match(out, /^Replaced jwt_secret .*\nReplaced identity_secret .*\nReplaced the relay token in /);
    assert.notEqual(await token(), before[0]);
    assert.notEqual(await secrets(), before[1]);
    assert.equal(await Deno.readTextFile(join(dataDir, "relay_token.previous")), "");
  }));

Deno.test("init makes no token file when the environment has the token", () =>
  withRig(async ({ run, dataDir }) => {
    const { code, out } = await run(["init"], { AIRELAYS_BEARER_TOKEN: "token-of-the-environment" });
    assert.equal(code, 0);
    assert.match(out, /AIRELAYS_BEARER_TOKEN in the environment is the relay token, so no file is made\./);
    await assert.rejects(Deno.stat(join(dataDir, "relay_token")), Deno.errors.NotFound);
  }));

Deno.test("init --no-auth opens the relay in config.toml, and says so when the environment wins over it", () =>
  withRig(async ({ run, dataDir }) => {
    const { code, out, err } = await run(["init", "--no-auth"]);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(out, /Set security\.require_bearer_auth = false in .*config\.toml\./);
    assert.match(await Deno.readTextFile(join(dataDir, "config.toml")), /require_bearer_auth = false/);
    const told = await run(["init", "--no-auth"], { AUTH_AI_REQUIRE_BEARER_AUTH: "true" });
    assert.equal(
      told.err,
      "warning  The environment asks for the token all the same, and wins over the file.",
    );
    const refused = await run(["init", "--no-auth"], { AUTH_AI_HOST: "0.0.0.0" });
    assert.equal(refused.code, 2);
    assert.match(
      refused.err,
      /^error {2}--no-auth on the command line opens the relay to whoever reaches it/,
    );
  }));

Deno.test("init does not overwrite a file that is no token file", () =>
  withRig(async ({ run, dataDir }) => {
    await Deno.mkdir(dataDir);
    const path = join(dataDir, "notes");
    await Deno.writeTextFile(path, "canary words", { mode: 0o600 });
    for (const args of [["init"], ["init", "--force"], ["token", "rotate"], ["token", "show"]]) {
      const { code, out, err } = await run([...args, "--bearer-token-file", path]);
      assert.equal(code, 2, out);
      assert.match(err, /notes has no relay token/);
      assert.ok(!err.includes("canary"));
    }
    assert.equal(await Deno.readTextFile(path), "canary words");
  }));

Deno.test("token show prints the token, its source and what a client needs", () =>
  withRig(async ({ run, token, dataDir }) => {
    const absent = await run(["token", "show"]);
    assert.equal(absent.code, 1);
    assert.equal(
      absent.err,
      `error  There is no relay token: ${dataDir}/relay_token does not exist.\nhint   authai-relay init`,
    );
    await run(["init"]);
    const { code, out, err } = await run(["token", "show", "--port", "4444"]);
    assert.deepEqual([code, err], [0, ""]);
    assert.match(
      out,
      new RegExp(`token +${await token()}\n +from +${dataDir}/relay_token \\([0-9a-f]{12}\\)\n`),
    );
    assert.match(out, /export OPENAI_BASE_URL=http:\/\/127\.0\.0\.1:4444\/v1\n/);
    assert.ok(out.includes(`export OPENAI_API_KEY='${await token()}'`));
    const json = JSON.parse((await run(["token", "show", "--json"])).out);
    assert.deepEqual({ ...json, fingerprint: json.fingerprint.length }, {
      token: await token(),
      source: "file",
      path: `${dataDir}/relay_token`,
      variable: null,
      fingerprint: 12,
      required: true,
      base_url: "http://127.0.0.1:3000/v1",
    });
  }));

Deno.test("token rotate prints the new token and until when the one before is accepted", () =>
  withRig(async ({ run, token, dataDir }) => {
    await run(["init"]);
    const before = await token();
    const { code, out, err } = await run(["token", "rotate"]);
    assert.deepEqual([code, err], [0, ""]);
    assert.notEqual(await token(), before);
    assert.deepEqual(out.split("\n").slice(0, 3), [
      await token(),
      `This is the relay token from now on; it is in ${dataDir}/relay_token.`,
      "The token before is accepted for 10 minutes more, until 2026-11-22 12:10:00 UTC.",
    ]);
    const json = JSON.parse((await run(["token", "rotate", "--grace-seconds", "5", "--json"])).out);
    assert.deepEqual([json.token, json.path], [await token(), `${dataDir}/relay_token`]);
    assert.equal(json.previous_accepted_until, "2026-11-22T12:00:05.000Z");
    const setting = await run(["token", "rotate"], { AUTH_AI_TOKEN_GRACE_SECONDS: "0" });
    assert.match(setting.out, /\nThe token before is no longer accepted\.\n/);
  }));

Deno.test("token rotate refuses what it does not understand and changes nothing", () =>
  withRig(async ({ run, token }) => {
    await run(["init"]);
    const before = await token();
    const bad = await run(["token", "rotate", "--grace-seconds", "soon"]);
    assert.equal(bad.code, 2);
    assert.match(
      bad.err,
      /^error {2}--grace-seconds on the command line must be a whole number from 0 to 604800\.$/,
    );
    assert.equal((await run(["token", "show", "--grace-seconds", "5"])).code, 2);
    assert.equal((await run(["token", "turn"])).code, 2);
    assert.equal(await token(), before);
  }));

Deno.test("token show and rotate say it when the environment overrides the file", () =>
  withRig(async ({ run, token, dataDir }) => {
    await run(["init"]);
    const before = await token();
    const env = { AUTH_AI_BEARER_TOKEN: "token-of-the-environment" };
    const shown = await run(["token", "show"], env);
    assert.equal(shown.code, 0);
    assert.match(
      shown.out,
      /token +token-of-the-environment\n +from +AUTH_AI_BEARER_TOKEN in the environment/,
    );
    assert.equal(
      shown.err,
      `warning  AUTH_AI_BEARER_TOKEN in this environment wins over ${dataDir}/relay_token. ` +
        "A relay that was started without it uses the file.",
    );
    const json = JSON.parse((await run(["token", "show", "--json"], env)).out);
    assert.deepEqual([json.source, json.variable, json.path], ["environment", "AUTH_AI_BEARER_TOKEN", null]);
    const rotated = await run(["token", "rotate"], env);
    assert.deepEqual([rotated.code, rotated.out], [1, ""]);
    assert.match(rotated.err, /^error {2}AUTH_AI_BEARER_TOKEN .* Nothing was changed\.\nhint /);
    assert.equal(await token(), before);
  }));
