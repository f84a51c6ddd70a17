/**
 * Answers of authorization servers that decide nothing: the step may be tried again, and nobody is signed out for them.
 *
 * @module
 */
import { retryAfterSeconds } from "./retry_after.ts";

/** True for a status that says nothing about the request itself: 429 and every 5xx. */
export function isTransient(status: number): boolean {
  return status === 429 || status >= 500;
}

/** The outcome for an answer that decides nothing, with the time that the server asks for. */
export function unavailable(
  response: Response,
  nowMs: number,
): { readonly kind: "unavailable"; readonly reason: string; readonly retryAfterMs?: number } {
  const seconds = retryAfterSeconds(response.headers, nowMs);
  return {
    kind: "unavailable",
    reason: `http_${response.status}`,
    ...(seconds === undefined ? {} : { retryAfterMs: seconds * 1000 }),
  };
}
