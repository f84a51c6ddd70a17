/**
 * What a provider adapter needs from the process around it. Handed in, so that tests own the network, the clock and
 * the randomness.
 *
 * @module
 */

import type { HttpSend } from "./http_sender.ts";

/** The outside world as a provider adapter sees it. */
export interface ProviderRuntime {
  /** Sends model calls, and what else may use the same connections. */
  readonly send: HttpSend;
  /** Sends requests to authorization servers; behaves as Deno's `fetch`, which also takes the `client` whose connections are to be used. */
  readonly fetch: (url: string, init: RequestInit & { client?: Deno.HttpClient }) => Promise<Response>;
  /** The current time, milliseconds since the epoch. */
  readonly now: () => number;
  /** A fresh random UUID (RFC 9562, version 4), for request ids. */
  readonly randomUuid: () => string;
}
