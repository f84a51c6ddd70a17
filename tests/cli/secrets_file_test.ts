import assert from "node:assert/strict";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";
import { makeSecrets } from "../../src/cli/secrets_file.ts";

const all = ["jwt_secret", "identity_secret", "originator"];

async function withDir(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function read(dir: string): Promise<Record<string, unknown>> {
  return { ...parseToml(await Deno.readTextFile(join(dir, "secrets.toml"))) };
}

Deno.test("makeSecrets() makes what is missing, in a directory and a file that only the owner may read", () =>
  withDir(async (dir) => {
    const dataDir = join(dir, "deep", "data");
    const { made, path } = await makeSecrets(dataDir, all, { replace: false });
    assert.deepEqual(made, all);
    assert.equal(path, join(dataDir, "secrets.toml"));
    const values = await read(dataDir);
    assert.match(String(values["jwt_secret"]), /^[0-9a-f]{64}$/);
    assert.match(String(values["identity_secret"]), /^[0-9a-f]{64}$/);
    assert.notEqual(values["jwt_secret"], values["identity_secret"]);
    assert.equal(values["originator"], "authai-relay");
    assert.equal(((await Deno.stat(dataDir)).mode ?? 0) & 0o777, 0o700);
    for await (const { name } of Deno.readDir(dataDir)) {
      assert.equal(((await Deno.stat(join(dataDir, name))).mode ?? 0) & 0o777, 0o600, name);
    }
  }));

Deno.test("makeSecrets() keeps what is there and adds only what is asked for", () =>
  withDir(async (dir) => {
    await makeSecrets(dir, ["jwt_secret"], { replace: false });
    const first = await read(dir);
    assert.deepEqual(Object.keys(first), ["jwt_secret"]);
    const { made } = await makeSecrets(dir, all, { replace: false });
    assert.deepEqual(made, ["identity_secret", "originator"]);
    assert.equal((await read(dir))["jwt_secret"], first["jwt_secret"]);
    assert.deepEqual((await makeSecrets(dir, all, { replace: false })).made, []);
  }));

Deno.test("makeSecrets() replaces only the named secrets when it is told to", () =>
  withDir(async (dir) => {
    await makeSecrets(dir, all, { replace: false });
    const first = await read(dir);
    await makeSecrets(dir, ["jwt_secret"], { replace: true });
    const second = await read(dir);
    assert.notEqual(second["jwt_secret"], first["jwt_secret"]);
    assert.equal(second["identity_secret"], first["identity_secret"]);
    assert.equal(second["originator"], first["originator"]);
  }));

Deno.test("makeSecrets() is not stopped by what a killed run has left", () =>
  withDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "secrets.toml.new"), "half a secr", { mode: 0o644 });
    await makeSecrets(dir, all, { replace: false });
    assert.deepEqual(Object.keys(await read(dir)).sort(), [...all].sort());
    assert.equal(((await Deno.stat(join(dir, "secrets.toml"))).mode ?? 0) & 0o777, 0o600);
    await assert.rejects(Deno.stat(join(dir, "secrets.toml.new")), Deno.errors.NotFound);
  }));

Deno.test("makeSecrets() waits while another process holds the lock", () =>
  withDir(async (dir) => {
    const lock = await Deno.open(join(dir, "secrets.lock"), { create: true, write: true });
    await lock.lock(true);
    const making = makeSecrets(dir, all, { replace: false });
    // As long as one run takes: without the lock, the first would be through by now.
    await makeSecrets(join(dir, "elsewhere"), all, { replace: false });
    // Whoever holds the lock writes first; what it wrote is found, not overwritten.
    const theirs = 'jwt_secret = "theirs"\nidentity_secret = "theirs too"\noriginator = "they"\n';
    await Deno.writeTextFile(join(dir, "secrets.toml"), theirs, { mode: 0o600 });
    lock.close();
    assert.deepEqual((await making).made, []);
    assert.equal((await read(dir))["jwt_secret"], "theirs");
  }));

Deno.test("makeSecrets() of several processes at once leaves one set of secrets for all of them", () =>
  withDir(async (dir) => {
    const code = `
      import { makeSecrets } from ${
      JSON.stringify(new URL("../../src/cli/secrets_file.ts", import.meta.url).href)
    };
      await makeSecrets(${JSON.stringify(dir)}, ${JSON.stringify(all)}, { replace: false });
      console.log(await Deno.readTextFile(${JSON.stringify(join(dir, "secrets.toml"))}));`;
    const runs = await Promise.all(Array.from({ length: 4 }, () =>
      new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-prompt",
          "--config=deno.json",
          `--allow-read=${dir}`,
          `--allow-write=${dir}`,
          `data:text/typescript,${encodeURIComponent(code)}`,
        ],
        cwd: new URL("../..", import.meta.url),
      }).output()));
    const seen = runs.map(({ stdout, stderr }) =>
      new TextDecoder().decode(stdout) || new TextDecoder().decode(stderr)
    );
    assert.equal(new Set(seen).size, 1, seen.join("\n---\n"));
    assert.match(seen[0] ?? "", /jwt_secret = "[0-9a-f]{64}"/);
  }));
