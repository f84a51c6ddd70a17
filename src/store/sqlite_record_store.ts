/**
 * {@linkcode RecordStore} on one SQLite file, through the `node:sqlite` that is inside Deno: no FFI, no download,
 * read and write permission on one folder.
 *
 * The calls are synchronous inside (a point read takes about 10 us, a write waits for the disk), and a writer that
 * meets the lock of another process waits for it up to five seconds, during which this process does nothing else.
 * Writes are single statements, so such a wait is as long as one write of the other process.
 *
 * @module
 */
import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { createLockedRetry } from "./locked_retry.ts";
import { explainOpenError } from "./open_error.ts";
import { createPrivateFile } from "./private_file.ts";
import type { RecordStore, SealedRecord } from "./record_store.ts";
import { migrate, requireOurDatabase } from "./sqlite_schema.ts";

/** How long a writer waits for other processes, milliseconds. */
const busyTimeoutMs = 5_000;

/**
 * `FULL` makes a resolved write survive a power cut, not only a crash of the process. `secure_delete` overwrites what
 * is deleted, because the holder of an old JWT and an old key could still open a revoked record that lingers in the
 * file. Mapping and cache bring a point read from 24 to 9 us (measured on Deno 2.9.6); both are upper bounds, used as
 * needed.
 */
const pragmas = `PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;
  PRAGMA cache_size = -65536;`;

const columns = "id, iv, blob, account_id_hash, version, created_at_ms, updated_at_ms, expires_at_ms";

/**
 * Opens the store, and creates or upgrades its file. A new file has mode 0600, as have its `-wal` and `-shm` files.
 *
 * Rejects, and leaves the file as it is, when it is not a database, is damaged, belongs to another program or was
 * written by a newer version; also when its folder does not exist. The message is for the operator.
 *
 * @param options.path The file, or `:memory:` for records that end with this store.
 */
export async function openSqliteRecordStore(options: { readonly path: string }): Promise<RecordStore> {
  const { path } = options;
  const name = `The database ${JSON.stringify(path)}`;
  if (path !== ":memory:") await createPrivateFile(path, name);
  return new SqliteRecordStore(await openDatabase(path, name));
}

async function openDatabase(path: string, name: string): Promise<DatabaseSync> {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    requireOurDatabase(database, name);
    await enterWalMode(database, path, name);
    database.exec(pragmas);
    migrate(database, name);
    return database;
  } catch (error) {
    database?.close();
    throw explainOpenError(error, name);
  }
}

/**
 * Of processes that create a file together, SQLite tells all but one at once, busy timeout or not, that it is locked.
 */
async function enterWalMode(database: DatabaseSync, path: string, name: string): Promise<void> {
  const statement = database.prepare("PRAGMA journal_mode = WAL");
  const mode = await createLockedRetry()(() => Promise.try(() => statement.get()?.["journal_mode"]));
  if (mode !== (path === ":memory:" ? "memory" : "wal")) {
    throw new Error(
      `${name} cannot use a write-ahead log. Put it on a local file system; network file systems lack what it needs.`,
    );
  }
}

class SqliteRecordStore implements RecordStore {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #get: StatementSync;
  readonly #update: StatementSync;
  readonly #exists: StatementSync;
  readonly #delete: StatementSync;
  readonly #sweep: StatementSync;
  readonly #ping: StatementSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
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
    Promise.try(() => {
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
    Promise.try(() => {
      const row = this.#get.get(id, nowMs);
      return row === undefined ? undefined : readRow(row);
    });

  update: RecordStore["update"] = (id, expectedVersion, { iv, blob, updatedAtMs, expiresAtMs }) =>
    Promise.try(() => {
      const { changes } = this.#update.run(iv, blob, updatedAtMs, expiresAtMs, id, expectedVersion);
      if (Number(changes) === 1) return "updated";
      // Two statements, yet one truth: an id that is gone now was gone or of another version a moment ago, and an id
      // that is here now was here with another version, because ids never come back.
      return this.#exists.get(id) === undefined ? "missing" : "conflict";
    });

  delete: RecordStore["delete"] = (id) => Promise.try(() => Number(this.#delete.run(id).changes) === 1);

  sweepExpired: RecordStore["sweepExpired"] = (nowMs, limit) =>
    Promise.try(() => Number(this.#sweep.run(nowMs, limit).changes));

  ping: RecordStore["ping"] = () => Promise.try(() => void this.#ping.get());

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
