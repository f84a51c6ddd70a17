/**
 * Secrets that an operator configures, and what may be shown or compared of any secret.
 *
 * @module
 */
import { hash, timingSafeEqual } from "node:crypto";

/** What {@linkcode parseSecret} found. `rule` completes a sentence that begins with the setting's name. */
export type SecretParse =
  | { readonly kind: "secret"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "rejected"; readonly rule: string };

/** The least length of a configured secret: the output size of SHA-256 (RFC 7518 section 3.2). */
const minSecretBytes = 32;

/**
 * Reads a configured secret: hexadecimal of either case, at least 32 bytes, and not one byte over and over, which is
 * a placeholder and no secret. The rule that was broken never repeats any of the value.
 */
export function parseSecret(hex: string): SecretParse {
  if (!/^[0-9a-fA-F]*$/.test(hex)) return rejected("must consist of hexadecimal digits only");
  if (hex.length < 2 * minSecretBytes) {
    return rejected(`must be at least ${minSecretBytes} bytes (${2 * minSecretBytes} hexadecimal digits)`);
  }
  if (hex.length % 2 !== 0) return rejected("must have an even number of hexadecimal digits");
  const bytes = Uint8Array.fromHex(hex);
  if (bytes.every((byte) => byte === bytes[0])) return rejected("must be random, not one byte repeated");
  return { kind: "secret", bytes };
}

/** A fresh random secret of 32 bytes, as {@linkcode parseSecret} reads it: 64 lower-case hexadecimal digits. */
export function generateSecretHex(): string {
  return crypto.getRandomValues(new Uint8Array(minSecretBytes)).toHex();
}

/** True unless both secrets are the same bytes; takes the same time wherever they begin to differ. */
export function secretsDiffer(a: Uint8Array, b: Uint8Array): boolean {
  return !constantTimeEqual(a, b);
}

/**
 * True if both are the same bytes; takes the same time wherever they begin to differ. Different lengths are told at
 * once, so compare digests where the length is a secret too.
 */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * The 12 hexadecimal digits by which a token may be named in a log: the beginning of its SHA-256. It tells two tokens
 * apart and says nothing about a random one. (`node:crypto` for the reason given in seal.ts: it is taken per
 * request.)
 */
export function fingerprint(token: string): Promise<string> {
  return Promise.resolve(hash("sha256", token, "hex").slice(0, 12));
}

function rejected(rule: string): SecretParse {
  return { kind: "rejected", rule };
}
