/**
 * The name of a request, for the client's bug report and the operator's log.
 *
 * @module
 */
import { monotonicFactory } from "ulid";

/** The header that tells it. */
const requestIdHeader = "x-request-id";

/**
 * Makes ids: `req_` and a ULID of the time. Clients' own are not taken over: they would let one client write into another's
 * log lines. The monotonic kind is used because it costs a twentieth of a fresh random one per request.
 */
export function createRequestIds(now: () => number): () => string {
  const next = monotonicFactory();
  return () => `req_${next(now())}`;
}

/** `response` with the id of its request. */
export function withRequestId(response: Response, requestId: string): Response {
  try {
    response.headers.set(requestIdHeader, requestId);
    return response;
  } catch {
    // What a middleware hands on from its own fetch has headers that cannot be changed.
    const copy = new Response(response.body, response);
    copy.headers.set(requestIdHeader, requestId);
    return copy;
  }
}
