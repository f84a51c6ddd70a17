/**
 * Short-lived state that all instances of a relay share: the sign-ins in progress, and small entries such as counters and
 * blocks. A sign-in is sealed by the caller under a key that only the polling client knows, so that a copy of the engine's file
 * opens nothing; entries are stored as they are and hold no secrets.
 *
 * @module
 */

/** A sign-in in progress, as stored. */
export interface PollSession {
  /** The caller's ciphertext; opaque here. At most 32 KiB. */
  readonly sealed: Uint8Array;
  /** When the session ends, milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** Opaque compare-and-swap token of this read. */
  readonly version: string;
}

/** How {@linkcode SharedState.createPollSession} ended: `full` when too many sign-ins are open already. */
export type CreateOutcome = "created" | "full";

/** A small value that instances share, as stored. */
export interface SharedEntry {
  /** Unique in its group. Printable ASCII. */
  readonly key: string;
  /** The caller's text; opaque here. At most 30 000 characters (UTF-16 code units). */
  readonly value: string;
  /** When the entry ends, milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** Opaque compare-and-swap token of this read. */
  readonly version: string;
}

/**
 * State shared by instances.
 *
 * Concurrency promise: any number of processes may use one state at once. Every method is atomic and retries by itself
 * while the engine is briefly locked. Of several `replacePollSession` calls that expect the same version exactly one
 * resolves to a version. A resolved write survives `kill -9` of this process. Expiry is exact against the `nowMs` that the
 * caller passes, however late the engine's own clean-up is.
 */
export interface SharedState {
  /**
   * Stores a new session under `key` (a hash: never the session id itself).
   *
   * At most `maxOpen` sessions whose expiry lies ahead may exist; beyond that nothing is stored and the outcome is
   * `"full"`. Concurrent calls may overshoot the bound by the number of calls in flight.
   */
  createPollSession(
    key: string,
    sealed: Uint8Array,
    expiresAtMs: number,
    limit: { readonly maxOpen: number; readonly nowMs: number },
  ): Promise<CreateOutcome>;
  /** The session, or undefined when there is none or it has expired at `nowMs`. */
  getPollSession(key: string, nowMs: number): Promise<PollSession | undefined>;
  /**
   * Replaces the ciphertext if nobody wrote since `expectedVersion` was read; the expiry stays. Resolves to the new
   * version, with which the same caller can replace again, or to undefined when somebody was quicker.
   */
  replacePollSession(key: string, expectedVersion: string, sealed: Uint8Array): Promise<string | undefined>;
  /** Removes the session; no effect if there is none. */
  deletePollSession(key: string): Promise<void>;
  /**
   * The entries of a group that have not expired at `nowMs`, ascending by key; with `from`, only those whose key is not less.
   * One moment's truth as far as the engine reads in one go (500 entries).
   */
  listEntries(
    group: string,
    nowMs: number,
    options?: { readonly from?: string },
  ): Promise<readonly SharedEntry[]>;
  /** The entry, or undefined when there is none or it has expired at `nowMs`. */
  getEntry(group: string, key: string, nowMs: number): Promise<SharedEntry | undefined>;
  /** Stores an entry, whatever was there before. */
  putEntry(group: string, key: string, value: string, expiresAtMs: number): Promise<void>;
  /**
   * Replaces an entry if nobody wrote since `expectedVersion` was read; without one, creates it if there is none at `nowMs`.
   * Resolves to whether this call did it.
   */
  replaceEntry(
    group: string,
    key: string,
    expectedVersion: string | undefined,
    entry: { readonly value: string; readonly expiresAtMs: number },
    nowMs: number,
  ): Promise<boolean>;
  /** Removes the entry; with `expectedVersion`, only if nobody wrote since that was read. No effect if there is none. */
  deleteEntry(group: string, key: string, expectedVersion?: string): Promise<void>;
  /** Resolves when the engine answers a read, rejects when it does not: for `/readyz`. */
  ping(): Promise<void>;
  /** Releases files and connections. Idempotent; other methods reject afterwards. */
  close(): Promise<void>;
}
