import assert from "node:assert/strict";
import { join } from "node:path";
import { openLogFiles } from "../../src/traffic/log_files.ts";
import type { TrafficEvent } from "../../src/traffic/observe.ts";
import { namesBelow, numbered, openLogBench, parseLines, startMs } from "./log_bench.ts";

const request: TrafficEvent = {
  kind: "request",
  requestId: "req_01JD8Z0000ABCDEFGHJKMNPQRS",
  method: "POST",
  route: "/v1/chat/completions",
  address: "192.0.2.7",
};

Deno.test("openTrafficLog() writes a line of JSON for an event, for its owner alone", async () => {
  await using bench = await openLogBench();
  bench.log.observe(request);
  await bench.log.flush();
  assert.equal(
    await bench.text("2026/11/22-09.jsonl"),
    '{"logged_at":"2026-11-22T09:59:59.000Z","kind":"request","request_id":"req_01JD8Z0000ABCDEFGHJKMNPQRS",' +
      '"method":"POST","route":"/v1/chat/completions","address":"192.0.2.7"}\n',
  );
  const modeOf = async (path: string) => ((await Deno.stat(join(bench.dir, path))).mode ?? 0) & 0o777;
  assert.equal(await modeOf("2026/11/22-09.jsonl"), 0o600);
  for (const folder of [".", "2026", "2026/11"]) assert.equal(await modeOf(folder), 0o700, folder);
});

Deno.test("openTrafficLog() touches nothing before the first event", async () => {
  await using bench = await openLogBench();
  await bench.log.flush();
  await assert.rejects(Deno.stat(bench.dir), Deno.errors.NotFound);
  assert.deepEqual(bench.clock.pendingMs, []);
});

Deno.test("openTrafficLog() writes each hour of a day into its own file", async () => {
  await using bench = await openLogBench();
  const times: number[] = [];
  for (let minute = 0; minute < 24 * 60; minute += 7) {
    bench.clock.nowMs = startMs + minute * 60_000;
    times.push(bench.clock.nowMs);
    bench.log.observe(numbered(minute));
    // Some batches are written by the hour, others lie across its end.
    if (minute % 3 === 0) await bench.log.flush();
  }
  await bench.log.close();
  const names = await namesBelow(bench.dir);
  assert.equal(names.length, 25);
  assert.equal(names[0], "2026/11/22-09.jsonl");
  assert.equal(names.at(-1), "2026/11/23-09.jsonl");
  const seen: number[] = [];
  for (const name of names) {
    for (const line of await bench.lines(name)) {
      const loggedAt = String(line["logged_at"]);
      assert.equal(
        `${loggedAt.slice(0, 4)}/${loggedAt.slice(5, 7)}/${loggedAt.slice(8, 10)}-${
          loggedAt.slice(11, 13)
        }.jsonl`,
        name,
      );
      seen.push(Date.parse(loggedAt));
    }
  }
  assert.deepEqual(seen, times);
});

Deno.test("openTrafficLog() hands a line to the system within a second", async () => {
  await using bench = await openLogBench();
  bench.log.observe(numbered(1));
  bench.clock.advance(300);
  bench.log.observe(numbered(2));
  const [first] = bench.clock.pendingMs;
  // The second line waits no longer for the first one's sake.
  assert.ok(first !== undefined && first + 300 <= 1000, `${first} ms`);
  bench.clock.advance(first);
  await bench.log.flush();
  assert.equal((await bench.lines("2026/11/22-09.jsonl")).length, 2);
});

Deno.test("openTrafficLog() writes what came while it was writing when its time has come", async () => {
  const gate = Promise.withResolvers<void>();
  const written: string[] = [];
  await using bench = await openLogBench({
    filesIn: (dir) => ({
      ...openLogFiles(dir),
      append: async (_name, lines) => {
        await gate.promise;
        written.push(new TextDecoder().decode(lines));
      },
    }),
  });
  bench.log.observe(numbered(1));
  bench.clock.advance(500);
  bench.log.observe(numbered(2));
  bench.clock.advance(500);
  gate.resolve();
  await bench.log.flush();
  assert.deepEqual(written.flatMap(parseLines).map(({ lost }) => lost), [1, 2]);
  bench.log.observe(numbered(3));
  assert.deepEqual(bench.clock.pendingMs[0], 500);
});

Deno.test("openTrafficLog() writes at once when much has come", async () => {
  const appended = Promise.withResolvers<void>();
  await using bench = await openLogBench({
    filesIn(dir) {
      const files = openLogFiles(dir);
      return { ...files, append: (...args) => files.append(...args).then(appended.resolve) };
    },
  });
  for (let count = 0; count < 4000; count++) bench.log.observe(request);
  // Nothing fires a timer, and nobody asks for it.
  await appended.promise;
  assert.ok((await bench.lines("2026/11/22-09.jsonl")).length > 1000);
});

Deno.test("openTrafficLog() holds a bounded amount while the disk hangs, and says how much is missing", async () => {
  const gate = Promise.withResolvers<void>();
  await using bench = await openLogBench({
    maxBytes: 100_000_000,
    filesIn: (dir) => {
      const files = openLogFiles(dir);
      return { ...files, append: (name, lines) => gate.promise.then(() => files.append(name, lines)) };
    },
  });
  const total = 120_000;
  for (let count = 0; count < total; count++) bench.log.observe(request);
  gate.resolve();
  await bench.log.flush();
  bench.log.observe(request);
  await bench.log.flush();
  const lines = await bench.lines("2026/11/22-09.jsonl");
  const lost = lines.find(({ kind }) => kind === "log_resumed")?.["lost"];
  assert.ok(typeof lost === "number" && lost > 0);
  assert.equal(lines.filter(({ kind }) => kind === "request").length, total + 1 - lost);
});

Deno.test("TrafficLog.close() writes what is left and leaves no timer", async () => {
  await using bench = await openLogBench();
  bench.log.observe(numbered(1));
  await bench.log.close();
  assert.equal((await bench.lines("2026/11/22-09.jsonl")).length, 1);
  bench.log.observe(numbered(2));
  assert.deepEqual(bench.clock.pendingMs, []);
  bench.log.flushSync();
  assert.deepEqual((await bench.lines("2026/11/22-09.jsonl")).map(({ lost }) => lost), [1, 2]);
});

Deno.test("TrafficLog.flushSync() writes what is held and what is on its way", async () => {
  const gate = Promise.withResolvers<void>();
  await using bench = await openLogBench({
    filesIn: (dir) => ({ ...openLogFiles(dir), append: () => gate.promise }),
  });
  bench.log.observe(numbered(1));
  const flushed = bench.log.flush();
  // The write has begun when the list of old files is there.
  while (bench.clock.pendingMs.length === 0) await new Promise((resolve) => setTimeout(resolve));
  bench.log.observe(numbered(2));
  bench.log.flushSync();
  assert.deepEqual((await bench.lines("2026/11/22-09.jsonl")).map(({ lost }) => lost), [1, 2]);
  gate.resolve();
  await flushed;
});
