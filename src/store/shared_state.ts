/**
 * Short-lived state that all instances of a relay share: the sign-ins in progress. What is stored is sealed by the
 * caller under a key that only the polling client knows, so that a copy of the engine's file opens nothing.
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
  /** Resolves when the engine answers a read, rejects when it does not: for `/readyz`. */
  ping(): Promise<void>;
  /** Releases files and connections. Idempotent; other methods reject afterwards. */
  close(): Promise<void>;
}
