/**
 * Authenticated encryption of everything that is stored: AES-256-GCM (NIST SP 800-38D) with a 12-byte nonce and the
 * 16-byte tag appended to the ciphertext.
 *
 * This is `node:crypto` and not Web Crypto, because every call of a client opens a record. Web Crypto has to import
 * the key first (each record has its own) and moves each of the two operations to another thread and back. Measured
 * on Deno 2.9.6 with 3 KB, processor time per operation one after another and with 16 in flight: open 57 and 38 us
 * with Web Crypto, 18 and 18 us here; seal 49 and 30 us with Web Crypto, 24 and 24 us here. The promises stay in the
 * signatures, so that the choice can be made anew without touching a caller. The tests read each side's output with
 * Web Crypto.
 *
 * Nonces are random. A key seals one sign-in and is written once per refresh, far below the 2^32 messages that SP
 * 800-38D section 8.3 allows for random nonces.
 *
 * @module
 */
import { createCipheriv, createDecipheriv } from "node:crypto";

/** A ciphertext and the nonce that it was made with. */
export interface Sealed {
  /** The nonce, 12 bytes. */
  readonly iv: Uint8Array<ArrayBuffer>;
  /** The ciphertext with the 16-byte tag appended. */
  readonly blob: Uint8Array<ArrayBuffer>;
}

const algorithm = "aes-256-gcm";
const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;

/** A fresh random key, 32 bytes. */
export function generateKey(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(keyBytes));
}

/**
 * Encrypts `plaintext` under `key` with a fresh nonce and binds it to `additionalData`, which is not stored: the same
 * bytes have to be presented to open it.
 *
 * @throws {TypeError} If `key` is not exactly 32 bytes.
 */
export function sealWithKey(
  key: Uint8Array<ArrayBuffer>,
  plaintext: Uint8Array,
  additionalData: Uint8Array,
): Promise<Sealed> {
  return Promise.try(() => seal(key, plaintext, additionalData));
}

/**
 * The plaintext of `sealed`, or undefined when anything does not fit: another key, other additional data, or a nonce
 * or ciphertext that was changed, cut or extended. Which of them it was cannot be told.
 *
 * @throws {TypeError} If `key` is not exactly 32 bytes.
 */
export function openWithKey(
  key: Uint8Array<ArrayBuffer>,
  sealed: { readonly iv: Uint8Array; readonly blob: Uint8Array },
  additionalData: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return Promise.try(() => open(key, sealed.iv, sealed.blob, additionalData));
}

/**
 * As {@linkcode sealWithKey}, in one buffer: nonce, ciphertext, tag; 28 bytes longer than `plaintext`.
 *
 * @throws {TypeError} If `key` is not exactly 32 bytes.
 */
export function sealBuffer(
  key: Uint8Array<ArrayBuffer>,
  plaintext: Uint8Array,
  additionalData: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  return Promise.try(() => {
    const { iv, blob } = seal(key, plaintext, additionalData);
    return concatenate(iv, blob);
  });
}

/**
 * Opens what {@linkcode sealBuffer} made; undefined when anything does not fit.
 *
 * @throws {TypeError} If `key` is not exactly 32 bytes.
 */
export function openBuffer(
  key: Uint8Array<ArrayBuffer>,
  buffer: Uint8Array,
  additionalData: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return Promise.try(() => open(key, buffer.subarray(0, ivBytes), buffer.subarray(ivBytes), additionalData));
}

/**
 * The additional data of a record: format version 1, record id, 0x00, provider. A ciphertext that is moved to another
 * record, or whose JWT is made to name another provider, does not open.
 *
 * @throws {TypeError} If a part is empty or contains U+0000, because two pairs could then have one encoding.
 */
export function recordAdditionalData(recordId: string, provider: string): Uint8Array<ArrayBuffer> {
  for (const part of [recordId, provider]) {
    if (part === "" || part.includes("\0")) {
      throw new TypeError("Record id and provider must not be empty or contain U+0000.");
    }
  }
  return new TextEncoder().encode(`\x01${recordId}\0${provider}`);
}

function seal(key: Uint8Array<ArrayBuffer>, plaintext: Uint8Array, additionalData: Uint8Array): Sealed {
  requireKey(key);
  const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
  const cipher = createCipheriv(algorithm, key, iv, { authTagLength: tagBytes });
  cipher.setAAD(additionalData);
  const head = cipher.update(plaintext);
  const tail = cipher.final();
  return { iv, blob: concatenate(head, tail, cipher.getAuthTag()) };
}

function open(
  key: Uint8Array<ArrayBuffer>,
  iv: Uint8Array,
  blob: Uint8Array,
  additionalData: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  requireKey(key);
  if (iv.length !== ivBytes || blob.length < tagBytes) return undefined;
  const tagAt = blob.length - tagBytes;
  const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagBytes });
  decipher.setAAD(additionalData);
  decipher.setAuthTag(blob.subarray(tagAt));
  const head = decipher.update(blob.subarray(0, tagAt));
  try {
    return concatenate(head, decipher.final());
  } catch {
    // The tag does not fit. `head` is plaintext that nobody vouches for, and is dropped.
    return undefined;
  }
}

function requireKey(key: Uint8Array): void {
  if (key.length !== keyBytes) throw new TypeError("An AES-256-GCM key must be exactly 32 bytes.");
}

/** Copies into memory of its own: Node's buffers may be views of a pool that holds other plaintexts. */
function concatenate(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
