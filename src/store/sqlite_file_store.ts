/**
 * {@linkcode FileStore} on one SQLite file, over a connection of its own.
 *
 * Each call is one short transaction that ends before it returns, so that this connection and that of the records never
 * wait for each other; one that meets the lock of another process is tried again later. Whatever is removed is first marked as expired, which makes it gone for everybody, and then loses
 * its chunks in small batches: overwriting 32 MiB in one statement would hold up every stream of the process.
 *
 * @module
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { type FileStore, maxSealedChunkBytes, type StoredFile } from "./file_store.ts";
import type { LockedRetryDependencies } from "./locked_retry.ts";
import { createSqliteRetry, openSqliteDatabase, type SqliteRetry } from "./sqlite_database.ts";

/** Chunks that one statement removes: at most 2 MiB. */
const purgeBatch = 32;

/** An expiry that has passed by any clock. */
const gone = 0;

/** Rows that count: files and uploads whose time has not passed. */
const alive = "(expires_at_ms IS NULL OR expires_at_ms > :now)";

/**
 * Opens the store: see `openSqliteDatabase`, also for what it rejects.
 *
 * @param options.path The file, or `:memory:` for files that end with this store.
 */
export async function openSqliteFileStore(
  options: { readonly path: string } & LockedRetryDependencies,
): Promise<FileStore> {
  return new SqliteFileStore(await openSqliteDatabase(options.path), createSqliteRetry(options));
}

class SqliteFileStore implements FileStore {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #unlessLocked: SqliteRetry;

  constructor(database: DatabaseSync, unlessLocked: SqliteRetry) {
    this.#database = database;
    this.#unlessLocked = unlessLocked;
    // Chunks need not outlive a power cut on their own: the synchronous write of `complete` takes them all to the disk,
    // because it is the same log. One wait for the disk per upload instead of some hundred.
    database.exec("PRAGMA synchronous = NORMAL");
    this.#statements = prepare(database);
  }

  begin: FileStore["begin"] = ({ id, ownerId, quotaId, nowMs, leaseUntilMs }, maxFiles) =>
    this.#transaction(() => {
      const { count } = this.#usedBy(quotaId, nowMs);
      if (count >= maxFiles) return "full";
      this.#statements.begin.run(id, ownerId, quotaId, nowMs, leaseUntilMs);
      return "begun";
    });

  append: FileStore["append"] = (id, { position, sealed, bytes }, { maxTotalBytes, nowMs, leaseUntilMs }) =>
    this.#transaction(() => {
      if (sealed.length > maxSealedChunkBytes) {
        throw new RangeError(`A sealed chunk must not be longer than ${maxSealedChunkBytes} bytes.`);
      }
      const quotaId = this.#statements.quotaOfUpload.get({ id, now: nowMs })?.["quota_id"];
      if (typeof quotaId !== "string") return "gone";
      if (this.#usedBy(quotaId, nowMs).bytes + bytes > maxTotalBytes) {
        this.#statements.endUpload.run(id);
        return "over_quota";
      }
      this.#statements.addChunk.run(id, position, sealed);
      this.#statements.grow.run(bytes, leaseUntilMs, id);
      return "appended";
    });

  complete: FileStore["complete"] = (id, { sealedHead, expiresAtMs }, nowMs) =>
    this.#durably(() => {
      const { changes } = this.#statements.complete.run({
        id,
        head: sealedHead,
        expires: expiresAtMs ?? null,
        now: nowMs,
      });
      return Number(changes) === 1 ? "completed" : "gone";
    });

  discard: FileStore["discard"] = async (id) => {
    const ended = await this.#transaction(() => Number(this.#statements.endUpload.run(id).changes));
    if (ended > 0) await this.#removeRow(id);
  };

  get: FileStore["get"] = (ownerId, id, nowMs) =>
    this.#unlessLocked(() => {
      const row = this.#statements.get.get({ owner: ownerId, id, now: nowMs });
      return row === undefined ? undefined : readRow(row);
    });

  list: FileStore["list"] = (ownerId, { nowMs, order, after, limit }) =>
    this.#unlessLocked(() => {
      const values = { owner: ownerId, now: nowMs, limit };
      const rows = order === "asc"
        ? this.#statements.oldestFirst.all({ ...values, after: after ?? "" })
        // Behind every id: ids are ASCII.
        : this.#statements.newestFirst.all({ ...values, after: after ?? "\x7f" });
      return rows.map(readRow);
    });

  readChunk: FileStore["readChunk"] = (id, position) =>
    this.#unlessLocked(() => {
      const sealed = this.#statements.readChunk.get(id, position)?.["sealed"];
      return sealed instanceof Uint8Array ? sealed : undefined;
    });

  delete: FileStore["delete"] = async (ownerId, id) => {
    const ended = await this.#durably(() => Number(this.#statements.endFile.run(ownerId, id).changes));
    if (ended === 0) return false;
    await this.#removeRow(id);
    return true;
  };

  deleteOwner: FileStore["deleteOwner"] = async (ownerId) => {
    // Most owners have no files, and most of those that go are just that: sign-ins. They wait for no disk.
    const ids = await this.#unlessLocked(() =>
      this.#statements.idsOfOwner.all(ownerId).map(({ id }) => String(id))
    );
    if (ids.length === 0) return;
    await this.#durably(() => this.#statements.endOwner.run(ownerId));
    for (const id of ids) await this.#removeRow(id);
  };

  owners: FileStore["owners"] = (after, limit) =>
    this.#unlessLocked(() =>
      this.#statements.owners.all(after, limit).map(({ owner_id }) => String(owner_id))
    );

  purge: FileStore["purge"] = (nowMs) =>
    this.#transaction(() => {
      const id = this.#statements.expired.get(nowMs)?.["id"];
      if (typeof id !== "string") return false;
      this.#removeBatch(id);
      return true;
    });

  usage: FileStore["usage"] = (nowMs) =>
    this.#unlessLocked(() => {
      const row = this.#statements.usage.get({ now: nowMs });
      return { files: Number(row?.["files"]), bytes: Number(row?.["bytes"]) };
    });

  ping: FileStore["ping"] = () => this.#unlessLocked(() => void this.#statements.ping.get());

  close: FileStore["close"] = () =>
    Promise.try(() => {
      if (this.#database.isOpen) this.#database.close();
    });

  #usedBy(quotaId: string, nowMs: number): { readonly count: number; readonly bytes: number } {
    const row = this.#statements.usedBy.get({ quota: quotaId, now: nowMs });
    return { count: Number(row?.["count"]), bytes: Number(row?.["bytes"]) };
  }

  /** Removes a row that has ended, with everything between it and the disk. */
  async #removeRow(id: string): Promise<void> {
    while (!await this.#transaction(() => this.#removeBatch(id))) await turn();
  }

  /** Whether the row is gone: it goes together with the last of its chunks. */
  #removeBatch(id: string): boolean {
    const removed = Number(this.#statements.removeChunks.run(id, purgeBatch).changes);
    if (removed === purgeBatch) return false;
    this.#statements.removeRow.run(id);
    return true;
  }

  #transaction<T>(run: () => T): Promise<T> {
    return this.#unlessLocked(() => this.#atOnce(run));
  }

  /** A transaction that is on the disk when it has resolved. */
  #durably<T>(run: () => T): Promise<T> {
    return this.#unlessLocked(() => {
      // At once up to the pragma that ends it: no other call of this connection comes in between.
      this.#database.exec("PRAGMA synchronous = FULL");
      try {
        return this.#atOnce(run);
      } finally {
        this.#database.exec("PRAGMA synchronous = NORMAL");
      }
    });
  }

  #atOnce<T>(run: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = run();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

type Statements = Readonly<Record<keyof typeof sql, StatementSync>>;

const fileColumns = "id, head, created_at_ms, expires_at_ms";

const sql = Object.freeze({
  begin: `INSERT INTO file (id, owner_id, quota_id, bytes, created_at_ms, expires_at_ms)
    VALUES (?, ?, ?, 0, ?, ?)`,
  usedBy: `SELECT count(*) AS count, ifnull(sum(bytes), 0) AS bytes FROM file
    WHERE quota_id = :quota AND ${alive}`,
  quotaOfUpload: "SELECT quota_id FROM file WHERE id = :id AND head IS NULL AND expires_at_ms > :now",
  addChunk: "INSERT INTO file_chunk (file_id, position, sealed) VALUES (?, ?, ?)",
  grow: "UPDATE file SET bytes = bytes + ?, expires_at_ms = ? WHERE id = ?",
  endUpload: `UPDATE file SET expires_at_ms = ${gone} WHERE id = ? AND head IS NULL`,
  complete: `UPDATE file SET head = :head, expires_at_ms = :expires
    WHERE id = :id AND head IS NULL AND expires_at_ms > :now`,
  get: `SELECT ${fileColumns} FROM file
    WHERE owner_id = :owner AND id = :id AND head IS NOT NULL AND ${alive}`,
  oldestFirst: `SELECT ${fileColumns} FROM file
    WHERE owner_id = :owner AND id > :after AND head IS NOT NULL AND ${alive} ORDER BY id LIMIT :limit`,
  newestFirst: `SELECT ${fileColumns} FROM file
    WHERE owner_id = :owner AND id < :after AND head IS NOT NULL AND ${alive} ORDER BY id DESC LIMIT :limit`,
  readChunk: "SELECT sealed FROM file_chunk WHERE file_id = ? AND position = ?",
  endFile: `UPDATE file SET expires_at_ms = ${gone}
    WHERE owner_id = ? AND id = ? AND head IS NOT NULL AND expires_at_ms IS NOT ${gone}`,
  idsOfOwner: "SELECT id FROM file WHERE owner_id = ?",
  endOwner: `UPDATE file SET expires_at_ms = ${gone} WHERE owner_id = ?`,
  owners: "SELECT DISTINCT owner_id FROM file WHERE owner_id > ? ORDER BY owner_id LIMIT ?",
  expired: "SELECT id FROM file WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT 1",
  removeChunks: `DELETE FROM file_chunk WHERE rowid IN
    (SELECT rowid FROM file_chunk WHERE file_id = ? LIMIT ?)`,
  removeRow: "DELETE FROM file WHERE id = ?",
  usage: `SELECT count(head) AS files, ifnull(sum(bytes), 0) AS bytes FROM file WHERE ${alive}`,
  ping: "SELECT 1 FROM file LIMIT 1",
});

function prepare(database: DatabaseSync): Statements {
  const statement = (name: keyof typeof sql) => database.prepare(sql[name]);
  return {
    begin: statement("begin"),
    usedBy: statement("usedBy"),
    quotaOfUpload: statement("quotaOfUpload"),
    addChunk: statement("addChunk"),
    grow: statement("grow"),
    endUpload: statement("endUpload"),
    complete: statement("complete"),
    get: statement("get"),
    oldestFirst: statement("oldestFirst"),
    newestFirst: statement("newestFirst"),
    readChunk: statement("readChunk"),
    endFile: statement("endFile"),
    idsOfOwner: statement("idsOfOwner"),
    endOwner: statement("endOwner"),
    owners: statement("owners"),
    expired: statement("expired"),
    removeChunks: statement("removeChunks"),
    removeRow: statement("removeRow"),
    usage: statement("usage"),
    ping: statement("ping"),
  };
}

function readRow({ id, head, created_at_ms, expires_at_ms }: Record<string, SQLOutputValue>): StoredFile {
  if (
    typeof id !== "string" || !(head instanceof Uint8Array) || typeof created_at_ms !== "number" ||
    (typeof expires_at_ms !== "number" && expires_at_ms !== null)
  ) throw new Error("A file in the database has another shape than the schema says. Check the database.");
  return { id, sealedHead: head, createdAtMs: created_at_ms, expiresAtMs: expires_at_ms ?? undefined };
}

/** Lets everything else that is ready have its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
