/**
 * Ids that follow from a plan's digest, so that the same request gets the same ids.
 *
 * @module
 */

/** A UUID, version 4 in shape, made of at least 32 hexadecimal digits. */
export function uuidOfDigest(digest: string): string {
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `4${digest.slice(13, 16)}`,
    `8${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join("-");
}
