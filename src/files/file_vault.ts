/**
 * Files under seal: what lies between the routes, which know plain bytes, and the store, which never does.
 *
 * @module
 */
import { ulid } from "ulid";
import { chunkAdditionalData, deriveFileKey, headAdditionalData } from "../crypto/file_seal.ts";
import { openBuffer, sealBuffer } from "../crypto/seal.ts";
import { type FileStore, maxSealedChunkBytes, type StoredFile } from "../store/file_store.ts";
import { decodeFileHead, encodeFileHead, type FileHead } from "./file_head.ts";
import type { FileOwner } from "./file_owner.ts";

/** A file as its owner sees it. */
export interface VaultFile extends FileHead {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** Milliseconds since the epoch; undefined: it stays until it is deleted. */
  readonly expiresAtMs: number | undefined;
}

/** How much may be stored. */
export interface UploadLimits {
  /** One file, bytes. */
  readonly maxUploadBytes: number;
  /** All files of one account, bytes. */
  readonly maxTotalUploadBytes: number;
}

/** The limits when nobody sets any. */
export const defaultUploadLimits: UploadLimits = Object.freeze({
  maxUploadBytes: 32 * 1024 ** 2,
  maxTotalUploadBytes: 256 * 1024 ** 2,
});

/** What a finished upload is called, and how long it stays. */
export interface UploadDetails {
  readonly filename: string;
  readonly purpose: string;
  /** From the beginning of the upload, milliseconds; undefined: for good. */
  readonly lifetimeMs: number | undefined;
}

/** Why an upload ended before its time. Nothing of it is left. */
export type UploadEnd = "file_too_large" | "over_quota" | "gone";

/** An upload in progress. Whatever happens, it has to be ended with `complete` or `discard`. */
export interface Upload {
  /** Takes the next bytes of the content and stores them as far as they fill chunks. */
  write(bytes: Uint8Array): Promise<"written" | UploadEnd>;
  /** Stores the rest, and makes it a file. */
  complete(details: UploadDetails): Promise<VaultFile | UploadEnd>;
  /** Removes what was stored. No effect after `complete` has made a file. */
  discard(): Promise<void>;
}

/** Which part of the list is asked for. */
export interface VaultQuery {
  readonly order: "asc" | "desc";
  /** Only files behind this id in that order. */
  readonly after: string | undefined;
  /** Only files of this purpose. */
  readonly purpose: string | undefined;
  readonly limit: number;
}

/** The sealed files of all owners. */
export interface FileVault {
  /** Begins an upload; undefined when the owner has as many files as an account may have. */
  upload(owner: FileOwner): Promise<Upload | undefined>;
  get(owner: FileOwner, id: string): Promise<VaultFile | undefined>;
  list(
    owner: FileOwner,
    query: VaultQuery,
  ): Promise<{ readonly files: readonly VaultFile[]; readonly hasMore: boolean }>;
  /** The content, chunk by chunk, each opened when it is asked for. Fails when a chunk is damaged or missing. */
  content(owner: FileOwner, file: VaultFile): AsyncGenerator<Uint8Array<ArrayBuffer>, void>;
  /** False if there was none. */
  delete(owner: FileOwner, id: string): Promise<boolean>;
}

/** What {@linkcode createFileVault} works with. */
export interface FileVaultDependencies {
  readonly files: FileStore;
  readonly limits: UploadLimits;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Files of one account. Empty files cost a row each, which the allowance of bytes does not see. */
const maxFiles = 10_000;

/** How long an upload may go without filling a chunk; longer than any body that is not ended for being slow. */
const leaseMs = 10 * 60_000;

/** Plain bytes per chunk: with nonce and tag it fits into what every engine takes as one value. */
const chunkBytes = maxSealedChunkBytes - 28;

/** Files that are looked at in one go when a list is filtered. */
const pageSize = 200;

/** Builds a {@linkcode FileVault}. */
export function createFileVault({ files, limits, now }: FileVaultDependencies): FileVault {
  async function open(owner: FileOwner, stored: StoredFile): Promise<VaultFile> {
    const key = deriveFileKey(owner.key, stored.id);
    const plaintext = await openBuffer(key, stored.sealedHead, headAdditionalData(stored.id));
    const head = plaintext && decodeFileHead(plaintext);
    if (head === undefined) throw new Error("A stored file does not open with its owner's key.");
    const { id, createdAtMs, expiresAtMs } = stored;
    return { id, createdAtMs, expiresAtMs, ...head };
  }

  return {
    async upload(owner) {
      const nowMs = now();
      const id = `file-${ulid(nowMs)}`;
      const { ownerId, quotaId } = owner;
      const begun = await files.begin(
        { id, ownerId, quotaId, nowMs, leaseUntilMs: nowMs + leaseMs },
        maxFiles,
      );
      if (begun === "full") return undefined;
      return new SealingUpload(id, nowMs, deriveFileKey(owner.key, id), { files, limits, now });
    },

    async get(owner, id) {
      const stored = await files.get(owner.ownerId, id, now());
      return stored && await open(owner, stored);
    },

    async list(owner, { order, after, purpose, limit }) {
      const found: VaultFile[] = [];
      // The purpose is sealed, so that the store cannot choose by it.
      for (let behind = after; found.length <= limit;) {
        const page = await files.list(owner.ownerId, { nowMs: now(), order, after: behind, limit: pageSize });
        for (const stored of page) {
          const file = await open(owner, stored);
          if (purpose === undefined || file.purpose === purpose) found.push(file);
        }
        if (page.length < pageSize) break;
        behind = page.at(-1)?.id;
      }
      return { files: found.slice(0, limit), hasMore: found.length > limit };
    },

    async *content(owner, file) {
      const key = deriveFileKey(owner.key, file.id);
      for (let position = 0; position < file.chunks; position++) {
        const sealed = await files.readChunk(file.id, position);
        const aad = chunkAdditionalData(file.id, position, position === file.chunks - 1);
        const plaintext = sealed && await openBuffer(key, sealed, aad);
        if (plaintext === undefined) throw new Error("A part of a stored file is missing or damaged.");
        if (plaintext.length > 0) yield plaintext;
      }
    },

    delete: (owner, id) => files.delete(owner.ownerId, id),
  };
}

class SealingUpload implements Upload {
  readonly #id: string;
  readonly #startedAtMs: number;
  readonly #key: Uint8Array<ArrayBuffer>;
  readonly #files: FileStore;
  readonly #limits: UploadLimits;
  readonly #now: () => number;
  /** Not stored yet. A full chunk waits for more: only then it is known not to be the last one. */
  readonly #buffer = new Uint8Array(chunkBytes);
  #buffered = 0;
  #position = 0;
  #bytes = 0;

  constructor(
    id: string,
    startedAtMs: number,
    key: Uint8Array<ArrayBuffer>,
    { files, limits, now }: FileVaultDependencies,
  ) {
    this.#id = id;
    this.#startedAtMs = startedAtMs;
    this.#key = key;
    this.#files = files;
    this.#limits = limits;
    this.#now = now;
  }

  async write(bytes: Uint8Array): Promise<"written" | UploadEnd> {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#limits.maxUploadBytes) return "file_too_large";
    for (let offset = 0; offset < bytes.length;) {
      if (this.#buffered === chunkBytes) {
        const stored = await this.#store(false);
        if (stored !== "appended") return stored;
      }
      const piece = bytes.subarray(offset, offset + chunkBytes - this.#buffered);
      this.#buffer.set(piece, this.#buffered);
      this.#buffered += piece.length;
      offset += piece.length;
    }
    return "written";
  }

  async complete({ filename, purpose, lifetimeMs }: UploadDetails): Promise<VaultFile | UploadEnd> {
    const stored = await this.#store(true);
    if (stored !== "appended") return stored;
    const createdAtMs = this.#startedAtMs;
    const expiresAtMs = lifetimeMs === undefined ? undefined : createdAtMs + lifetimeMs;
    const head: FileHead = { filename, purpose, bytes: this.#bytes, chunks: this.#position };
    const sealedHead = await sealBuffer(this.#key, encodeFileHead(head), headAdditionalData(this.#id));
    const completed = await this.#files.complete(this.#id, { sealedHead, expiresAtMs }, this.#now());
    return completed === "gone" ? "gone" : { id: this.#id, createdAtMs, expiresAtMs, ...head };
  }

  discard(): Promise<void> {
    return this.#files.discard(this.#id);
  }

  async #store(last: boolean): Promise<"appended" | "over_quota" | "gone"> {
    const plaintext = this.#buffer.subarray(0, this.#buffered);
    const sealed = await sealBuffer(
      this.#key,
      plaintext,
      chunkAdditionalData(this.#id, this.#position, last),
    );
    const nowMs = this.#now();
    const outcome = await this.#files.append(
      this.#id,
      { position: this.#position, sealed, bytes: plaintext.length },
      { maxTotalBytes: this.#limits.maxTotalUploadBytes, nowMs, leaseUntilMs: nowMs + leaseMs },
    );
    this.#position += 1;
    this.#buffered = 0;
    return outcome;
  }
}
