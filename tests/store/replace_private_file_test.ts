import assert from "node:assert/strict";
import { join } from "node:path";
import { lockPrivateFile, replacePrivateFile } from "../../src/store/replace_private_file.ts";

async function withDir(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function modeOf(path: string): Promise<number> {
  return ((await Deno.stat(path)).mode ?? 0) & 0o777;
}

Deno.test("replacePrivateFile() leaves a new file that only its owner may read, whatever was there", () =>
  withDir(async (dir) => {
    const path = join(dir, "secret");
    await Deno.writeTextFile(path, "older", { mode: 0o644 });
    await replacePrivateFile(path, "newer");
    assert.equal(await Deno.readTextFile(path), "newer");
    assert.equal(await modeOf(path), 0o600);
  }));

Deno.test("replacePrivateFile() does not touch the file that a reader has open", () =>
  withDir(async (dir) => {
    const path = join(dir, "secret");
    await replacePrivateFile(path, "the older text, longer than the newer");
    using reader = await Deno.open(path);
    await replacePrivateFile(path, "newer");
    assert.equal(
      await new Response(reader.readable).text(),
      "the older text, longer than the newer",
    );
  }));

Deno.test("replacePrivateFile() follows no link that lies beside the file", () =>
  withDir(async (dir) => {
    const path = join(dir, "secret");
    await Deno.writeTextFile(join(dir, "public"), "unharmed", { mode: 0o644 });
    await Deno.symlink(join(dir, "public"), `${path}.new`);
    await replacePrivateFile(path, "newer");
    assert.equal(await Deno.readTextFile(join(dir, "public")), "unharmed");
    assert.equal((await Deno.lstat(path)).isSymlink, false);
    assert.deepEqual((await Array.fromAsync(Deno.readDir(dir), ({ name }) => name)).sort(), [
      "public",
      "secret",
    ]);
  }));

Deno.test("lockPrivateFile() makes the folder for its owner and lets one holder in at a time", () =>
  withDir(async (dir) => {
    const path = join(dir, "deep", "secret.lock");
    const order: string[] = [];
    const first = await lockPrivateFile(path);
    const second = lockPrivateFile(path).then((lock) => {
      order.push("second");
      lock[Symbol.dispose]();
    });
    // As long as taking a free lock takes: had the first not counted, the second would be through.
    (await lockPrivateFile(join(dir, "deep", "other.lock")))[Symbol.dispose]();
    order.push("first");
    first[Symbol.dispose]();
    await second;
    assert.deepEqual(order, ["first", "second"]);
    assert.equal(await modeOf(join(dir, "deep")), 0o700);
    assert.equal(await modeOf(path), 0o600);
  }));
