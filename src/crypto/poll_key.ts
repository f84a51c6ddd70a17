/**
 * The session id of a sign-in in progress, and the two values that are derived from it: the name under which the
 * state is stored and the key that seals it. The id is with the polling client only. Whoever copies the store has
 * names from which the id cannot be found (256 random bits) and ciphertexts that need it.
 *
 * @module
 */
import { encodeBase64Url } from "./base64url.ts";

/** What {@linkcode pollKeys} derives. */
export interface PollKeys {
  /** The name in the store: base64url(SHA-256("authai-relay poll storage v1" || 0x00 || id bytes)), 43 characters. */
  readonly storageKey: string;
  /** 32 bytes: HKDF-SHA256 (RFC 5869) of the id bytes, no salt, info "authai-relay poll seal v1". */
  readonly sealKey: Uint8Array<ArrayBuffer>;
}

const storageLabel = "authai-relay poll storage v1\0";
const sealInfo = "authai-relay poll seal v1";

/** A fresh session id: 32 random bytes in base64url, 43 characters, safe in a URL path. */
export function generateSessionId(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(32)));
}

/** True if `text` is 43 characters of base64url that stand for exactly 32 bytes, in their one spelling. */
export function isSessionId(text: string): boolean {
  // 43 characters hold 258 bits, so the last one must end in two zero bits.
  return /^[0-9A-Za-z_-]{42}[AEIMQUYcgkosw048]$/.test(text);
}

/**
 * Derives the storage key and the seal key of a session. Neither tells anything about the other.
 *
 * Rejects with a `TypeError` unless {@linkcode isSessionId} holds.
 */
export async function pollKeys(sessionId: string): Promise<PollKeys> {
  if (!isSessionId(sessionId)) throw new TypeError("A session id must be 32 bytes in base64url.");
  const id = Uint8Array.fromBase64(sessionId, { alphabet: "base64url" });
  const label = new TextEncoder().encode(storageLabel);
  const labelled = new Uint8Array(label.length + id.length);
  labelled.set(label);
  labelled.set(id, label.length);
  const secret = await crypto.subtle.importKey("raw", id, "HKDF", false, ["deriveBits"]);
  const [name, key] = await Promise.all([
    crypto.subtle.digest("SHA-256", labelled),
    crypto.subtle.deriveBits(
      {
        name: "HKDF",
        hash: "SHA-256",
        salt: new Uint8Array(0),
        info: new TextEncoder().encode(sealInfo),
      },
      secret,
      256,
    ),
  ]);
  return { storageKey: encodeBase64Url(new Uint8Array(name)), sealKey: new Uint8Array(key) };
}
