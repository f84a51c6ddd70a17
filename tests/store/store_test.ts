import assert from "node:assert/strict";
import { join } from "node:path";
import { openStore } from "../../src/store/store.ts";

const nowMs = Date.now();
const record = {
  id: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
  iv: new Uint8Array(12),
  blob: new Uint8Array(64),
  accountIdHash: "account",
  createdAtMs: nowMs,
  updatedAtMs: nowMs,
  expiresAtMs: nowMs + 60_000,
};

testInFolder("openStore() makes the data directory at mode 0700 and both files in it", async (folder) => {
  const dataDir = join(folder, "new", "data");
  const store = await openStore({ dataDir });
  await store.ping();
  await store.close();
  assert.equal(((await Deno.stat(dataDir)).mode ?? 0) & 0o777, 0o700);
  assert.deepEqual(await names(dataDir), ["relay.db", "shared.kv"]);
});

testInFolder(
  "openStore() finds again what was stored, and leaves the mode of an existing directory",
  async (folder) => {
    await Deno.chmod(folder, 0o750);
    const options = { dataDir: folder, databasePath: "records.sqlite", kvPath: join(folder, "elsewhere.kv") };
    const first = await openStore(options);
    await first.records.insert(record);
    await first.shared.createPollSession("a", new Uint8Array(8), nowMs + 60_000, { maxOpen: 1, nowMs });
    await first.close();
    const second = await openStore(options);
    assert.deepEqual(await second.records.get(record.id, nowMs), { ...record, version: 1 });
    assert.notEqual(await second.shared.getPollSession("a", nowMs), undefined);
    await second.close();
    assert.deepEqual(await names(folder), ["elsewhere.kv", "records.sqlite"]);
    assert.equal(((await Deno.stat(folder)).mode ?? 0) & 0o777, 0o750);
  },
);

testInFolder("openStore() touches no file when both stores are in memory", async (folder) => {
  const dataDir = join(folder, "data");
  const store = await openStore({ dataDir, databasePath: ":memory:", kvPath: ":memory:" });
  await store.records.insert(record);
  await store.close();
  assert.deepEqual(await names(folder), []);
});

testInFolder("openStore() leaves nothing open when the second store cannot be opened", async (folder) => {
  await Deno.writeTextFile(
    join(folder, "shared.kv"),
    "not a database, by any reading of the word\n".repeat(200),
  );
  // The test fails by itself if a file of the first store were left open: its log would still be there.
  await assert.rejects(openStore({ dataDir: folder }), /is not a database/);
  assert.deepEqual(await names(folder), ["relay.db", "shared.kv"]);
});

testInFolder("openStore() refuses one file for both stores", async (folder) => {
  for (const kvPath of ["relay.db", "./x/../relay.db", join(folder, "relay.db")]) {
    await assert.rejects(openStore({ dataDir: folder, kvPath }), /cannot be one file/);
  }
  assert.deepEqual(await names(folder), []);
});

testInFolder("openStore() explains a data directory that cannot be made", async (folder) => {
  await Deno.writeTextFile(join(folder, "file"), "");
  await assert.rejects(
    openStore({ dataDir: join(folder, "file", "data") }),
    /The data directory ".*" cannot be created\. Check the path and its owner\./,
  );
});

testInFolder("close() may be called twice, and ping() rejects afterwards", async (folder) => {
  const store = await openStore({ dataDir: folder });
  await store.close();
  await store.close();
  await assert.rejects(store.ping());
  await assert.rejects(store.records.ping());
  await assert.rejects(store.shared.ping());
});

testInFolder("ping() rejects when a file was deleted, or another one is in its place", async (folder) => {
  for (const name of ["relay.db", "shared.kv"]) {
    const path = join(folder, name);
    const store = await openStore({ dataDir: folder });
    await store.ping();
    await Deno.rename(path, `${path}.old`);
    await assert.rejects(store.ping(), /is not the file that was opened\. Restart the relay\./);
    await Deno.writeTextFile(path, "");
    await assert.rejects(store.ping(), /is not the file that was opened/);
    await Deno.rename(`${path}.old`, path);
    await store.ping();
    await store.close();
  }
});

testInFolder("openStore() explains a database that can be opened and not be written", async (folder) => {
  // What stands in the way of the log does what a folder does in which nobody may write.
  await Deno.mkdir(join(folder, "relay.db-wal"));
  await assert.rejects(
    openStore({ dataDir: folder }),
    /relay\.db" cannot be written\. Check that its disk has room/,
  );
});

testInFolder("openStore() stays inside the data directory with narrow permissions", async (folder) => {
  const module = new URL("../../src/store/store.ts", import.meta.url);
  const dataDir = join(folder, "data");
  const program = join(folder, "program.ts");
  await Deno.writeTextFile(
    program,
    `import { openStore } from ${JSON.stringify(module.href)};
     const store = await openStore({ dataDir: ${JSON.stringify(dataDir)} });
     await store.ping();
     await store.close();
     console.log("done");`,
  );
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-config",
      "--no-lock",
      "--unstable-kv",
      `--allow-read=${dataDir}`,
      `--allow-write=${dataDir}`,
      program,
    ],
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "done\n");
});

async function names(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
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
