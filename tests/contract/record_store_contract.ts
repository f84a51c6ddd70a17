/**
 * What every {@linkcode RecordStore} has to do, as one suite that each driver's test registers.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { NewSealedRecord, RecordStore, SealedRecordUpdate } from "../../src/store/record_store.ts";

/** A store under test, empty when it is handed over. */
export interface RecordStoreSubject {
  readonly store: RecordStore;
  /** Opens the same records once more, as another process would; undefined where they end with the store. */
  readonly reopen?: () => Promise<RecordStore>;
  /** Closes `store` and removes what is left. */
  readonly cleanup: () => Promise<void>;
}

const createdAtMs = 1_790_000_000_000;
const expiresAtMs = createdAtMs + 30 * 24 * 60 * 60_000;

/** Registers the suite for the driver called `name`. */
export function recordStoreContract(
  name: string,
  open: () => Promise<RecordStoreSubject>,
  options: { readonly persists: boolean },
): void {
  function test(what: string, run: (subject: RecordStoreSubject) => Promise<void>): void {
    Deno.test(`${what} (${name})`, async () => {
      const subject = await open();
      try {
        await run(subject);
      } finally {
        await subject.cleanup();
      }
    });
  }

  test("get() returns what insert() stored, with version 1", async ({ store }) => {
    const record = newRecord(1);
    await store.insert(record);
    assert.deepEqual(await store.get(record.id, createdAtMs), { ...record, version: 1 });
  });

  test("get() returns every byte of a ciphertext, and large ones", async ({ store }) => {
    const blob = Uint8Array.from({ length: 200_000 }, (_, index) => index % 256);
    await store.insert(newRecord(1, { blob }));
    assert.deepEqual((await store.get(newRecord(1).id, createdAtMs))?.blob, blob);
  });

  test("get() resolves to undefined when the id is unknown", async ({ store }) => {
    await store.insert(newRecord(1));
    for (
      const id of [
        newRecord(2).id,
        "",
        newRecord(1).id.toLowerCase(),
        `${newRecord(1).id} `,
        "' OR 1 = 1 --",
        "%",
      ]
    ) {
      assert.equal(await store.get(id, createdAtMs), undefined, id);
    }
  });

  test("get() hides a record from the millisecond of its expiry on, before any sweep", async ({ store }) => {
    const { id } = newRecord(1);
    await store.insert(newRecord(1));
    assert.notEqual(await store.get(id, expiresAtMs - 1), undefined);
    assert.equal(await store.get(id, expiresAtMs), undefined);
  });

  test("insert() rejects when the id exists, and leaves the first record", async ({ store }) => {
    await store.insert(newRecord(1));
    const second = newRecord(1, { blob: new Uint8Array(40).fill(0xee), accountIdHash: "somebody-else" });
    await assert.rejects(store.insert(second), Error);
    assert.deepEqual(await store.get(second.id, createdAtMs), { ...newRecord(1), version: 1 });
  });

  test("insert() keeps several records of one account apart", async ({ store }) => {
    await store.insert(newRecord(1, { accountIdHash: "same" }));
    await store.insert(newRecord(2, { accountIdHash: "same" }));
    await store.delete(newRecord(1).id);
    assert.equal((await store.get(newRecord(2).id, createdAtMs))?.accountIdHash, "same");
  });

  test("update() replaces ciphertext and times, adds 1 to the version and leaves the rest", async ({ store }) => {
    const record = newRecord(1);
    await store.insert(record);
    assert.equal(await store.update(record.id, 1, newUpdate(7)), "updated");
    assert.deepEqual(await store.get(record.id, createdAtMs), { ...record, ...newUpdate(7), version: 2 });
    assert.equal(await store.update(record.id, 2, newUpdate(8)), "updated");
    assert.deepEqual(await store.get(record.id, createdAtMs), { ...record, ...newUpdate(8), version: 3 });
  });

  test("update() resolves to conflict and changes nothing when the version is another", async ({ store }) => {
    const { id } = newRecord(1);
    await store.insert(newRecord(1));
    await store.update(id, 1, newUpdate(7));
    const before = await store.get(id, createdAtMs);
    for (const version of [0, 1, 3]) assert.equal(await store.update(id, version, newUpdate(9)), "conflict");
    assert.deepEqual(await store.get(id, createdAtMs), before);
  });

  test("update() resolves to missing when the record is gone, and does not bring it back", async ({ store }) => {
    const { id } = newRecord(1);
    assert.equal(await store.update(id, 1, newUpdate(7)), "missing");
    await store.insert(newRecord(1));
    await store.delete(id);
    assert.equal(await store.update(id, 1, newUpdate(7)), "missing");
    assert.equal(await store.get(id, createdAtMs), undefined);
  });

  test("update() succeeds exactly once when many expect the same version", async ({ store }) => {
    const { id } = newRecord(1);
    await store.insert(newRecord(1));
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => store.update(id, 1, newUpdate(index))),
    );
    assert.equal(outcomes.filter((outcome) => outcome === "updated").length, 1);
    assert.equal(outcomes.filter((outcome) => outcome === "conflict").length, 19);
    const winner = await store.get(id, createdAtMs);
    assert.equal(winner?.version, 2);
    assert.deepEqual(winner.blob, newUpdate(outcomes.indexOf("updated")).blob);
  });

  test("delete() resolves to true once, then to false", async ({ store }) => {
    const { id } = newRecord(1);
    await store.insert(newRecord(1));
    await store.insert(newRecord(2));
    assert.equal(await store.delete(id), true);
    assert.equal(await store.get(id, createdAtMs), undefined);
    assert.equal(await store.delete(id), false);
    assert.notEqual(await store.get(newRecord(2).id, createdAtMs), undefined);
  });

  test("sweepExpired() removes exactly the records that have expired", async ({ store }) => {
    await store.insert(newRecord(1, { expiresAtMs: expiresAtMs - 1 }));
    await store.insert(newRecord(2, { expiresAtMs }));
    await store.insert(newRecord(3, { expiresAtMs: expiresAtMs + 1 }));
    assert.equal(await store.sweepExpired(expiresAtMs, 10), 2);
    assert.equal(await store.sweepExpired(expiresAtMs, 10), 0);
    // Seen from a time before all expiries, so that only the removal can hide a record.
    assert.equal(await store.get(newRecord(1).id, createdAtMs), undefined);
    assert.equal(await store.get(newRecord(2).id, createdAtMs), undefined);
    assert.notEqual(await store.get(newRecord(3).id, createdAtMs), undefined);
  });

  test("sweepExpired() removes at most as many as the limit", async ({ store }) => {
    for (let index = 0; index < 7; index++) await store.insert(newRecord(index));
    const removed = [];
    for (let round = 0; round < 4; round++) removed.push(await store.sweepExpired(expiresAtMs, 3));
    assert.deepEqual(removed, [3, 3, 1, 0]);
  });

  test("sweepExpired() leaves a record whose life an update has extended", async ({ store }) => {
    const { id } = newRecord(1);
    await store.insert(newRecord(1, { expiresAtMs: createdAtMs + 1 }));
    await store.update(id, 1, newUpdate(7));
    assert.equal(await store.sweepExpired(createdAtMs + 1, 10), 0);
    assert.notEqual(await store.get(id, createdAtMs + 1), undefined);
  });

  test("a stored record does not change with the arrays that went in or came out", async ({ store }) => {
    const record = newRecord(1);
    const { id, iv, blob } = record;
    const original = newRecord(1);
    await store.insert(record);
    iv.fill(0);
    blob.fill(0);
    const first = await store.get(id, createdAtMs);
    first?.blob.fill(0);
    assert.deepEqual(await store.get(id, createdAtMs), { ...original, version: 1 });
  });

  test("ping() resolves while the store is open", async ({ store }) => {
    await store.ping();
  });

  test("close() may be called twice, and every other method rejects afterwards", async ({ store }) => {
    await store.insert(newRecord(1));
    await store.close();
    await store.close();
    const { id } = newRecord(1);
    await assert.rejects(store.insert(newRecord(2)));
    await assert.rejects(store.get(id, createdAtMs));
    await assert.rejects(store.update(id, 1, newUpdate(7)));
    await assert.rejects(store.delete(id));
    await assert.rejects(store.sweepExpired(createdAtMs, 1));
    await assert.rejects(store.ping());
  });

  if (!options.persists) return;

  function testTwo(what: string, run: (one: RecordStore, two: RecordStore) => Promise<void>): void {
    test(what, async ({ store, reopen }) => {
      assert.ok(reopen, "A driver that persists must be able to reopen.");
      const other = await reopen();
      try {
        await run(store, other);
      } finally {
        await other.close();
      }
    });
  }

  test("a reopened store has every record, update and deletion", async ({ store, reopen }) => {
    assert.ok(reopen, "A driver that persists must be able to reopen.");
    for (const index of [1, 2, 3]) await store.insert(newRecord(index));
    await store.update(newRecord(2).id, 1, newUpdate(7));
    await store.delete(newRecord(3).id);
    await store.close();
    const again = await reopen();
    try {
      assert.deepEqual(await again.get(newRecord(1).id, createdAtMs), { ...newRecord(1), version: 1 });
      assert.deepEqual(await again.get(newRecord(2).id, createdAtMs), {
        ...newRecord(2),
        ...newUpdate(7),
        version: 2,
      });
      assert.equal(await again.get(newRecord(3).id, createdAtMs), undefined);
    } finally {
      await again.close();
    }
  });

  testTwo("two stores on the same records see each other's writes at once", async (one, two) => {
    const { id } = newRecord(1);
    await one.insert(newRecord(1));
    assert.equal((await two.get(id, createdAtMs))?.version, 1);
    assert.equal(await two.update(id, 1, newUpdate(7)), "updated");
    assert.equal((await one.get(id, createdAtMs))?.version, 2);
    assert.equal(await one.update(id, 1, newUpdate(8)), "conflict");
    assert.equal(await one.delete(id), true);
    assert.equal(await two.update(id, 2, newUpdate(9)), "missing");
    assert.equal(await two.get(id, createdAtMs), undefined);
  });

  testTwo("update() succeeds exactly once when two stores expect the same version", async (one, two) => {
    const { id } = newRecord(1);
    await one.insert(newRecord(1));
    for (let version = 1; version <= 20; version++) {
      const outcomes = await Promise.all(
        [one, two].map((store) => store.update(id, version, newUpdate(version))),
      );
      assert.deepEqual(outcomes.toSorted(), ["conflict", "updated"]);
    }
  });
}

function newRecord(index: number, change: Partial<NewSealedRecord> = {}): NewSealedRecord {
  return {
    id: `01ARZ3NDEKTSV4RRFFQ69G${String(index).padStart(4, "0")}`,
    iv: new Uint8Array(12).fill(index + 1),
    blob: Uint8Array.from({ length: 100 }, (_, offset) => (offset * 31 + index) % 256),
    accountIdHash: `account-${index}`,
    createdAtMs,
    updatedAtMs: createdAtMs + 1,
    expiresAtMs,
    ...change,
  };
}

function newUpdate(seed: number): SealedRecordUpdate {
  return {
    iv: new Uint8Array(12).fill(200 + seed),
    blob: new Uint8Array(50 + seed).fill(100 + seed),
    updatedAtMs: createdAtMs + 1_000 + seed,
    expiresAtMs: expiresAtMs + 2_000 + seed,
  };
}
