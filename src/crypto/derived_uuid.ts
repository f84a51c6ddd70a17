/**
 * Ids that are made of what they stand for.
 *
 * @module
 */
import { createHmac } from "node:crypto";

/**
 * A UUID of version 8 (RFC 9562 section 5.8) from the first 128 bits of HMAC-SHA256(`key`, `message`): the same for the
 * same two texts, and without `key` neither comparable nor reversible.
 *
 * `node:crypto` for the reason given in seal.ts: one is derived per call.
 */
export function derivedUuid(key: string, message: string): string {
  const hex = createHmac("sha256", key).update(message).digest("hex");
  const variant = (0x8 | (Number.parseInt(hex.charAt(16), 16) & 0x3)).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
