/**
 * The caller's credential as it comes in.
 *
 * @module
 */

/**
 * The bearer token of the `Authorization` header (RFC 6750, section 2.1), or undefined when there is none or the header
 * is of another scheme. The scheme's case does not matter. Tokens in the query string are not looked for: URLs end up
 * in logs.
 */
export function bearerToken(headers: Headers): string | undefined {
  const header = headers.get("authorization");
  if (header === null || header.length > maxHeaderLength) return undefined;
  return /^bearer +([^\s,]+) *$/i.exec(header)?.[1];
}

/** A session JWT is well under 1 KiB; what is longer than this is not worth looking at. */
const maxHeaderLength = 8192;
