/**
 * Telling requests that came through a proxy from those of programs on this machine.
 *
 * @module
 */

/** What proxies add (RFC 7239, RFC 9110 section 7.6.3, and the older names that all of them know). */
const proxyFields: readonly string[] = Object.freeze([
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
]);

/**
 * Whether a proxy has passed the request on. Where no credential is asked for this is what tells a stranger from the owner: to
 * the relay both come from a loopback address.
 */
export function isProxied(headers: Headers): boolean {
  return proxyFields.some((name) => headers.has(name));
}
