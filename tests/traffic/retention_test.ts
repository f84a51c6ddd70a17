import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { hourMs, logFileName } from "../../src/traffic/log_files.ts";
import { filesToRemove } from "../../src/traffic/retention.ts";
import { namesBelow, numbered, openLogBench, startMs } from "./log_bench.ts";

const dayMs = 24 * hourMs;

function file(ageMs: number, bytes: number) {
  const startsAtMs = Math.floor((startMs - ageMs) / hourMs) * hourMs;
  return { name: logFileName(startsAtMs), startsAtMs, bytes };
}

Deno.test("filesToRemove() names the files whose days are over", () => {
  const nowMs = Date.UTC(2026, 10, 22, 10);
  const before = { name: "before", startsAtMs: nowMs - 14 * dayMs - hourMs, bytes: 1 };
  const at = { name: "at", startsAtMs: nowMs - 14 * dayMs, bytes: 1 };
  const removed = filesToRemove([before, at], nowMs, { retentionDays: 14, maxBytes: 1000 });
  assert.deepEqual(removed.map(({ name }) => name), ["before"]);
  assert.deepEqual(filesToRemove([before, at], nowMs, { retentionDays: 0, maxBytes: 1000 }), []);
});

Deno.test("filesToRemove() names the oldest files until the rest fits, and never the running hour's", () => {
  const files = [file(3 * hourMs, 40), file(2 * hourMs, 40), file(hourMs, 40), file(0, 40)];
  const named = (maxBytes: number) =>
    filesToRemove(files, startMs, { retentionDays: 14, maxBytes }).map(({ name }) => name);
  assert.deepEqual(named(160), []);
  assert.deepEqual(named(159), ["2026/11/22-06.jsonl"]);
  assert.deepEqual(named(80), ["2026/11/22-06.jsonl", "2026/11/22-07.jsonl"]);
  assert.deepEqual(named(0), ["2026/11/22-06.jsonl", "2026/11/22-07.jsonl", "2026/11/22-08.jsonl"]);
});

async function plant(dir: string, name: string, bytes: number): Promise<void> {
  await Deno.mkdir(dirname(join(dir, name)), { recursive: true });
  await Deno.writeFile(join(dir, name), new Uint8Array(bytes).fill(0x0a));
}

Deno.test("openTrafficLog() removes what is old, with its empty folders, and leaves what is not its own", async () => {
  await using bench = await openLogBench();
  const foreign = ["notes.txt", "2025/01/notes.txt", "2025/01/01-00.jsonl.gz", "archive/2025/01/01-00.jsonl"];
  for (const name of foreign) await plant(bench.dir, name, 10);
  for (
    const name of ["2024/02/29-23.jsonl", "2025/01/01-00.jsonl", "2026/11/08-08.jsonl", "2026/11/08-09.jsonl"]
  ) {
    await plant(bench.dir, name, 10);
  }
  const outside = join(dirname(bench.dir), "outside");
  await plant(outside, "01-00.jsonl", 10);
  await Deno.mkdir(join(bench.dir, "2023"));
  await Deno.symlink(outside, join(bench.dir, "2023", "01"));
  bench.log.observe(numbered(1));
  await bench.log.flush();
  const left = [...foreign, "2023/01", "2026/11/08-09.jsonl", "2026/11/22-09.jsonl"];
  assert.deepEqual(await namesBelow(bench.dir), left.sort());
  assert.deepEqual(await namesBelow(outside), ["01-00.jsonl"]);
  await assert.rejects(Deno.stat(join(bench.dir, "2024")), Deno.errors.NotFound);
});

Deno.test("openTrafficLog() keeps its files together under the size, also within an hour", async () => {
  await using bench = await openLogBench({ maxBytes: 5000 });
  await plant(bench.dir, "2026/11/21-00.jsonl", 1500);
  await plant(bench.dir, "2026/11/21-01.jsonl", 1500);
  const sizes: number[] = [];
  const sizeNow = async () => {
    const names = await namesBelow(bench.dir);
    const stats = await Promise.all(names.map((name) => Deno.stat(join(bench.dir, name))));
    return stats.reduce((sum, { size }) => sum + size, 0);
  };
  for (let number = 1; number <= 100; number++) {
    bench.log.observe(numbered(number));
    await bench.log.flush();
    sizes.push(await sizeNow());
  }
  assert.ok(Math.max(...sizes) <= 5000, `${Math.max(...sizes)} bytes`);
  assert.deepEqual(await namesBelow(bench.dir), ["2026/11/22-09.jsonl"]);
  assert.equal(bench.warnings.length, 1);
  assert.match(bench.warnings[0] ?? "", /has reached the size/);
  const written = (await bench.lines("2026/11/22-09.jsonl")).length;
  assert.ok(written > 50 && written < 100, `${written} lines`);
  // The next hour begins with what is missing, and the old hour goes for it.
  bench.clock.nowMs += hourMs;
  bench.log.observe(numbered(101));
  await bench.log.flush();
  const lost = (await bench.lines("2026/11/22-10.jsonl")).map((line) => line["lost"]);
  assert.deepEqual(lost, [100 - written, 101]);
  assert.deepEqual(await namesBelow(bench.dir), ["2026/11/22-10.jsonl"]);
});

Deno.test("openTrafficLog() removes old files of a relay that nobody uses", async () => {
  await using bench = await openLogBench({ retentionDays: 1 });
  bench.log.observe(numbered(1));
  await bench.log.flush();
  for (let hours = 0; hours < 25; hours++) {
    assert.deepEqual(await namesBelow(bench.dir), ["2026/11/22-09.jsonl"], `${hours} hours`);
    bench.clock.advance(hourMs);
    // The removal is under way; its next timer says that it is done.
    while (bench.clock.pendingMs.length === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  assert.deepEqual(await namesBelow(bench.dir), []);
});
