import assert from "node:assert/strict";
import { join } from "node:path";
import { withProject } from "./spawned_relay.ts";

const listens = /listens +(http:\S+)/;
const stackTrace = /\bat (file|ext|async)|Uncaught/;

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("serve makes nothing without --init, and says which command helps", () =>
  withProject(async ({ start, dataDir }) => {
    const { code, stdout, stderr } = await start("serve", []).ended;
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.equal(
      stderr,
      "error  This relay is not set up yet: AUTH_AI_JWT_SECRET and AUTH_AI_IDENTITY_SECRET are not set.\n" +
        "hint   For your own tools: `authai-relay init`, then `authai-relay login`. For an app's users: " +
        "`authai-relay serve --init`, with the app's name in AUTH_AI_ORIGINATOR.\n",
    );
    assert.equal(await exists(dataDir), false);
  }));

Deno.test("serve --init makes the missing secrets once and serves; a later serve uses them", () =>
  withProject(async ({ start, dataDir }) => {
    const first = start("serve", ["--init", "--port", "0"]);
    const [, origin] = await first.output(listens);
    assert.deepEqual(await (await fetch(`${origin}/readyz`)).json(), { ok: true });
    first.signal("SIGTERM");
    const { code, stdout, stderr } = await first.ended;
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.match(/^Made \w+ in data\/secrets\.toml/gm), [
      "Made jwt_secret in data/secrets.toml",
      "Made identity_secret in data/secrets.toml",
      "Made originator in data/secrets.toml",
    ]);
    assert.match(stderr, /Stopped\.\n$/);
    const path = join(dataDir, "secrets.toml");
    const secrets = await Deno.readTextFile(path);
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    for (const [secret] of secrets.matchAll(/[0-9a-f]{64}/g)) {
      assert.ok(!`${stdout}${stderr}`.includes(secret));
    }

    const second = start("serve", [], { AUTH_AI_PORT: "0" });
    await second.output(listens);
    second.signal("SIGINT");
    const end = await second.ended;
    assert.equal(end.code, 0, end.stderr);
    assert.doesNotMatch(end.stdout, /Made/);
    assert.equal(await Deno.readTextFile(path), secrets);
  }));

Deno.test("serve --init makes no secret that the environment sets", () =>
  withProject(async ({ start, dataDir }) => {
    const secret = "ab".repeat(31) + "00";
    const relay = start("serve", ["--init", "--port=0"], {
      AUTH_AI_JWT_SECRET: secret,
      AUTH_AI_ORIGINATOR: "Mine",
    });
    assert.match((await relay.output(/app +(.*)/))[1] ?? "", /^Mine$/);
    relay.signal("SIGTERM");
    await relay.ended;
    assert.match(
      await Deno.readTextFile(join(dataDir, "secrets.toml")),
      /^(#.*\n)*\nidentity_secret = "\w+"\n$/,
    );
  }));

Deno.test("two relays that start --init at once use the same secrets", () =>
  withProject(async ({ start, dataDir }) => {
    const relays = [1, 2].map(() => start("serve", ["--init", "--port=0"]));
    await Promise.all(relays.map((relay) => relay.output(listens)));
    for (const relay of relays) relay.signal("SIGTERM");
    const ends = await Promise.all(relays.map((relay) => relay.ended));
    const made = ends.flatMap(({ stdout }) => stdout.match(/Made \w+/g) ?? []);
    assert.deepEqual(made.sort(), ["Made identity_secret", "Made jwt_secret", "Made originator"]);
    assert.match(await Deno.readTextFile(join(dataDir, "secrets.toml")), /jwt_secret/);
  }));

Deno.test("serve refuses unknown names in the environment under its permission set", () =>
  withProject(async ({ start }) => {
    const { code, stderr } = await start("serve", ["--init"], { AUTH_AI_PROT: "1", OTHER: "1" }).ended;
    assert.equal(code, 2);
    assert.equal(
      stderr,
      "error  AUTH_AI_PROT in the environment is not a setting. Did you mean AUTH_AI_PORT?\n",
    );
  }));

Deno.test("serve names the port when it is taken, and ends with 1", () =>
  withProject(async ({ start }) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr;
    const { code, stderr } = await start("serve", ["--init", `--port=${port}`]).ended;
    assert.equal(code, 1);
    assert.equal(
      stderr,
      `error  The relay cannot listen on 127.0.0.1, port ${port}: another program uses this port. ` +
        "Stop it, or choose another port.\n",
    );
  }));

Deno.test("serve explains a data directory that its permissions do not cover", () =>
  withProject(async ({ start }) => {
    const { code, stderr } = await start("serve", ["--init", "--data-dir=/elsewhere"]).ended;
    assert.equal(code, 2);
    assert.match(stderr, /\/elsewhere\/secrets\.toml cannot be read: .* add --allow-read/);
    assert.doesNotMatch(stderr, stackTrace);
  }));

Deno.test("serve explains a data directory that is a file", () =>
  withProject(async ({ start, dataDir }) => {
    await Deno.writeTextFile(dataDir, "");
    const { code, stderr } = await start("serve", ["--init"]).ended;
    assert.notEqual(code, 0);
    assert.match(stderr, /^error {2}.*(directory|cannot be)/);
    assert.doesNotMatch(stderr, stackTrace);
  }));

Deno.test("init makes secrets once, keeps them, and replaces them only with --force", () =>
  withProject(async ({ start, dataDir }) => {
    const path = join(dataDir, "secrets.toml");
    const first = await start("serve", ["init"]).ended;
    assert.equal(first.code, 0, first.stderr);
    const made = await Deno.readTextFile(path);

    const again = await start("serve", ["init"]).ended;
    assert.equal(again.code, 0);
    assert.match(again.stdout, /^Nothing is missing\./);
    assert.equal(await Deno.readTextFile(path), made);

    const forced = await start("serve", ["init", "--force"]).ended;
    assert.equal(forced.code, 0);
    assert.deepEqual(forced.stdout.match(/^Replaced \w+/gm), [
      "Replaced jwt_secret",
      "Replaced identity_secret",
      "Replaced the",
    ]);
    const replaced = await Deno.readTextFile(path);
    const secretsOf = (text: string) => [...text.matchAll(/[0-9a-f]{64}/g)].map(([secret]) => secret);
    assert.equal(new Set([...secretsOf(made), ...secretsOf(replaced)]).size, 4);
    assert.doesNotMatch(replaced, /originator/);
  }));

Deno.test("serve names both ways on when it has its secrets and nobody could use it", () =>
  withProject(async ({ start, dataDir }) => {
    await start("serve", ["init"]).ended;
    await Deno.remove(join(dataDir, "relay_token"));
    const { code, stderr } = await start("serve", ["--port=0"]).ended;
    assert.equal(code, 2);
    assert.equal(
      stderr,
      "error  Nobody could use this relay: it has neither a relay token nor an app's name.\n" +
        "hint   For your own tools: `authai-relay init`, then `authai-relay login`. For an app's users: " +
        "`authai-relay serve --init`, with the app's name in AUTH_AI_ORIGINATOR.\n",
    );
  }));

Deno.test("serve runs the personal half alone after init, and --init adds no app to it", () =>
  withProject(async ({ start, dataDir }) => {
    await start("serve", ["init"]).ended;
    const token = (await Deno.readTextFile(join(dataDir, "relay_token"))).trim();
    const relay = start("serve", ["--init", "--port=0"]);
    const [, origin] = await relay.output(listens);
    assert.deepEqual(await (await fetch(`${origin}/readyz`)).json(), { ok: true });
    for (const path of ["/auth/providers", "/sign-in"]) {
      const response = await fetch(origin + path);
      assert.equal(response.status, 404, path);
      assert.equal((await response.json()).error.code, "not_found");
    }
    const status = (bearer: string) =>
      fetch(`${origin}/v1/relay/status`, { headers: { authorization: `Bearer ${bearer}` } });
    for (const [bearer, expected] of [[token, 200], [`${token}x`, 401]] as const) {
      const response = await status(bearer);
      assert.equal(response.status, expected, await response.text());
    }

    const rotated = await start("serve", ["token", "rotate", "--grace-seconds=0", "--json"]).ended;
    for (const [bearer, expected] of [[JSON.parse(rotated.stdout).token, 200], [token, 401]] as const) {
      const response = await status(bearer);
      assert.equal(response.status, expected, await response.text());
    }
    relay.signal("SIGTERM");
    const { code, stdout, stderr } = await relay.ended;
    assert.equal(code, 0, stderr);
    assert.match(stdout, /personal +data\/relay_token \([0-9a-f]{12}\)\n/);
    assert.match(stdout, /first sign in with `authai-relay login`\./);
    assert.doesNotMatch(stdout, /^ +app /m);
    assert.ok(!`${stdout}${stderr}`.includes(token));
  }));

Deno.test("serve refuses a token file that is named and missing, and an open relay beyond loopback", () =>
  withProject(async ({ start, dataDir }) => {
    await start("serve", ["init"]).ended;
    const missing = await start("serve", ["--bearer-token-file=data/elsewhere"]).ended;
    assert.deepEqual([missing.code, missing.stderr], [
      2,
      "error  data/elsewhere does not exist, and the settings name it as the token file.\n" +
      "hint   authai-relay init\n",
    ]);
    const open = await start("serve", ["--no-auth", "--host=0.0.0.0"]).ended;
    assert.equal(open.code, 2);
    assert.match(
      open.stderr,
      /^error {2}--no-auth on the command line opens the relay .*allow_remote_no_auth/,
    );
    assert.equal(await exists(join(dataDir, "relay.db")), false);
  }));

Deno.test("serve reads the environment of AIRelays under its permission set", () =>
  withProject(async ({ start }) => {
    const env = {
      AIRELAYS_BEARER_TOKEN: "token-of-the-environment",
      AIRELAY_HOST: "localhost",
      OPENAI_ENDPOINT_PORT: "0",
      AIRELAYS_CLAUDE_BIN: "claude",
    };
    await start("serve", ["init"], env).ended;
    const relay = start("serve", [], env);
    const [, origin] = await relay.output(listens);
    const response = await fetch(`${origin}/v1/relay/status`, {
      headers: { authorization: `Bearer ${env.AIRELAYS_BEARER_TOKEN}` },
    });
    assert.equal(response.status, 200, await response.text());
    relay.signal("SIGTERM");
    const { stdout, stderr } = await relay.ended;
    assert.match(stdout, /personal +AIRELAYS_BEARER_TOKEN in the environment/);
    assert.match(stderr, /^warning {2}AIRELAYS_CLAUDE_BIN in the environment has no effect: /);
    const typo = await start("serve", [], { ...env, AIRELAYS_PROT: "1" }).ended;
    assert.match(
      typo.stderr,
      /\nerror {2}AIRELAYS_PROT in the environment is not a setting\. Did you mean AIRELAYS_PORT\?\n$/,
    );
  }));

Deno.test("help ends well when its reader has left", () =>
  withProject(async ({ dir }) => {
    const script = '"$0" run -q --no-check -P=serve src/main.ts help | true; exit "${PIPESTATUS[0]}"';
    const { code, stderr } = await new Deno.Command("bash", {
      args: ["-c", script, Deno.execPath()],
      cwd: dir,
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  }));
