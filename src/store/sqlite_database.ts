/**
 * Opening the one SQLite file of the relay, through the `node:sqlite` that is inside Deno: no FFI, no download, read and
 * write permission on one folder.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { createLockedRetry, type LockedRetryDependencies } from "./locked_retry.ts";
import { explainOpenError } from "./open_error.ts";
import { createPrivateFile } from "./private_file.ts";
import { migrate, requireOurDatabase } from "./sqlite_schema.ts";

/**
 * How long SQLite itself waits for the lock of another process, milliseconds. Nothing else happens in this process meanwhile,
 * so it is only for the locks that are gone in a moment; see {@linkcode createSqliteRetry} for the others.
 */
const busyTimeoutMs = 10;

/** Does something with the database, all of it at once; again and again while another process has the lock. */
export type SqliteRetry = <T>(operation: () => T) => Promise<T>;

/**
 * Builds a {@linkcode SqliteRetry}. The operation must have changed nothing when it throws for the lock: a single statement, or
 * a transaction that begins `IMMEDIATE`. The pauses between attempts belong to everybody else.
 */
export function createSqliteRetry(dependencies: LockedRetryDependencies = {}): SqliteRetry {
  const unlessLocked = createLockedRetry(dependencies);
  return (operation) => unlessLocked(() => Promise.try(operation));
}

/**
 * `FULL` makes a resolved write survive a power cut, not only a crash of the process. `secure_delete` overwrites what
 * is deleted, because the holder of an old JWT and an old key could still open a revoked record that lingers in the
 * file. Mapping and cache bring a point read from 24 to 9 us (measured on Deno 2.9.6); both are upper bounds, used as
 * needed.
 */
const pragmas = `PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;
  PRAGMA cache_size = -65536;`;

/**
 * Opens a connection, and creates or upgrades the file. A new file has mode 0600, as have its `-wal` and `-shm` files.
 *
 * Rejects, and leaves the file as it is, when it is not a database, is damaged, belongs to another program or was
 * written by a newer version; also when its folder does not exist. The message is for the operator.
 *
 * @param path The file, or `:memory:` for a database that ends with this connection.
 */
export async function openSqliteDatabase(path: string): Promise<DatabaseSync> {
  const name = `The database ${JSON.stringify(path)}`;
  if (path !== ":memory:") await createPrivateFile(path, name);
  const unlessLocked = createSqliteRetry();
  let opened: DatabaseSync | undefined;
  try {
    const database = opened = new DatabaseSync(path, { timeout: busyTimeoutMs });
    await unlessLocked(() => requireOurDatabase(database, name));
    await enterWalMode(database, path, name, unlessLocked);
    database.exec(pragmas);
    await unlessLocked(() => migrate(database, name));
    return database;
  } catch (error) {
    opened?.close();
    throw explainOpenError(error, name);
  }
}

/**
 * Of processes that create a file together, SQLite tells all but one at once, busy timeout or not, that it is locked.
 */
async function enterWalMode(
  database: DatabaseSync,
  path: string,
  name: string,
  unlessLocked: SqliteRetry,
): Promise<void> {
  const statement = database.prepare("PRAGMA journal_mode = WAL");
  const mode = await unlessLocked(() => statement.get()?.["journal_mode"]);
  if (mode !== (path === ":memory:" ? "memory" : "wal")) {
    throw new Error(
      `${name} cannot use a write-ahead log. Put it on a local file system; network file systems lack what it needs.`,
    );
  }
}
