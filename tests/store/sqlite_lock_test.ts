/**
 * The lock of a foreign process: whoever meets it waits for it without holding up everything else.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openSqliteFileStore } from "../../src/store/sqlite_file_store.ts";
import { openSqliteRecordStore } from "../../src/store/sqlite_record_store.ts";

const times = { nowMs: 1, leaseUntilMs: 4_000_000_000_000 };
const upload = { id: "file-1", ownerId: "ada", quotaId: "ada", ...times };
const sealed = {
  iv: new Uint8Array(12),
  blob: new Uint8Array(64),
  updatedAtMs: 1,
  expiresAtMs: 4_000_000_000_000,
};

Deno.test("every write waits for a foreign lock between its attempts, and is then done once", async () => {
  await withForeignLock(async (path, lock) => {
    // Every pause but the first finds the lock released.
    const options = { path, random: () => 0, delay: () => Promise.resolve(lock.release()) };
    const records = await openSqliteRecordStore(options);
    const files = await openSqliteFileStore(options);
    const writes: [string, () => Promise<unknown>, unknown][] = [
      ["insert", () => records.insert({ id: "r", accountIdHash: "a", createdAtMs: 1, ...sealed }), undefined],
      ["update", () => records.update("r", 1, sealed), "updated"],
      ["sweepExpired", () => records.sweepExpired(0, 10), 0],
      ["delete", () => records.delete("r"), true],
      ["begin", () => files.begin(upload, 10), "begun"],
      [
        "append",
        () =>
          files.append("file-1", { position: 0, sealed: new Uint8Array(8), bytes: 8 }, {
            maxTotalBytes: 8,
            ...times,
          }),
        "appended",
      ],
      [
        "complete",
        () => files.complete("file-1", { sealedHead: new Uint8Array(8), expiresAtMs: undefined }, 1),
        "completed",
      ],
      ["discard", () => files.discard("file-1"), undefined],
      ["purge", () => files.purge(1), false],
      ["delete", () => files.delete("ada", "file-1"), true],
    ];
    for (const [name, write, outcome] of writes) {
      lock.take();
      assert.deepEqual(await write(), outcome, name);
      assert.equal(lock.released, true, `${name} did not wait`);
    }
    await Promise.all([records.close(), files.close()]);
  });
});

Deno.test("a write rejects after a bounded number of attempts when the foreign lock stays", async () => {
  await withForeignLock(async (path, lock) => {
    let pauses = 0;
    const delay = () => Promise.resolve(void pauses++);
    const store = await openSqliteRecordStore({ path, delay });
    lock.take();
    await assert.rejects(store.delete("r"), /stayed locked by other processes/);
    assert.equal(pauses, 23);
    await store.close();
  });
});

async function withForeignLock(
  run: (path: string, lock: { take(): void; release(): void; readonly released: boolean }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "relay.db");
  await (await openSqliteRecordStore({ path })).close();
  const foreign = new DatabaseSync(path);
  await run(path, {
    take: () => foreign.exec("BEGIN IMMEDIATE"),
    release: () => foreign.isTransaction ? foreign.exec("ROLLBACK") : undefined,
    get released() {
      return !foreign.isTransaction;
    },
  });
  foreign.close();
  await Deno.remove(folder, { recursive: true });
}
