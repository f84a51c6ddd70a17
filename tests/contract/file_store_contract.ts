/**
 * What every {@linkcode FileStore} has to do, as one suite that each driver's test registers.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type FileStore, maxSealedChunkBytes } from "../../src/store/file_store.ts";

/** A store under test, empty when it is handed over. */
export interface FileStoreSubject {
  readonly store: FileStore;
  /** Opens the same files once more, as another process would; undefined where they end with the store. */
  readonly reopen?: () => Promise<FileStore>;
  /** Closes `store` and removes what is left. */
  readonly cleanup: () => Promise<void>;
}

const nowMs = 1_790_000_000_000;
const leaseUntilMs = nowMs + 60_000;

/** Registers the suite for the driver called `name`. */
export function fileStoreContract(
  name: string,
  open: () => Promise<FileStoreSubject>,
  options: { readonly persists: boolean },
): void {
  function test(what: string, run: (subject: FileStoreSubject) => Promise<void>): void {
    Deno.test(`${what} (${name})`, async () => {
      const subject = await open();
      try {
        await run(subject);
      } finally {
        await subject.cleanup();
      }
    });
  }

  test("complete() makes an upload a file with its head, times and chunks", async ({ store }) => {
    await begin(store, "file-1");
    assert.equal(await append(store, "file-1", 0, 10), "appended");
    assert.equal(await append(store, "file-1", 1, 20), "appended");
    assert.equal(await store.get("ada", "file-1", nowMs), undefined, "an upload is no file");
    assert.deepEqual(await ids(store, "ada"), []);
    const sealedHead = Uint8Array.of(1, 2, 3);
    assert.equal(await store.complete("file-1", { sealedHead, expiresAtMs: undefined }, nowMs), "completed");
    assert.deepEqual(await store.get("ada", "file-1", nowMs), {
      id: "file-1",
      sealedHead,
      createdAtMs: nowMs,
      expiresAtMs: undefined,
    });
    assert.deepEqual(await store.readChunk("file-1", 0), chunk(0));
    assert.deepEqual(await store.readChunk("file-1", 1), chunk(1));
    assert.equal(await store.readChunk("file-1", 2), undefined);
    assert.deepEqual(await store.usage(nowMs), { files: 1, bytes: 30 });
  });

  test("append() takes a chunk of the largest size, and none above", async ({ store }) => {
    await begin(store, "file-1");
    const largest = crypto.getRandomValues(new Uint8Array(maxSealedChunkBytes));
    const limits = { maxTotalBytes: 1e9, nowMs, leaseUntilMs };
    await store.append("file-1", { position: 0, sealed: largest, bytes: 1 }, limits);
    assert.deepEqual(await store.readChunk("file-1", 0), largest);
    const above = new Uint8Array(maxSealedChunkBytes + 1);
    await assert.rejects(
      store.append("file-1", { position: 1, sealed: above, bytes: 1 }, limits),
      RangeError,
    );
  });

  test("append() fills the allowance to its last byte and ends the upload that has one more", async ({ store }) => {
    await file(store, "file-1", 60);
    await begin(store, "file-2");
    assert.equal(await append(store, "file-2", 0, 40, 100), "appended");
    await begin(store, "file-3");
    assert.equal(await append(store, "file-3", 0, 1, 100), "over_quota");
    assert.equal(await append(store, "file-3", 1, 0, 100), "gone", "it has ended");
    assert.equal(await complete(store, "file-3"), "gone");
    assert.equal(await complete(store, "file-2"), "completed");
    assert.deepEqual(await store.usage(nowMs), { files: 2, bytes: 100 });
  });

  test("append() frees what an upload over the allowance held, for those that still run", async ({ store }) => {
    await begin(store, "file-1");
    await begin(store, "file-2");
    assert.equal(await append(store, "file-1", 0, 50, 100), "appended");
    assert.equal(await append(store, "file-2", 0, 50, 100), "appended");
    assert.equal(await append(store, "file-1", 1, 50, 100), "over_quota");
    assert.equal(await append(store, "file-2", 1, 50, 100), "appended");
  });

  test("append() counts each allowance alone, and the files of all its owners together", async ({ store }) => {
    await begin(store, "file-1", "ada-phone", "ada");
    await begin(store, "file-2", "ada-laptop", "ada");
    await begin(store, "file-3", "bob-phone", "bob");
    assert.equal(await append(store, "file-1", 0, 60, 100), "appended");
    assert.equal(await append(store, "file-3", 0, 60, 100), "appended");
    assert.equal(await append(store, "file-2", 0, 60, 100), "over_quota");
  });

  test("begin() refuses the file that is one too many, and counts uploads", async ({ store }) => {
    await file(store, "file-1", 1);
    await begin(store, "file-2");
    const third = { id: "file-3", ownerId: "ada", quotaId: "ada", nowMs, leaseUntilMs };
    assert.equal(await store.begin(third, 2), "full");
    await store.discard("file-2");
    assert.equal(await store.begin(third, 2), "begun");
  });

  test("an upload whose lease has ended counts no more and cannot go on", async ({ store }) => {
    await begin(store, "file-1");
    assert.equal(await append(store, "file-1", 0, 90, 100), "appended");
    await begin(store, "file-2");
    const later = { maxTotalBytes: 100, nowMs: leaseUntilMs, leaseUntilMs: leaseUntilMs + 1 };
    const next = { position: 1, sealed: chunk(1), bytes: 1 };
    assert.equal(await store.append("file-1", next, { ...later, nowMs: leaseUntilMs - 1 }), "appended");
    assert.equal(
      await store.append("file-1", { ...next, position: 2 }, later),
      "appended",
      "a chunk prolongs it",
    );
    assert.equal(
      await store.append("file-1", { ...next, position: 3 }, { ...later, nowMs: leaseUntilMs + 1 }),
      "gone",
    );
    assert.equal(
      await store.complete("file-1", { sealedHead: chunk(0), expiresAtMs: undefined }, leaseUntilMs + 1),
      "gone",
    );
    assert.deepEqual(await store.usage(leaseUntilMs + 1), { files: 0, bytes: 0 });
  });

  test("discard() removes an upload with its bytes, and leaves files alone", async ({ store }) => {
    await file(store, "file-1", 10);
    await begin(store, "file-2");
    for (let position = 0; position < 100; position++) await append(store, "file-2", position, 1);
    await store.discard("file-2");
    await store.discard("file-1");
    await store.discard("file-3");
    for (let position = 0; position < 100; position++) {
      assert.equal(await store.readChunk("file-2", position), undefined);
    }
    assert.deepEqual(await ids(store, "ada"), ["file-1"]);
    assert.deepEqual(await store.readChunk("file-1", 0), chunk(0));
    assert.equal(await store.purge(Number.MAX_SAFE_INTEGER), false, "nothing is left to remove");
  });

  test("get(), list() and delete() see the files of their owner only", async ({ store }) => {
    await file(store, "file-1", 1, "ada");
    await file(store, "file-2", 1, "bob");
    assert.equal(await store.get("bob", "file-1", nowMs), undefined);
    assert.deepEqual(await ids(store, "bob"), ["file-2"]);
    assert.equal(await store.delete("bob", "file-1"), false);
    assert.equal(await store.delete("ada", "file-9"), false);
    assert.notEqual(await store.get("ada", "file-1", nowMs), undefined);
  });

  test("delete() resolves to true once, with the bytes gone and the allowance free", async ({ store }) => {
    await begin(store, "file-1");
    for (let position = 0; position < 100; position++) await append(store, "file-1", position, 1, 100);
    await complete(store, "file-1");
    assert.equal(await store.delete("ada", "file-1"), true);
    assert.equal(await store.delete("ada", "file-1"), false);
    assert.equal(await store.get("ada", "file-1", nowMs), undefined);
    for (let position = 0; position < 100; position++) {
      assert.equal(await store.readChunk("file-1", position), undefined);
    }
    await begin(store, "file-2");
    assert.equal(await append(store, "file-2", 0, 100, 100), "appended");
  });

  test("list() pages in both orders, also behind an id that is gone", async ({ store }) => {
    for (const index of [3, 1, 5, 2, 4]) await file(store, `file-${index}`, 1);
    const list = async (order: "asc" | "desc", after: string | undefined, limit: number) =>
      (await store.list("ada", { nowMs, order, after, limit })).map(({ id }) => id);
    assert.deepEqual(await list("asc", undefined, 2), ["file-1", "file-2"]);
    assert.deepEqual(await list("asc", "file-2", 2), ["file-3", "file-4"]);
    assert.deepEqual(await list("asc", "file-5", 2), []);
    assert.deepEqual(await list("desc", undefined, 3), ["file-5", "file-4", "file-3"]);
    await store.delete("ada", "file-3");
    assert.deepEqual(await list("desc", "file-3", 3), ["file-2", "file-1"]);
    assert.deepEqual(await list("asc", "file-3", 3), ["file-4", "file-5"]);
  });

  test("a file hides from the millisecond of its expiry on, and purge() removes it", async ({ store }) => {
    await begin(store, "file-1");
    await append(store, "file-1", 0, 5);
    await store.complete("file-1", { sealedHead: chunk(9), expiresAtMs: nowMs + 1_000 }, nowMs);
    assert.equal((await store.get("ada", "file-1", nowMs + 999))?.expiresAtMs, nowMs + 1_000);
    assert.equal(await store.get("ada", "file-1", nowMs + 1_000), undefined);
    assert.deepEqual(
      await store.list("ada", { nowMs: nowMs + 1_000, order: "asc", after: undefined, limit: 9 }),
      [],
    );
    assert.deepEqual(await store.usage(nowMs + 1_000), { files: 0, bytes: 0 });
    assert.equal(await store.purge(nowMs + 999), false);
    assert.notEqual(await store.readChunk("file-1", 0), undefined);
    while (await store.purge(nowMs + 1_000)) continue;
    assert.equal(await store.readChunk("file-1", 0), undefined);
    assert.equal(await store.get("ada", "file-1", nowMs), undefined);
  });

  test("purge() removes what a dead process left of an upload", async ({ store }) => {
    await begin(store, "file-1");
    for (let position = 0; position < 100; position++) await append(store, "file-1", position, 1);
    assert.equal(await store.purge(leaseUntilMs - 1), false, "the upload may still run");
    while (await store.purge(leaseUntilMs)) continue;
    for (let position = 0; position < 100; position++) {
      assert.equal(await store.readChunk("file-1", position), undefined);
    }
    assert.deepEqual(await store.owners("", 10), []);
  });

  test("owners() names each owner once, in pages; deleteOwner() removes files and uploads", async ({ store }) => {
    await file(store, "file-1", 1, "ada");
    await file(store, "file-2", 1, "ada");
    await begin(store, "file-3", "ada");
    await file(store, "file-4", 1, "bob");
    await file(store, "file-5", 1, "eve");
    assert.deepEqual(await store.owners("", 2), ["ada", "bob"]);
    assert.deepEqual(await store.owners("bob", 2), ["eve"]);
    await store.deleteOwner("ada");
    await store.deleteOwner("nobody");
    assert.deepEqual(await store.owners("", 9), ["bob", "eve"]);
    assert.equal(await append(store, "file-3", 0, 1), "gone");
    assert.equal(await store.readChunk("file-1", 0), undefined);
    assert.deepEqual(await store.usage(nowMs), { files: 2, bytes: 2 });
  });

  test("close() may be called twice, and every other method rejects afterwards", async ({ store }) => {
    await file(store, "file-1", 1);
    await store.ping();
    await store.close();
    await store.close();
    await assert.rejects(store.ping());
    await assert.rejects(begin(store, "file-2"));
    await assert.rejects(append(store, "file-1", 1, 1));
    await assert.rejects(complete(store, "file-1"));
    await assert.rejects(store.discard("file-1"));
    await assert.rejects(store.get("ada", "file-1", nowMs));
    await assert.rejects(ids(store, "ada"));
    await assert.rejects(store.readChunk("file-1", 0));
    await assert.rejects(store.delete("ada", "file-1"));
    await assert.rejects(store.deleteOwner("ada"));
    await assert.rejects(store.owners("", 1));
    await assert.rejects(store.purge(nowMs));
    await assert.rejects(store.usage(nowMs));
  });

  if (!options.persists) return;

  test("a reopened store has every file and deletion", async ({ store, reopen }) => {
    assert.ok(reopen, "A driver that persists must be able to reopen.");
    await file(store, "file-1", 7);
    await file(store, "file-2", 1);
    await store.delete("ada", "file-2");
    await store.close();
    const again = await reopen();
    try {
      assert.deepEqual(await ids(again, "ada"), ["file-1"]);
      assert.deepEqual(await again.readChunk("file-1", 0), chunk(0));
    } finally {
      await again.close();
    }
  });

  test("two stores on the same files share one allowance", async ({ store, reopen }) => {
    assert.ok(reopen, "A driver that persists must be able to reopen.");
    const other = await reopen();
    try {
      await begin(store, "file-1");
      await begin(other, "file-2");
      assert.equal(await append(store, "file-1", 0, 60, 100), "appended");
      assert.equal(await append(other, "file-2", 0, 60, 100), "over_quota");
      assert.equal(await complete(other, "file-1"), "completed");
      assert.deepEqual(await ids(store, "ada"), ["file-1"]);
    } finally {
      await other.close();
    }
  });
}

function begin(store: FileStore, id: string, ownerId = "ada", quotaId = ownerId): Promise<"begun" | "full"> {
  return store.begin({ id, ownerId, quotaId, nowMs, leaseUntilMs }, 1_000);
}

function append(
  store: FileStore,
  id: string,
  position: number,
  bytes: number,
  maxTotalBytes = 1e9,
): Promise<string> {
  return store.append(id, { position, sealed: chunk(position), bytes }, {
    maxTotalBytes,
    nowMs,
    leaseUntilMs,
  });
}

function complete(store: FileStore, id: string): Promise<string> {
  return store.complete(id, { sealedHead: Uint8Array.of(9), expiresAtMs: undefined }, nowMs);
}

async function file(store: FileStore, id: string, bytes: number, ownerId = "ada"): Promise<void> {
  await begin(store, id, ownerId);
  await append(store, id, 0, bytes);
  assert.equal(await complete(store, id), "completed");
}

async function ids(store: FileStore, ownerId: string): Promise<string[]> {
  const files = await store.list(ownerId, { nowMs, order: "asc", after: undefined, limit: 1_000 });
  return files.map(({ id }) => id);
}

function chunk(position: number): Uint8Array {
  return new Uint8Array(100).fill(position + 1);
}
