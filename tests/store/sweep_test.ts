import assert from "node:assert/strict";
import { relayOwnerId } from "../../src/store/file_store.ts";
import { openSqliteFileStore } from "../../src/store/sqlite_file_store.ts";
import { openSqliteRecordStore } from "../../src/store/sqlite_record_store.ts";
import type { RecordStore } from "../../src/store/record_store.ts";
import { startSweep } from "../../src/store/sweep.ts";

const nowMs = 1_790_000_000_000;

const noFiles = {
  owners: () => Promise.resolve([]),
  deleteOwner: () => Promise.resolve(),
  purge: () => Promise.resolve(false),
};

Deno.test("startSweep() works off a backlog batch by batch, then waits for the interval", async () => {
  const records = await openSqliteRecordStore({ path: ":memory:" });
  for (let index = 0; index < 450; index++) await insert(records, index, nowMs);
  await insert(records, 450, nowMs + 1);
  const clock = manualSchedule();
  const sweep = startSweep({ records, files: noFiles }, {
    intervalMs: 300_000,
    now: () => nowMs,
    onError: fail,
    schedule: clock.schedule,
  });
  assert.equal(await clock.fire(), 0, "the first batch comes at once");
  assert.equal(await clock.fire(), 0, "a full batch is followed by the next at once");
  assert.equal(await clock.fire(), 0);
  assert.equal(clock.nextDelayMs(), 300_000, "a batch that was not full ends the sweep");
  assert.equal(await records.sweepExpired(nowMs, 1_000), 0, "every expired record is gone");
  assert.notEqual(await records.get(id(450), nowMs), undefined, "the others are not");
  await sweep.stop();
  await records.close();
});

Deno.test("startSweep() sweeps by the time of each round", async () => {
  const records = await openSqliteRecordStore({ path: ":memory:" });
  await insert(records, 1, nowMs + 1_000);
  let time = nowMs;
  const clock = manualSchedule();
  const sweep = startSweep({ records, files: noFiles }, {
    intervalMs: 1_000,
    now: () => time,
    onError: fail,
    schedule: clock.schedule,
  });
  await clock.fire();
  assert.notEqual(await records.get(id(1), nowMs), undefined);
  time += 1_000;
  await clock.fire();
  assert.equal(await records.get(id(1), nowMs), undefined);
  await sweep.stop();
  await records.close();
});

Deno.test("startSweep() tells of a failure and goes on after the interval", async () => {
  const records = await openSqliteRecordStore({ path: ":memory:" });
  await records.close();
  const errors: unknown[] = [];
  const clock = manualSchedule();
  const sweep = startSweep({ records, files: noFiles }, {
    intervalMs: 1_000,
    now: () => nowMs,
    onError: (error) => errors.push(error),
    schedule: clock.schedule,
  });
  await clock.fire();
  assert.equal(await clock.fire(), 1_000);
  assert.equal(errors.length, 2);
  assert.ok(errors[0] instanceof Error);
  await sweep.stop();
});

Deno.test("stop() cancels the next round and waits for the batch in progress", async () => {
  const records = await openSqliteRecordStore({ path: ":memory:" });
  const batch = Promise.withResolvers<number>();
  const clock = manualSchedule();
  const sweep = startSweep({ records: { ...records, sweepExpired: () => batch.promise }, files: noFiles }, {
    intervalMs: 1_000,
    now: () => nowMs,
    onError: fail,
    schedule: clock.schedule,
  });
  const fired = clock.fire();
  let stopped = false;
  const stopping = sweep.stop().then(() => stopped = true);
  await fired;
  assert.equal(stopped, false);
  batch.resolve(0);
  await stopping;
  assert.equal(clock.nextDelayMs(), undefined, "nothing is scheduled any more");
  await sweep.stop();
  await records.close();
});

Deno.test("stop() cancels a first round that has not begun", async () => {
  const records = await openSqliteRecordStore({ path: ":memory:" });
  const clock = manualSchedule();
  const sweep = startSweep({ records, files: noFiles }, {
    intervalMs: 1_000,
    now: () => nowMs,
    onError: fail,
    schedule: clock.schedule,
  });
  assert.equal(clock.nextDelayMs(), 0);
  await sweep.stop();
  assert.equal(clock.nextDelayMs(), undefined);
  await records.close();
});

Deno.test("startSweep() removes the files of records that are gone, and what dead uploads left", async () => {
  const records = await openSqliteRecordStore({ path: ":memory:" });
  const files = await openSqliteFileStore({ path: ":memory:" });
  await insert(records, 1, nowMs + 1_000);
  await insert(records, 2, nowMs);
  for (const [index, ownerId] of [id(1), id(2), id(3), relayOwnerId].entries()) {
    const file = `file-${index}`;
    await files.begin({ id: file, ownerId, quotaId: "ada", nowMs, leaseUntilMs: nowMs + 1 }, 9);
    await files.append(file, { position: 0, sealed: new Uint8Array(50), bytes: 1 }, {
      maxTotalBytes: 100,
      nowMs,
      leaseUntilMs: nowMs + 1,
    });
    await files.complete(file, { sealedHead: new Uint8Array(8), expiresAtMs: undefined }, nowMs);
  }
  // What a process leaves that dies in the middle of an upload.
  await files.begin({ id: "file-9", ownerId: id(1), quotaId: "ada", nowMs: 1, leaseUntilMs: nowMs }, 9);
  await files.append("file-9", { position: 0, sealed: new Uint8Array(50), bytes: 1 }, {
    maxTotalBytes: 100,
    nowMs: 1,
    leaseUntilMs: nowMs,
  });

  const clock = manualSchedule();
  const sweep = startSweep({ records, files }, {
    intervalMs: 1_000,
    now: () => nowMs,
    onError: fail,
    schedule: clock.schedule,
  });
  while (clock.nextDelayMs() === 0) await clock.fire();
  await sweep.stop();

  assert.deepEqual(await files.owners("", 9), [id(1), relayOwnerId]);
  const chunks = await Promise.all([0, 1, 2, 3, 9].map((index) => files.readChunk(`file-${index}`, 0)));
  assert.deepEqual(chunks.map((chunk) => chunk !== undefined), [true, false, false, true, false]);
  await records.close();
  await files.close();
});

Deno.test("startSweep() does not keep a process alive", async () => {
  const module = new URL("../../src/store/sweep.ts", import.meta.url);
  const program = `import { startSweep } from ${JSON.stringify(module.href)};
    startSweep({ records: { sweepExpired: () => Promise.resolve(0) }, files: {
        owners: () => Promise.resolve([]), purge: () => Promise.resolve(false) } },
      { intervalMs: 3_600_000, now: Date.now, onError: console.error });`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", "--no-lock", "--ext=ts", "-"],
    stdin: "piped",
    // Only so that a process that does stay alive fails this test instead of stopping the run.
    signal: AbortSignal.timeout(30_000),
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(program));
  await input.close();
  assert.equal((await child.status).code, 0);
});

/** A schedule that runs when the test says so. */
function manualSchedule() {
  let next: { readonly run: () => void; readonly delayMs: number } | undefined;
  return {
    schedule(run: () => void, delayMs: number): () => void {
      const entry = { run, delayMs };
      next = entry;
      return () => {
        if (next === entry) next = undefined;
      };
    },
    nextDelayMs: () => next?.delayMs,
    /** Runs what is scheduled, lets it settle, and returns the delay that it was scheduled with. */
    async fire(): Promise<number> {
      assert.ok(next, "Something must be scheduled.");
      const { run, delayMs } = next;
      next = undefined;
      run();
      // A macrotask runs after everything that the stores here resolve at once.
      await new Promise((resolve) => setTimeout(resolve, 0));
      return delayMs;
    },
  };
}

function id(index: number): string {
  return `01ARZ3NDEKTSV4RRFFQ69G${String(index).padStart(4, "0")}`;
}

function insert(records: RecordStore, index: number, expiresAtMs: number): Promise<void> {
  return records.insert({
    id: id(index),
    iv: new Uint8Array(12),
    blob: new Uint8Array(64),
    accountIdHash: "account",
    createdAtMs: nowMs - 1,
    updatedAtMs: nowMs - 1,
    expiresAtMs,
  });
}

function fail(error: unknown): void {
  assert.fail(String(error));
}
