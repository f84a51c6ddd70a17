/**
 * How files are sealed: under a key of their own, chunk by chunk, so that a file is never held whole and a chunk that was
 * moved, repeated or left out does not open. (`node:crypto` for the reason given in seal.ts: a list of files needs a key for
 * each.)
 *
 * @module
 */
import { hkdfSync } from "node:crypto";

const info = "authai-relay file v1\0";

/**
 * The key of one file: 32 bytes, HKDF-SHA256 (RFC 5869) of the owner's key, no salt, info "authai-relay file v1", 0x00 and
 * the file's id. A file has its key alone, so that the number of chunks that one key seals stays far below what random
 * nonces allow (NIST SP 800-38D, section 8.3), and no file's ciphertext opens under another's name.
 */
export function deriveFileKey(ownerKey: Uint8Array<ArrayBuffer>, fileId: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdfSync("sha256", ownerKey, new Uint8Array(0), info + fileId, 32));
}

/**
 * The additional data of a chunk: "chunk", 0x00, file id, 0x00, position as a decimal number, 0x00, "last" or "more". A
 * file that was cut behind any chunk does not open as a whole one.
 */
export function chunkAdditionalData(
  fileId: string,
  position: number,
  last: boolean,
): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`chunk\0${fileId}\0${position}\0${last ? "last" : "more"}`);
}

/** The additional data of what a file says about itself: "head", 0x00, file id. */
export function headAdditionalData(fileId: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`head\0${fileId}`);
}
