/**
 * The tables of the SQLite driver and how an older file becomes a current one.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";

/** `PRAGMA application_id` of our files ("AARY"), so that a file of another program is known before it is touched. */
const applicationId = 0x41415259;

/**
 * Each entry takes a file from the schema version that is its index to the next one. Entries are only ever added at
 * the end: a released one has run on somebody's data.
 */
const migrations: readonly string[] = Object.freeze([
  `CREATE TABLE record (
     id TEXT NOT NULL PRIMARY KEY,
     iv BLOB NOT NULL CHECK (length(iv) = 12),
     blob BLOB NOT NULL,
     account_id_hash TEXT NOT NULL,
     version INTEGER NOT NULL,
     created_at_ms INTEGER NOT NULL,
     updated_at_ms INTEGER NOT NULL,
     expires_at_ms INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX record_expires_at_ms ON record (expires_at_ms);
   CREATE INDEX record_account_id_hash ON record (account_id_hash);`,
  // A row without a head is an upload. A row whose expiry has passed is gone for everybody but the purge.
  `CREATE TABLE file (
     id TEXT NOT NULL PRIMARY KEY,
     owner_id TEXT NOT NULL,
     quota_id TEXT NOT NULL,
     head BLOB,
     bytes INTEGER NOT NULL,
     created_at_ms INTEGER NOT NULL,
     expires_at_ms INTEGER
   ) STRICT;
   CREATE INDEX file_owner_id ON file (owner_id, id);
   CREATE INDEX file_quota_id ON file (quota_id, expires_at_ms, bytes);
   CREATE INDEX file_expires_at_ms ON file (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
   CREATE TABLE file_chunk (
     file_id TEXT NOT NULL,
     position INTEGER NOT NULL,
     sealed BLOB NOT NULL,
     UNIQUE (file_id, position)
   ) STRICT;`,
]);

/**
 * Throws unless the database is empty or is one of ours that this version can read. Writes nothing, so that a refused
 * file stays as it is. `name` is what the error calls the file.
 */
export function requireOurDatabase(database: DatabaseSync, name: string): void {
  const version = readPragma(database, "user_version");
  if (version === 0 && isEmpty(database)) return;
  if (readPragma(database, "application_id") !== applicationId) {
    throw new Error(
      `${name} is a SQLite database of another program. It was left as it is. Choose another path for the database.`,
    );
  }
  if (version > migrations.length) {
    throw new Error(
      `${name} was written by a newer version of authai-relay (schema ${version}; this version knows schemas up to ` +
        `${migrations.length}). It was left as it is. Start the newer version, or choose another path for the database.`,
    );
  }
}

/**
 * Brings the database to the current schema in one transaction. Of several processes that start at once the first one
 * does it; the others wait for the lock and then find nothing left to do. Throws as {@linkcode requireOurDatabase}
 * does when a newer version was among them.
 */
export function migrate(database: DatabaseSync, name: string): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    requireOurDatabase(database, name);
    const missing = migrations.slice(readPragma(database, "user_version"));
    for (const statements of missing) database.exec(statements);
    // Both live in the header of the file and are part of the transaction.
    if (missing.length > 0) {
      database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length};`);
    }
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function isEmpty(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
}

function readPragma(database: DatabaseSync, pragma: "user_version" | "application_id"): number {
  const value = database.prepare(`PRAGMA ${pragma}`).get()?.[pragma];
  if (typeof value !== "number") throw new Error(`SQLite did not answer PRAGMA ${pragma} with a number.`);
  return value;
}
