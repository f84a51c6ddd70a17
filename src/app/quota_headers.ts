/**
 * Telling a client of every answer what is left of its limits.
 *
 * @module
 */
import type { Provider } from "../provider/provider.ts";
import type { Sent } from "./model_answer.ts";

/**
 * `response` with the `x-ratelimit-*` headers that follow from the upstream's own, whether it answered or refused. As it
 * is when the upstream told nothing, or was not reached.
 */
export function withQuotaHeaders(response: Response, sent: Sent, provider: Provider): Response {
  const upstream = "headers" in sent ? sent.headers : undefined;
  if (upstream === undefined) return response;
  for (const [name, value] of Object.entries(provider.quotaHeaders(upstream))) {
    response.headers.set(name, value);
  }
  return response;
}
