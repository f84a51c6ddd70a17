/**
 * What a relay stores, as one thing to open and close.
 *
 * @module
 */
import { isAbsolute, join, resolve } from "node:path";
import { rememberFiles } from "./file_in_place.ts";
import type { FileStore } from "./file_store.ts";
import { openKvSharedState } from "./kv_shared_state.ts";
import type { RecordStore } from "./record_store.ts";
import type { SharedState } from "./shared_state.ts";
import { openSqliteFileStore } from "./sqlite_file_store.ts";
import { openSqliteRecordStore } from "./sqlite_record_store.ts";

/** The stores of a relay. Everything in them is sealed: a copy of the files opens nothing. */
export interface Store {
  /** The sealed sign-ins. Deleting one also deletes the files whose owner it is. */
  readonly records: RecordStore;
  /** The sealed uploads. */
  readonly files: FileStore;
  /** Short-lived state that all instances share. */
  readonly shared: SharedState;
  /** Resolves when all engines answer a read; rejects when one does not, or its file is no longer where it was. */
  ping(): Promise<void>;
  /** Releases all files. Idempotent; the stores reject afterwards. */
  close(): Promise<void>;
}

/** Where {@linkcode openStore} keeps its files. */
export interface StoreOptions {
  /** The folder of relative paths, created with mode 0700 if it is missing. Default: `./data`. */
  readonly dataDir?: string;
  /** The SQLite file, relative to `dataDir` or absolute, or `:memory:`. Default: `relay.db`. */
  readonly databasePath?: string;
  /** The Deno KV file, relative to `dataDir` or absolute, or `:memory:`. Default: `shared.kv`. */
  readonly kvPath?: string;
}

/**
 * Opens a relay's stores: SQLite for records and files, Deno KV for the shared state. Missing files are created with mode
 * 0600. Several processes may open the same files.
 *
 * Needs read and write permission on the data directory, and Deno KV: `"unstable": ["kv"]` in the deno.json of the
 * program, or `--unstable-kv`. Rejects with a sentence for the operator when a file cannot be used; nothing stays
 * open then.
 *
 * ```ts
 * const store = await openStore({ dataDir: "/var/lib/relay" });
 * ```
 */
export async function openStore(options: StoreOptions = {}): Promise<Store> {
  const { dataDir = "./data", databasePath = "relay.db", kvPath = "shared.kv" } = options;
  const paths = { database: locate(dataDir, databasePath), kv: locate(dataDir, kvPath) };
  if (paths.database !== memory && resolve(paths.database) === resolve(paths.kv)) {
    throw new Error("The database and the shared state cannot be one file. Choose two paths.");
  }
  if ([databasePath, kvPath].some((path) => path !== memory && !isAbsolute(path))) {
    await createDataDir(dataDir);
  }
  const opened: { close(): Promise<void> }[] = [];
  try {
    const records = await openSqliteRecordStore({ path: paths.database });
    opened.push(records);
    const files = await openSqliteFileStore({ path: paths.database });
    opened.push(files);
    const shared = await openKvSharedState({ path: paths.kv });
    opened.push(shared);
    const requireInPlace = await rememberFiles(Object.values(paths).filter((path) => path !== memory));
    return {
      records: deletingFilesToo(records, files),
      files,
      shared,
      async ping() {
        await Promise.all([records.ping(), files.ping(), shared.ping(), requireInPlace()]);
      },
      async close() {
        await Promise.all([records.close(), files.close(), shared.close()]);
      },
    };
  } catch (error) {
    for (const part of opened) await part.close();
    throw error;
  }
}

/**
 * Nobody can open the files of a record that is gone. The record goes first: should the process die in between, the sweep
 * finds files without a record, and never a session without its files.
 */
function deletingFilesToo(records: RecordStore, files: FileStore): RecordStore {
  return {
    ...records,
    async delete(id) {
      const existed = await records.delete(id);
      await files.deleteOwner(id);
      return existed;
    },
  };
}

const memory = ":memory:";

function locate(dataDir: string, path: string): string {
  return path === memory || isAbsolute(path) ? path : join(dataDir, path);
}

async function createDataDir(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Error(
      `The data directory ${JSON.stringify(path)} cannot be created. Check the path and its owner.`,
      {
        cause: error,
      },
    );
  }
}
