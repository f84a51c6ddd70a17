import assert from "node:assert/strict";
import { join } from "node:path";
import { openLogFiles } from "../../src/traffic/log_files.ts";
import { numbered, openLogBench, parseLines, startMs, systemError } from "./log_bench.ts";

const file = "2026/11/22-09.jsonl";

/** A file system of 64 KiB in memory; undefined where the system does not let us mount one. */
async function smallDisk(): Promise<AsyncDisposable & { readonly path: string } | undefined> {
  const path = await Deno.makeTempDir();
  const mounted = await run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path);
  if (!mounted) {
    await Deno.remove(path);
    return undefined;
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      await run("umount", path);
      await Deno.remove(path);
    },
  };
}

async function run(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}

Deno.test("openTrafficLog() warns once of a disk that is really full, and goes on when there is room", async (test) => {
  await using disk = await smallDisk();
  await test.step({
    name: "on a small file system",
    ignore: disk === undefined, // Only root may mount one.
    async fn() {
      assert.ok(disk !== undefined);
      await using bench = await openLogBench({ at: disk.path });
      bench.log.observe(numbered(-1));
      await bench.log.flush();
      // A page is left, so that the write that fails is a part of one.
      const filler = join(disk.path, "filler");
      await Deno.writeFile(filler, new Uint8Array(64 * 1024)).catch(() => {});
      let observed = 0;
      for (let batch = 0; batch < 5; batch++) {
        for (let count = 0; count < 100; count++) bench.log.observe(numbered(observed++));
        await bench.log.flush();
      }
      assert.equal(bench.warnings.length, 1);
      assert.match(bench.warnings[0] ?? "", /the disk is full/);

      await Deno.remove(filler);
      bench.log.observe(numbered(observed));
      await bench.log.flush();
      const lines = (await bench.text(file)).split("\n").filter((line) => line !== "");
      // The line in whose middle the disk was full stands for itself.
      const whole = lines.filter((line) => line.endsWith("}"));
      assert.ok(lines.length - whole.length <= 1);
      const [gap, last] = parseLines(whole.slice(-2).join("\n"));
      assert.ok(Number(gap?.["lost"]) > 0 && Number(gap?.["lost"]) <= observed);
      assert.equal(last?.["lost"], observed);
      assert.equal(bench.warnings.length, 1);
    },
  });
});

Deno.test("openTrafficLog() warns once an hour, without paths, of a file system that refuses", async () => {
  let error: Error | undefined = systemError("ENOSPC");
  await using bench = await openLogBench({
    filesIn(dir) {
      const files = openLogFiles(dir);
      return {
        ...files,
        append: (...args) => error === undefined ? files.append(...args) : Promise.reject(error),
      };
    },
  });
  const tick = async (number: number) => {
    bench.log.observe(numbered(number));
    await bench.log.flush();
  };
  for (let number = 1; number <= 10; number++) await tick(number);
  assert.deepEqual(bench.warnings, [
    "The traffic log cannot be written: the disk is full. " +
    "Requests are answered as usual; lines are missing from the log until this is mended.",
  ]);
  error = undefined;
  await tick(11);
  // 10 lines are missing, and the file says so where they are.
  assert.deepEqual((await bench.lines(file)).map(({ lost }) => lost), [10, 11]);
  error = systemError("EROFS");
  await tick(12);
  assert.equal(bench.warnings.length, 1);
  bench.clock.nowMs = startMs + 60 * 60_000;
  await tick(13);
  assert.equal(bench.warnings.length, 2);
  assert.match(bench.warnings[1] ?? "", /the file system refuses \(EROFS\)/);
});

Deno.test("openTrafficLog() survives a folder that cannot be made, and a warning that throws", async () => {
  const parent = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(parent, "logs"), "A file where the folder should be.");
    let warned = 0;
    await using bench = await openLogBench({
      at: parent,
      warn() {
        warned++;
        throw new Error("The terminal is gone.");
      },
    });
    bench.log.observe(numbered(1));
    await bench.log.flush();
    bench.log.observe(numbered(2));
    bench.log.flushSync();
    assert.equal(warned, 1);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});
