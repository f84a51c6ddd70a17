import assert from "node:assert/strict";
import { join } from "node:path";
import { loadConfig } from "../src/config_load.ts";
import { config, identitySecret, jwtSecret, problems, required } from "./config_bench.ts";

Deno.test("loadConfig() refuses unknown names and guesses what was meant", async () => {
  const env = { ...required, AUTH_AI_PROT: "1", AUTH_AI_ELSE_ENTIRELY: "1" };
  const toml = "[server]\nhots = 'x'\n[nothing]\n[storage]\nurls.x = 1\n";
  assert.deepEqual(await problems({ env, toml }), [
    "AUTH_AI_ELSE_ENTIRELY in the environment is not a setting.",
    "AUTH_AI_PROT in the environment is not a setting. Did you mean AUTH_AI_PORT?",
    "server.hots in DATA/config.toml is not a setting. Did you mean server.host?",
    "nothing in DATA/config.toml is not a setting.",
    "storage.urls.x in DATA/config.toml is not a setting. Did you mean storage.url?",
  ]);
});

Deno.test("loadConfig() takes a table header whose lines are commented out", async () => {
  assert.equal((await config({ toml: "[server]\n# port = 1\n[upstream.xai]\n" })).server.port, 3000);
});

Deno.test("loadConfig() refuses secrets in config.toml, where no setting has that key", async () => {
  assert.deepEqual(await problems({ toml: `jwt_secret = "${jwtSecret}"\n` }), [
    "jwt_secret in DATA/config.toml is not a setting.",
  ]);
});

Deno.test("loadConfig() names file and line of broken TOML, and not its text", async () => {
  const [problem, ...more] = await problems({ toml: "originator = 'x'\n\nport = = canary\n" });
  assert.equal(problem, "DATA/config.toml, line 3, is not valid TOML: invalid value.");
  assert.deepEqual(more, []);
});

Deno.test("loadConfig() refuses a config file that was named and does not exist", async () => {
  const [problem] = await problems({ flags: { config: "/nowhere/relay.toml" } });
  assert.match(problem ?? "", /^\/nowhere\/relay\.toml does not exist\./);
});

Deno.test("loadConfig() refuses a config file that is a directory", async () => {
  const dir = await Deno.makeTempDir();
  const [problem] = await problems({ flags: { config: dir } });
  await Deno.remove(dir);
  assert.equal(problem, `${dir} cannot be read: it is a directory.`);
});

Deno.test("loadConfig() moves the data directory to where config.toml says, and reads the secrets there", async () => {
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(join(dir, "relay.toml"), `data_dir = "${dir}/moved"\noriginator = "App"\n`);
  await Deno.mkdir(join(dir, "moved"));
  await Deno.writeTextFile(
    join(dir, "moved", "secrets.toml"),
    `jwt_secret = "${jwtSecret}"\nidentity_secret = "${identitySecret}"\n`,
    { mode: 0o600 },
  );
  const outcome = await loadConfig({
    flags: { config: join(dir, "relay.toml") },
    environment: {},
    files: "read",
  });
  await Deno.remove(dir, { recursive: true });
  assert.equal(outcome.kind === "config" && outcome.config.storage.dataDir, `${dir}/moved`);
});

Deno.test("loadConfig() reads generated secrets, and explicit settings win over them", async () => {
  const secrets = `jwt_secret = "${
    "05".repeat(31)
  }ff"\nidentity_secret = "${identitySecret}"\noriginator = "made"\n`;
  const generated = await config({ env: {}, secrets });
  assert.equal(generated.jwtSecret, "05".repeat(31) + "ff");
  assert.equal(generated.originator, "made");
  const explicit = await config({
    env: { AUTH_AI_JWT_SECRET: jwtSecret },
    secrets,
    toml: "originator = 'mine'",
  });
  assert.equal(explicit.jwtSecret, jwtSecret);
  assert.equal(explicit.originator, "mine");
});

Deno.test("loadConfig() refuses a bad generated secret by its file", async () => {
  assert.deepEqual(await problems({ secrets: "jwt_secret = 'x'\nport = 1\n", env: {} }), [
    "port in DATA/secrets.toml is not a setting.",
    "jwt_secret in DATA/secrets.toml must consist of hexadecimal digits only.",
  ]);
});

for (const mode of [0o640, 0o604, 0o660]) {
  Deno.test(`loadConfig() refuses a secrets file of mode ${mode.toString(8)} and says how to close it`, async () => {
    const [problem] = await problems({ secrets: "", secretsMode: mode });
    assert.equal(
      problem,
      `DATA/secrets.toml holds secrets and is open to other users of this machine (mode ${
        mode.toString(8)
      }). ` +
        "Close it with: chmod 600 DATA/secrets.toml",
    );
  });
}

Deno.test("loadConfig() explains a config file that the permissions do not reach", async () => {
  const code = `
    import { loadConfig } from ${JSON.stringify(new URL("../src/config_load.ts", import.meta.url).href)};
    const flags = { config: "/etc/hostname" };
    const outcome = await loadConfig({ flags, environment: {}, files: "read" });
    console.log(outcome.problems[0]);`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--config=deno.json",
      "--allow-read=./data",
      `data:text/typescript,${encodeURIComponent(code)}`,
    ],
    cwd: new URL("..", import.meta.url),
  }).output();
  assert.equal(
    new TextDecoder().decode(stdout).trim(),
    "/etc/hostname cannot be read: the relay was started without the permission to. Put the file into the data " +
      "directory, or add --allow-read for it to the start command.",
    new TextDecoder().decode(stderr),
  );
});
