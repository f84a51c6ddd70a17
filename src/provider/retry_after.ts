/**
 * When to try again, as upstreams say it.
 *
 * @module
 */

/** Longer waits are taken for nonsense: the longest window that any upstream has is one month. */
const maxSeconds = 31 * 24 * 3600;

/**
 * The `Retry-After` header in seconds, rounded up (RFC 9110 section 10.2.3: delta seconds or an HTTP date). Undefined
 * when it is absent, unreadable or longer than 31 days; 0 when the date has passed.
 */
export function retryAfterSeconds(headers: Headers, nowMs: number): number | undefined {
  const value = headers.get("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(value)) return plausibleWait(Number(value));
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : plausibleWait((atMs - nowMs) / 1000);
}

/** A wait in whole seconds, rounded up and not below 0; undefined when it is longer than 31 days. */
export function plausibleWait(seconds: number): number | undefined {
  return seconds > maxSeconds ? undefined : Math.max(0, Math.ceil(seconds));
}
