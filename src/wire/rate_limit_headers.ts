/**
 * OpenAI's rate limit headers (API reference, "Rate limits in headers"): two families of limit, remaining and reset.
 *
 * @module
 */

/** The six names. `-requests` counts calls and `-tokens` tokens; a reset is a duration such as `6m0s`. */
export const rateLimitHeaderNames: readonly string[] = Object.freeze([
  "x-ratelimit-limit-requests",
  "x-ratelimit-limit-tokens",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-remaining-tokens",
  "x-ratelimit-reset-requests",
  "x-ratelimit-reset-tokens",
]);

/** What the headers of the `-requests` family tell. */
export interface RequestLimit {
  /** How much a full window has. */
  readonly limit: number;
  /** How much of it is left; negative ones (overdrawn) are told as 0. */
  readonly remaining: number;
  /** Seconds until the window starts anew; undefined when nobody told. */
  readonly resetSeconds: number | undefined;
}

/**
 * The `-requests` headers of a limit. Remaining amounts are rounded to whole ones, and only nothing is told as 0: a
 * client that reads 0 stops asking.
 */
export function requestLimitHeaders(
  { limit, remaining, resetSeconds }: RequestLimit,
): Record<string, string> {
  const left = remaining <= 0 ? 0 : Math.max(1, Math.round(remaining));
  return {
    "x-ratelimit-limit-requests": String(limit),
    "x-ratelimit-remaining-requests": String(left),
    ...(resetSeconds === undefined ? {} : { "x-ratelimit-reset-requests": formatDuration(resetSeconds) }),
  };
}

/**
 * A duration as OpenAI writes it, in whole seconds rounded up: `59s`, `6m0s`, `120h0m0s`. There is no unit above hours;
 * times that have passed are `0s`.
 */
export function formatDuration(seconds: number): string {
  const total = Math.max(0, Math.ceil(seconds));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor(total / 60) % 60;
  const rest = `${total % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
