/**
 * Where sealed sign-in records live. A store never sees a plaintext or a key: it keeps bytes that only the holder of
 * the session JWT can open, and arbitrates concurrent writers with a counter.
 *
 * @module
 */

/** One sign-in at rest (design, section 5). Opening it needs the key in the session JWT. */
export interface SealedRecord {
  /** ULID, 26 characters. Bound into the ciphertext as additional data. */
  readonly id: string;
  /** AES-GCM nonce, 12 bytes, fresh for every write. */
  readonly iv: Uint8Array;
  /** AES-256-GCM ciphertext with the 16-byte tag appended. */
  readonly blob: Uint8Array;
  /** The opaque `user.id` of the account: a keyed hash, never the provider's own id. */
  readonly accountIdHash: string;
  /** Counts writes, from 1; the compare-and-swap token of {@linkcode RecordStore.update}. */
  readonly version: number;
  /** When the sign-in completed, milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** When the ciphertext was last written, milliseconds since the epoch. */
  readonly updatedAtMs: number;
  /** When {@linkcode RecordStore.sweepExpired} may remove the record, milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** What {@linkcode RecordStore.insert} takes: the store itself sets the version to 1. */
export type NewSealedRecord = Omit<SealedRecord, "version">;

/** The members that a write replaces. */
export type SealedRecordUpdate = Pick<SealedRecord, "iv" | "blob" | "updatedAtMs" | "expiresAtMs">;

/** How a compare-and-swap ended: the caller re-reads on `conflict` and ends the session on `missing`. */
export type UpdateOutcome = "updated" | "conflict" | "missing";

/**
 * Durable storage of {@linkcode SealedRecord}s.
 *
 * Concurrency promise: any number of processes may use one store at once. Every method is atomic. When a method has
 * resolved, its effect survives `kill -9` of this process and is seen by every later call of any process. Of several
 * `update` calls that expect the same version exactly one resolves to `"updated"`. A deleted id never comes back:
 * an `update` that races a `delete` resolves to `"missing"`.
 *
 * Faults of the engine (disk full, database gone) reject with an `Error` whose message carries no record bytes.
 */
export interface RecordStore {
  /** Adds a record with version 1. Rejects if the id exists already: ids are made by us and must be unique. */
  insert(record: NewSealedRecord): Promise<void>;
  /** The record as last written, or undefined. Expired records that were not swept yet are not returned. */
  get(id: string, nowMs: number): Promise<SealedRecord | undefined>;
  /** Replaces the ciphertext if the stored version still is `expectedVersion`, and adds 1 to it. */
  update(id: string, expectedVersion: number, update: SealedRecordUpdate): Promise<UpdateOutcome>;
  /** Removes the record; false if there was none. */
  delete(id: string): Promise<boolean>;
  /** Removes at most `limit` records whose `expiresAtMs` is not after `nowMs`; how many it removed. */
  sweepExpired(nowMs: number, limit: number): Promise<number>;
  /** Resolves when the engine answers a read, rejects when it does not: for `/readyz`. */
  ping(): Promise<void>;
  /** Releases files and connections. Idempotent; other methods reject afterwards. */
  close(): Promise<void>;
}
