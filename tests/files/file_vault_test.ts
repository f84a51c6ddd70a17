import assert from "node:assert/strict";
import type { FileOwner } from "../../src/files/file_owner.ts";
import { createFileVault, type FileVault, type VaultFile } from "../../src/files/file_vault.ts";
import type { FileStore } from "../../src/store/file_store.ts";
import { openSqliteFileStore } from "../../src/store/sqlite_file_store.ts";

const owner: FileOwner = { ownerId: "ada", quotaId: "ada", key: new Uint8Array(32).fill(1) };
const limits = { maxUploadBytes: 1_000_000, maxTotalUploadBytes: 1_000_000 };
const nowMs = 1_790_000_000_000;

testVault("content() fails when a chunk is missing, moved, cut off or changed", async ({ vault, files }) => {
  const content = new Uint8Array(200_000).map((_, index) => index % 251);
  const file = await upload(vault, content);
  assert.deepEqual(await read(vault, file), content);
  assert.equal(file.chunks, 4);
  const chunkAt = async (position: number) => await files.readChunk(file.id, position) ?? new Uint8Array();
  const damaged: Record<string, FileStore["readChunk"]> = {
    missing: (_id, position) => position === 2 ? Promise.resolve(undefined) : chunkAt(position),
    moved: (_id, position) => chunkAt(position === 1 ? 2 : position === 2 ? 1 : position),
    changed: async (_id, position) => {
      const sealed = await chunkAt(position);
      sealed[100] = (sealed[100] ?? 0) ^ 1;
      return sealed;
    },
  };
  for (const [name, readChunk] of Object.entries(damaged)) {
    const broken = createFileVault({ files: { ...files, readChunk }, limits, now: () => nowMs });
    await assert.rejects(read(broken, file), /missing or damaged/, name);
  }
  // Whoever could write the head a shorter number still has no last chunk.
  await assert.rejects(read(vault, { ...file, chunks: 3 }), /missing or damaged/);
});

testVault("a file does not open with another key, and not as another file", async ({ vault, files }) => {
  const file = await upload(vault, new Uint8Array(10));
  const thief = { ...owner, key: new Uint8Array(32).fill(2) };
  await assert.rejects(vault.get(thief, file.id), /does not open with its owner's key/);
  await assert.rejects(read(vault, file, thief), /missing or damaged/);
  const other = await upload(vault, new Uint8Array(10));
  const swapped = createFileVault({
    files: { ...files, readChunk: (_id, position) => files.readChunk(other.id, position) },
    limits,
    now: () => nowMs,
  });
  await assert.rejects(read(swapped, file), /missing or damaged/);
});

testVault("list() finds the few of one purpose among hundreds", async ({ vault, clock }) => {
  for (let index = 0; index < 450; index++) {
    clock.nowMs += 1;
    await upload(vault, new Uint8Array(1), index % 200 === 0 ? "vision" : "user_data");
  }
  const query = { order: "asc", after: undefined, purpose: "vision" } as const;
  const all = await vault.list(owner, { ...query, limit: 3 });
  assert.deepEqual([all.files.length, all.hasMore], [3, false]);
  const first = await vault.list(owner, { ...query, limit: 2 });
  assert.deepEqual([first.files, first.hasMore], [all.files.slice(0, 2), true]);
  const rest = await vault.list(owner, { ...query, limit: 2, after: first.files[1]?.id });
  assert.deepEqual([rest.files, rest.hasMore], [all.files.slice(2), false]);
});

testVault(
  "an upload that stood still for longer than its lease cannot go on",
  async ({ vault, clock, files }) => {
    const begun = await vault.upload(owner);
    assert.ok(begun);
    await begun.write(new Uint8Array(100_000));
    clock.nowMs += 10 * 60_000;
    assert.equal(await begun.write(new Uint8Array(100_000)), "gone");
    await begun.discard();
    assert.deepEqual(await files.owners("", 9), []);
  },
);

function testVault(
  what: string,
  run: (rig: { vault: FileVault; files: FileStore; clock: { nowMs: number } }) => Promise<void>,
): void {
  Deno.test(what, async () => {
    const files = await openSqliteFileStore({ path: ":memory:" });
    const clock = { nowMs };
    await run({ vault: createFileVault({ files, limits, now: () => clock.nowMs }), files, clock });
    await files.close();
  });
}

async function upload(vault: FileVault, content: Uint8Array, purpose = "user_data"): Promise<VaultFile> {
  const begun = await vault.upload(owner);
  assert.ok(begun);
  assert.equal(await begun.write(content), "written");
  const file = await begun.complete({ filename: "a", purpose, lifetimeMs: undefined });
  assert.ok(typeof file === "object");
  return file;
}

async function read(vault: FileVault, file: VaultFile, as = owner): Promise<Uint8Array> {
  const chunks = await Array.fromAsync(vault.content(as, file));
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}
