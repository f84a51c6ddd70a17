/**
 * Where uploaded files live. A store keeps bytes that only the owner's credential can open; in the clear it has sizes,
 * times and ids, which it needs to list, to count and to clean up.
 *
 * @module
 */

/** The owner of files that belong to no record: the person who runs the relay. Every other owner is a record's id. */
export const relayOwnerId = "owner";

/** A finished file at rest, without its content. */
export interface StoredFile {
  /** Begins with the time of the upload, so that the order of ids is the order of time. */
  readonly id: string;
  /** Name, purpose and type as the caller sealed them; opaque here. */
  readonly sealedHead: Uint8Array;
  /** When the upload began, milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** From when on the file is no longer there, milliseconds since the epoch; undefined: it stays. */
  readonly expiresAtMs: number | undefined;
}

/** What {@linkcode FileStore.begin} takes. */
export interface NewUpload {
  /** Unique; made by the caller. */
  readonly id: string;
  /** Whose list the file will be in. */
  readonly ownerId: string;
  /** Who shares one allowance of bytes. */
  readonly quotaId: string;
  /** Now, milliseconds since the epoch. */
  readonly nowMs: number;
  /** Until when the upload may go without a further chunk, milliseconds since the epoch. */
  readonly leaseUntilMs: number;
}

/** What {@linkcode FileStore.append} takes. */
export interface NewChunk {
  /** Counts the chunks of the file, from 0. */
  readonly position: number;
  /** The caller's ciphertext; at most {@linkcode maxSealedChunkBytes}. */
  readonly sealed: Uint8Array;
  /** What the chunk adds to the file's size, bytes. */
  readonly bytes: number;
}

/** How {@linkcode FileStore.append} ended; see there. */
export type AppendOutcome = "appended" | "over_quota" | "gone";

/** Which part of a list is asked for. */
export interface FileListQuery {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** `desc`: newest first. */
  readonly order: "asc" | "desc";
  /** Only files behind this id in that order. It need not exist: it may have been deleted since it was told. */
  readonly after: string | undefined;
  /** At most so many. */
  readonly limit: number;
}

/** The largest chunk, bytes: what the smallest engine takes as one value (Deno KV: 64 KiB with its framing). */
export const maxSealedChunkBytes = 63 * 1024;

/**
 * Durable storage of files.
 *
 * An upload is begun, appended to and completed; only then it is a file. Until then it counts against the allowance and is
 * in no list. An upload that gets no chunk within its lease, because its process died, counts no more and cannot be
 * continued, from the millisecond on at which the lease ends; {@linkcode FileStore.purge} removes its bytes.
 *
 * Concurrency promise: any number of processes may use one store at once, and every method is atomic. When `complete`,
 * `delete` or `deleteOwner` has resolved, its effect survives `kill -9` and a power cut. A file that is gone never
 * comes back.
 *
 * Faults of the engine (disk full, database gone) reject with an `Error` whose message carries no content.
 */
export interface FileStore {
  /** Begins an upload; `"full"`, and nothing is stored, when the allowance already has `maxFiles` files and uploads. */
  begin(upload: NewUpload, maxFiles: number): Promise<"begun" | "full">;
  /**
   * Appends a chunk and lets the lease begin anew, when all files and uploads of the allowance have `maxTotalBytes` at most
   * with it. Otherwise the outcome is `"over_quota"`, and the upload has ended in the same step: what it held is free for
   * those that still run. So of uploads that run at once one is only refused when they do not fit together.
   * `"gone"`: the upload was discarded, or its lease has ended.
   */
  append(
    id: string,
    chunk: NewChunk,
    limits: { readonly maxTotalBytes: number; readonly nowMs: number; readonly leaseUntilMs: number },
  ): Promise<AppendOutcome>;
  /** Makes the upload a file. `"gone"` as in {@linkcode FileStore.append}. */
  complete(
    id: string,
    file: Pick<StoredFile, "sealedHead" | "expiresAtMs">,
    nowMs: number,
  ): Promise<"completed" | "gone">;
  /** Ends an upload that will not be completed and removes its bytes; no effect on files, nor if there is none. */
  discard(id: string): Promise<void>;
  /** A file of this owner, or undefined. */
  get(ownerId: string, id: string, nowMs: number): Promise<StoredFile | undefined>;
  /** The files of this owner, by id. */
  list(ownerId: string, query: FileListQuery): Promise<readonly StoredFile[]>;
  /** A chunk of a file or upload, or undefined when there is none. */
  readChunk(id: string, position: number): Promise<Uint8Array | undefined>;
  /** Removes a file of this owner; false if there was none. Its bytes are gone when this resolves. */
  delete(ownerId: string, id: string): Promise<boolean>;
  /** Removes everything of this owner, also uploads that still run. */
  deleteOwner(ownerId: string): Promise<void>;
  /** At most `limit` owners that have files or uploads, by id, behind `after`. */
  owners(after: string, limit: number): Promise<readonly string[]>;
  /** Removes some of the bytes of what has ended or expired at `nowMs`; false when there was nothing left to remove. */
  purge(nowMs: number): Promise<boolean>;
  /** How many finished files there are, and the bytes of all files and uploads that count. */
  usage(nowMs: number): Promise<{ readonly files: number; readonly bytes: number }>;
  /** Resolves when the engine answers a read, rejects when it does not: for `/readyz`. */
  ping(): Promise<void>;
  /** Releases files and connections. Idempotent; other methods reject afterwards. */
  close(): Promise<void>;
}
