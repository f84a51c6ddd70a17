/**
 * The answer to a request that the limits refuse.
 *
 * @module
 */
import { openAiError } from "../wire/openai_error.ts";
import type { LimitCode, Refused } from "./limits.ts";

const sentences: Readonly<Record<LimitCode, string>> = Object.freeze({
  rate_limit_exceeded: "Too many requests to this relay. Wait as long as Retry-After says, and send fewer.",
  too_many_concurrent_requests: "Too many requests are in progress at this relay. Wait until one has ended.",
  ip_temporarily_blocked:
    "Too many failed authentications came from this address. It is blocked for as long as Retry-After says.",
});

/** A 429 in OpenAI's envelope, type `rate_limit_error`, with `Retry-After` (RFC 9110 section 10.2.3). */
export function limitedResponse({ code, headers }: Refused): Response {
  const error = openAiError({ message: sentences[code], type: "rate_limit_error", param: null, code });
  return Response.json(error, { status: 429, headers });
}
