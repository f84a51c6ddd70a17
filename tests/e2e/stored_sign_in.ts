/**
 * Looking into, and standing in the way of, what relay processes store: so that a test can stop them at an exact moment
 * instead of guessing times.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openState, type SignInState } from "../../src/credential/sign_in_state.ts";
import { pollKeys } from "../../src/crypto/poll_key.ts";
import { openKvSharedState } from "../../src/store/kv_shared_state.ts";

/** The files of a data directory, as a second process sees them. */
export interface StoredSignIns extends AsyncDisposable {
  /** Resolves when the stored state of a sign-in is `wanted`. */
  until(sessionId: string, wanted: (state: SignInState) => boolean): Promise<SignInState>;
  /** Resolves when there is a record under `id`. */
  untilRecord(id: string): Promise<void>;
  /** Keeps every other process from writing records, until it is disposed of. */
  lockRecords(): Disposable;
  /** Keeps every other process from writing the state of a sign-in, until it is disposed of. */
  lockStates(): Disposable;
}

/** Opens the files of a relay that runs. */
export async function openStoredSignIns(dataDir: string): Promise<StoredSignIns> {
  const paths = { records: join(dataDir, "relay.db"), states: join(dataDir, "shared.kv") };
  const shared = await openKvSharedState({ path: paths.states });
  const records = new DatabaseSync(paths.records, { readOnly: true });
  const record = records.prepare("SELECT 1 FROM record WHERE id = ?");
  return {
    async until(sessionId, wanted) {
      const { storageKey, sealKey } = await pollKeys(sessionId);
      return await found(async () => {
        const session = await shared.getPollSession(storageKey, Date.now());
        const state = session && await openState(session.sealed, sealKey);
        return state !== undefined && wanted(state) ? state : undefined;
      });
    },
    async untilRecord(id) {
      await found(() => Promise.resolve(record.get(id)));
    },
    lockRecords: () => lockWrites(paths.records),
    lockStates: () => lockWrites(paths.states),
    async [Symbol.asyncDispose]() {
      records.close();
      await shared.close();
    },
  };
}

/** How long a test waits for another process before it fails, milliseconds. */
const patienceMs = 20_000;

/**
 * What `look` finds as soon as it finds something. It looks again and again: nothing tells one process that another has
 * committed (the last part of a commit, to the shared-memory index, is not even seen by a file watcher).
 */
async function found<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = AbortSignal.timeout(patienceMs);
  for (;;) {
    const something = await look();
    if (something !== undefined) return something;
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Holds the one write lock of a SQLite file. */
function lockWrites(path: string): Disposable {
  const database = new DatabaseSync(path, { timeout: 5_000 });
  database.exec("BEGIN IMMEDIATE");
  return {
    [Symbol.dispose]() {
      database.exec("ROLLBACK");
      database.close();
    },
  };
}
