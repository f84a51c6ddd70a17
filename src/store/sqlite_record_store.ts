/**
 * {@linkcode RecordStore} on one SQLite file.
 *
 * The calls are synchronous inside (a point read takes about 10 us, a write waits for the disk). A call that meets the lock of
 * another process is tried again for some seconds, during which this process does everything else.
 *
 * @module
 */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { RecordStore, SealedRecord } from "./record_store.ts";
import type { LockedRetryDependencies } from "./locked_retry.ts";
import { createSqliteRetry, openSqliteDatabase, type SqliteRetry } from "./sqlite_database.ts";

const columns = "id, iv, blob, account_id_hash, version, created_at_ms, updated_at_ms, expires_at_ms";

/**
 * Opens the store: see `openSqliteDatabase`, also for what it rejects.
 *
 * @param options.path The file, or `:memory:` for records that end with this store.
 */
export async function openSqliteRecordStore(
  options: { readonly path: string } & LockedRetryDependencies,
): Promise<RecordStore> {
  return new SqliteRecordStore(await openSqliteDatabase(options.path), createSqliteRetry(options));
}

class SqliteRecordStore implements RecordStore {
  readonly #database: DatabaseSync;
  readonly #unlessLocked: SqliteRetry;
  readonly #insert: StatementSync;
  readonly #get: StatementSync;
  readonly #update: StatementSync;
  readonly #exists: StatementSync;
  readonly #delete: StatementSync;
  readonly #sweep: StatementSync;
  readonly #ping: StatementSync;

  constructor(database: DatabaseSync, unlessLocked: SqliteRetry) {
    this.#database = database;
    this.#unlessLocked = unlessLocked;
    this.#insert = database.prepare(`INSERT INTO record (${columns}) VALUES (?, ?, ?, ?, 1, ?, ?, ?)`);
    this.#get = database.prepare(`SELECT ${columns} FROM record WHERE id = ? AND expires_at_ms > ?`);
    this.#update = database.prepare(
      `UPDATE record SET iv = ?, blob = ?, updated_at_ms = ?, expires_at_ms = ?, version = version + 1
       WHERE id = ? AND version = ?`,
    );
    this.#exists = database.prepare("SELECT 1 FROM record WHERE id = ?");
    this.#delete = database.prepare("DELETE FROM record WHERE id = ?");
    this.#sweep = database.prepare(
      "DELETE FROM record WHERE rowid IN (SELECT rowid FROM record WHERE expires_at_ms <= ? LIMIT ?)",
    );
    this.#ping = database.prepare("SELECT 1 FROM record LIMIT 1");
  }

  insert: RecordStore["insert"] = (record) =>
    this.#unlessLocked(() => {
      this.#insert.run(
        record.id,
        record.iv,
        record.blob,
        record.accountIdHash,
        record.createdAtMs,
        record.updatedAtMs,
        record.expiresAtMs,
      );
    });

  get: RecordStore["get"] = (id, nowMs) =>
    this.#unlessLocked(() => {
      const row = this.#get.get(id, nowMs);
      return row === undefined ? undefined : readRow(row);
    });

  update: RecordStore["update"] = (id, expectedVersion, { iv, blob, updatedAtMs, expiresAtMs }) =>
    this.#unlessLocked(() => {
      const { changes } = this.#update.run(iv, blob, updatedAtMs, expiresAtMs, id, expectedVersion);
      if (Number(changes) === 1) return "updated";
      // Two statements, yet one truth: an id that is gone now was gone or of another version a moment ago, and an id
      // that is here now was here with another version, because ids never come back.
      return this.#exists.get(id) === undefined ? "missing" : "conflict";
    });

  delete: RecordStore["delete"] = (id) =>
    this.#unlessLocked(() => Number(this.#delete.run(id).changes) === 1);

  sweepExpired: RecordStore["sweepExpired"] = (nowMs, limit) =>
    this.#unlessLocked(() => Number(this.#sweep.run(nowMs, limit).changes));

  ping: RecordStore["ping"] = () => this.#unlessLocked(() => void this.#ping.get());

  close: RecordStore["close"] = () =>
    Promise.try(() => {
      if (this.#database.isOpen) this.#database.close();
    });
}

function readRow(row: Record<string, SQLOutputValue>): SealedRecord {
  const { id, iv, blob, account_id_hash, version, created_at_ms, updated_at_ms, expires_at_ms } = row;
  if (
    typeof id !== "string" || !(iv instanceof Uint8Array) || !(blob instanceof Uint8Array) ||
    typeof account_id_hash !== "string" || typeof version !== "number" || typeof created_at_ms !== "number" ||
    typeof updated_at_ms !== "number" || typeof expires_at_ms !== "number"
  ) throw new Error("A record in the database has another shape than the schema says. Check the database.");
  return {
    id,
    iv,
    blob,
    accountIdHash: account_id_hash,
    version,
    createdAtMs: created_at_ms,
    updatedAtMs: updated_at_ms,
    expiresAtMs: expires_at_ms,
  };
}
