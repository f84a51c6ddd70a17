import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openSqliteRecordStore } from "../../src/store/sqlite_record_store.ts";
import { recordStoreContract } from "../contract/record_store_contract.ts";
import { startStoreProcess, withStoreProcesses } from "./start_store_process.ts";

recordStoreContract("SQLite file", async () => {
  const folder = await Deno.makeTempDir();
  const open = () => openSqliteRecordStore({ path: join(folder, "relay.db") });
  const store = await open();
  return {
    store,
    reopen: open,
    cleanup: async () => {
      await store.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}, { persists: true });

recordStoreContract("SQLite in memory", async () => {
  const store = await openSqliteRecordStore({ path: ":memory:" });
  return { store, cleanup: () => store.close() };
}, { persists: false });

const id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

testInFolder("openSqliteRecordStore() keeps all its files at mode 0600", async (folder) => {
  const store = await openSqliteRecordStore({ path: join(folder, "relay.db") });
  await store.insert(record());
  const modes = fileModes(folder);
  await store.close();
  assert.deepEqual(modes, { "relay.db": 0o600, "relay.db-shm": 0o600, "relay.db-wal": 0o600 });
});

testInFolder("openSqliteRecordStore() leaves the mode of an existing file", async (folder) => {
  const path = join(folder, "relay.db");
  await (await openSqliteRecordStore({ path })).close();
  await Deno.chmod(path, 0o640);
  await (await openSqliteRecordStore({ path })).close();
  assert.deepEqual(fileModes(folder), { "relay.db": 0o640 });
});

testInFolder("openSqliteRecordStore() makes the documented table, in a write-ahead log", async (folder) => {
  const path = join(folder, "relay.db");
  await (await openSqliteRecordStore({ path })).close();
  using database = new DatabaseSync(path);
  const columns = database.prepare("SELECT name, type, pk FROM pragma_table_info('record')").all();
  assert.deepEqual(columns.map(({ name, type, pk }) => `${name} ${type}${pk === 1 ? " key" : ""}`), [
    "id TEXT key",
    "iv BLOB",
    "blob BLOB",
    "account_id_hash TEXT",
    "version INTEGER",
    "created_at_ms INTEGER",
    "updated_at_ms INTEGER",
    "expires_at_ms INTEGER",
  ]);
  assert.equal(database.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal");
  assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], 2);
  const plan = database.prepare(
    "EXPLAIN QUERY PLAN SELECT rowid FROM record WHERE expires_at_ms <= 1 LIMIT 1",
  ).get();
  assert.match(String(plan?.["detail"]), /USING COVERING INDEX record_expires_at_ms/);
});

testInFolder("delete() leaves nothing of the ciphertext in the file", async (folder) => {
  const path = join(folder, "relay.db");
  const canary = new TextEncoder().encode("canary-of-a-ciphertext");
  const store = await openSqliteRecordStore({ path });
  await store.insert(record({ blob: canary }));
  await store.insert(record({ id: "01ARZ3NDEKTSV4RRFFQ69G0002" }));
  await store.close();
  assert.ok(holds(path, canary), "the ciphertext is in the file before");
  const again = await openSqliteRecordStore({ path });
  await again.delete(id);
  await again.close();
  assert.equal(holds(path, canary), false);
});

testInFolder(
  "openSqliteRecordStore() refuses a newer schema and leaves the file as it is",
  async (folder) => {
    const path = join(folder, "relay.db");
    await (await openSqliteRecordStore({ path })).close();
    {
      using database = new DatabaseSync(path);
      database.exec("PRAGMA user_version = 99");
    }
    await refusedUntouched(path, /was written by a newer version of authai-relay \(schema 99; .* up to 2\)/);
  },
);

testInFolder(
  "openSqliteRecordStore() refuses another program's database and leaves it as it is",
  async (folder) => {
    for (
      const [name, statements] of [["plain.db", ""], ["versioned.db", "PRAGMA user_version = 1;"]] as const
    ) {
      const path = join(folder, name);
      {
        using database = new DatabaseSync(path);
        database.exec(`CREATE TABLE record (id TEXT); INSERT INTO record VALUES ('theirs'); ${statements}`);
      }
      await refusedUntouched(path, /is a SQLite database of another program/);
    }
  },
);

testInFolder(
  "openSqliteRecordStore() refuses a file that is no database and leaves it as it is",
  async (folder) => {
    const path = join(folder, "notes.txt");
    await Deno.writeTextFile(path, "A shopping list, and nothing that SQLite could read.\n".repeat(200));
    await refusedUntouched(path, /is not a database/);
  },
);

testInFolder("openSqliteRecordStore() refuses a damaged database and leaves it as it is", async (folder) => {
  const path = join(folder, "relay.db");
  await (await openSqliteRecordStore({ path })).close();
  const bytes = await Deno.readFile(path);
  // Behind the header of 100 bytes, which stays good, the first page says what tables there are.
  await Deno.writeFile(path, bytes.fill(0xa5, 100, 4096));
  await refusedUntouched(path, /is damaged/);
});

testInFolder(
  "openSqliteRecordStore() explains a folder that is missing, and a folder in place of the file",
  async (folder) => {
    for (const path of [join(folder, "missing", "relay.db"), folder]) {
      await assert.rejects(
        openSqliteRecordStore({ path }),
        /cannot be opened for writing\. Check that its folder exists/,
      );
    }
  },
);

Deno.test("openSqliteRecordStore() makes one schema when four processes open an empty file at once", async () => {
  await withStoreProcesses(4, async (folder, processes) => {
    for (let round = 0; round < 15; round++) {
      const path = join(folder, `relay-${round}.db`);
      const answers = await Promise.all(processes.map((process) => process.ask("openRecords", path)));
      assert.deepEqual(answers, ["done", "done", "done", "done"]);
    }
  });
});

Deno.test("update() loses no write of two processes", async () => {
  await withStoreProcesses(2, async (folder, processes) => {
    const path = join(folder, "relay.db");
    const store = await openSqliteRecordStore({ path });
    await store.insert(record({ blob: new TextEncoder().encode("0") }));
    const conflicts = await Promise.all(
      processes.map((process) => process.ask("incrementRecord", path, id, 300)),
    );
    const last = await store.get(id, 0);
    await store.close();
    assert.equal(new TextDecoder().decode(last?.blob), "600");
    assert.equal(last?.version, 601);
    assert.ok(conflicts.every((count) => typeof count === "number"));
  });
});

testInFolder("a record that insert() has stored survives kill -9", async (folder) => {
  const path = join(folder, "relay.db");
  const process = await startStoreProcess(folder);
  await process.ask("insertRecord", path, id);
  await process.kill();
  assert.ok((await Deno.stat(`${path}-wal`)).size > 0, "the process died with its log open");
  const store = await openSqliteRecordStore({ path });
  const found = await store.get(id, 0);
  await store.close();
  assert.equal(found?.version, 1);
});

async function refusedUntouched(path: string, sentence: RegExp): Promise<void> {
  const before = await Deno.readFile(path);
  await assert.rejects(openSqliteRecordStore({ path }), (error: unknown) => {
    assert.ok(error instanceof Error);
    assert.match(error.message, sentence);
    assert.ok(error.message.includes(path) && error.message.includes("It was left as it is."));
    return true;
  });
  assert.deepEqual(await Deno.readFile(path), before);
}

function record(change: { readonly id?: string; readonly blob?: Uint8Array } = {}) {
  return {
    id,
    iv: new Uint8Array(12),
    blob: new Uint8Array(64),
    accountIdHash: "account",
    createdAtMs: 1,
    updatedAtMs: 1,
    expiresAtMs: 4_000_000_000_000,
    ...change,
  };
}

function holds(path: string, bytes: Uint8Array): boolean {
  return Deno.readFileSync(path).toHex().includes(bytes.toHex());
}

function fileModes(folder: string): Record<string, number> {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
  return Object.fromEntries(
    names.map((name) => [name, (Deno.statSync(join(folder, name)).mode ?? 0) & 0o777]),
  );
}

function testInFolder(what: string, run: (folder: string) => Promise<void>): void {
  Deno.test(what, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await run(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
