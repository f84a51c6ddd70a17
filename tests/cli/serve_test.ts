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
      "error  AUTH_AI_ORIGINATOR, AUTH_AI_JWT_SECRET, AUTH_AI_IDENTITY_SECRET are not set, and the relay needs them.\n" +
        "hint   `authai-relay init` makes what is missing in the data directory; `serve --init` does that and starts.\n",
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
      "Made originator in data/secrets.toml",
      "Made jwt_secret in data/secrets.toml",
      "Made identity_secret in data/secrets.toml",
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
    ]);
    const replaced = await Deno.readTextFile(path);
    const secretsOf = (text: string) => [...text.matchAll(/[0-9a-f]{64}/g)].map(([secret]) => secret);
    assert.equal(new Set([...secretsOf(made), ...secretsOf(replaced)]).size, 4);
    assert.match(replaced, /originator = "authai-relay"/);
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
