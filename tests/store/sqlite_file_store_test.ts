import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openSqliteFileStore } from "../../src/store/sqlite_file_store.ts";
import { openSqliteRecordStore } from "../../src/store/sqlite_record_store.ts";
import { fileStoreContract } from "../contract/file_store_contract.ts";

fileStoreContract("a SQLite file", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "relay.db");
  const store = await openSqliteFileStore({ path });
  return {
    store,
    reopen: () => openSqliteFileStore({ path }),
    async cleanup() {
      await store.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}, { persists: true });

fileStoreContract("SQLite in memory", async () => {
  const store = await openSqliteFileStore({ path: ":memory:" });
  return { store, cleanup: () => store.close() };
}, { persists: false });

Deno.test("openSqliteFileStore() upgrades a file that was written before there were files", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "relay.db");
    const records = await openSqliteRecordStore({ path });
    const record = {
      id: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
      iv: new Uint8Array(12),
      blob: new Uint8Array(64),
      accountIdHash: "account",
      createdAtMs: 1,
      updatedAtMs: 1,
      expiresAtMs: 1_000,
    };
    await records.insert(record);
    await records.close();
    const old = new DatabaseSync(path);
    old.exec("DROP TABLE file; DROP TABLE file_chunk; PRAGMA user_version = 1");
    old.close();

    const files = await openSqliteFileStore({ path });
    assert.deepEqual(await files.usage(0), { files: 0, bytes: 0 });
    await files.close();
    const again = await openSqliteRecordStore({ path });
    assert.deepEqual(await again.get(record.id, 1), { ...record, version: 1 });
    await again.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("delete() overwrites the bytes that it removes", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "relay.db");
    const store = await openSqliteFileStore({ path });
    const sealed = crypto.getRandomValues(new Uint8Array(60_000));
    await store.begin({ id: "file-1", ownerId: "ada", quotaId: "ada", nowMs: 1, leaseUntilMs: 100 }, 1);
    await store.append("file-1", { position: 0, sealed, bytes: 1 }, {
      maxTotalBytes: 10,
      nowMs: 1,
      leaseUntilMs: 100,
    });
    await store.complete("file-1", { sealedHead: Uint8Array.of(1), expiresAtMs: undefined }, 2);
    const trace = sealed.subarray(30_000, 30_032);
    const holdsTrace = async () => contains(await Deno.readFile(path), trace);
    await checkpoint(path);
    assert.equal(await holdsTrace(), true, "the test looks in the right place");
    await store.delete("ada", "file-1");
    await checkpoint(path);
    assert.equal(await holdsTrace(), false);
    await store.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("what a killed process left of an upload is free after its lease, and purge() removes it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "relay.db");
    const module = new URL("../../src/store/sqlite_file_store.ts", import.meta.url);
    const program = `import { openSqliteFileStore } from ${JSON.stringify(module.href)};
      const store = await openSqliteFileStore({ path: ${JSON.stringify(path)} });
      await store.begin({ id: "file-1", ownerId: "ada", quotaId: "ada", nowMs: 1, leaseUntilMs: 100 }, 1);
      for (let position = 0;; position++) {
        const chunk = { position, sealed: new Uint8Array(60_000), bytes: 60_000 };
        await store.append("file-1", chunk, { maxTotalBytes: 1e9, nowMs: 1, leaseUntilMs: 100 });
        if (position === 5) console.log("in the middle");
        if (position > 5) await new Promise(() => setInterval(() => {}, 1_000));
      }`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", "--no-lock", "--ext=ts", "-"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const input = child.stdin.getWriter();
    await input.write(new TextEncoder().encode(program));
    await input.close();
    const output = child.stdout.getReader();
    assert.equal(new TextDecoder().decode((await output.read()).value), "in the middle\n");
    child.kill("SIGKILL");
    await child.status;
    await output.cancel();

    const store = await openSqliteFileStore({ path });
    assert.ok((await store.usage(99)).bytes >= 6 * 60_000);
    assert.deepEqual(await store.usage(100), { files: 0, bytes: 0 });
    while (await store.purge(100)) continue;
    await store.close();
    using database = new DatabaseSync(path);
    const count = "SELECT (SELECT count(*) FROM file) + (SELECT count(*) FROM file_chunk) AS rows";
    assert.equal(database.prepare(count).get()?.["rows"], 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Moves what is in the log into the database file, and empties the log. */
function checkpoint(path: string): Promise<void> {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  return Promise.resolve();
}

function contains(bytes: Uint8Array, part: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes).includes(new TextDecoder("latin1").decode(part));
}
