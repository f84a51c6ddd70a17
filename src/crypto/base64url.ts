/**
 * base64url without padding (RFC 4648 section 5), in the one spelling that each byte string has.
 *
 * @module
 */

/** The unpadded base64url text of `bytes`. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * The bytes of `text`, or undefined unless `text` is exactly what {@linkcode encodeBase64Url} writes for them.
 *
 * Ordinary decoders also accept padding, white space and stray low bits in the last character. Where the text itself
 * is a credential, that would make several credentials out of one.
 */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return undefined;
  }
  return encodeBase64Url(bytes) === text ? bytes : undefined;
}
