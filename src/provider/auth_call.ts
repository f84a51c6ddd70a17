/**
 * The one place that talks to authorization servers: a bounded time, a bounded answer, no redirect. It sends; what an
 * answer means is judged by the functions that take a `Response`.
 *
 * @module
 */
import { readBodyPrefix } from "./bounded_body.ts";
import type { ProviderRuntime } from "./runtime.ts";

/** Time limit of a call to an authorization server unless the caller names another, milliseconds. */
export const authTimeoutMs = 30_000;

/** The most of an answer that is read, bytes. Token answers are a few KiB; longer ones are refused whole. */
const maxAnswerBytes = 1024 * 1024;

/** One request to an authorization server. */
export interface AuthRequest {
  /** The HTTP method. */
  readonly method: "GET" | "POST";
  /** The absolute URL. */
  readonly url: string;
  /** The header fields; may hold a token. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it goes out; absent for none. */
  readonly body?: string;
  /** Time limit for the whole exchange, milliseconds; {@linkcode authTimeoutMs} by default. */
  readonly timeoutMs?: number;
  /** The most of the answer that is read, bytes; 1 MiB by default. */
  readonly maxAnswerBytes?: number;
}

/** How a call ended. */
export type AuthReply =
  /** `response` has its whole body in memory: reading it neither waits nor fails. */
  | { readonly kind: "answered"; readonly response: Response }
  /** No usable answer; `reason` is a safe code for the log. */
  | { readonly kind: "unreachable"; readonly reason: "timed_out" | "network_error" | "answer_too_large" };

/**
 * Sends one request, once. Redirects are not followed, they come back as the answer: a redirect must not carry a token
 * to another place. Rejects only when `signal` aborts, with its reason.
 *
 * Each call has a connection of its own. Deno's fetch sends a request again, a POST too, when a connection from its pool
 * closes without an answer: the authorization server would see a single-use code or refresh token twice, and end the
 * grant.
 */
export async function callAuthServer(
  request: AuthRequest,
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<AuthReply> {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const deadline = AbortSignal.timeout(request.timeoutMs ?? authTimeoutMs);
  try {
    const response = await runtime.fetch(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      redirect: "manual",
      client,
      signal: AbortSignal.any([signal, deadline]),
    });
    const { bytes, extent } = await readBodyPrefix(response.body, request.maxAnswerBytes ?? maxAnswerBytes);
    if (extent === "longer") return { kind: "unreachable", reason: "answer_too_large" };
    if (extent === "all") return { kind: "answered", response: inMemory(response, bytes) };
  } catch {
    // The causes are told apart below: a fetch rejects with the signal's reason, which may be any value.
  }
  signal.throwIfAborted();
  return { kind: "unreachable", reason: deadline.aborted ? "timed_out" : "network_error" };
}

/** Header fields of a form post (RFC 6749 section 4.1.3) whose answer shall be JSON. */
export const formHeaders: Readonly<Record<string, string>> = Object.freeze({
  "content-type": "application/x-www-form-urlencoded",
  "accept": "application/json",
});

/** Header fields of a JSON post whose answer shall be JSON. */
export const jsonHeaders: Readonly<Record<string, string>> = Object.freeze({
  "content-type": "application/json",
  "accept": "application/json",
});

function inMemory(response: Response, bytes: Uint8Array<ArrayBuffer>): Response {
  // The Response constructor refuses a body, even an empty one, for these.
  const bodiless = response.status === 204 || response.status === 205 || response.status === 304;
  return new Response(bodiless ? null : bytes, { status: response.status, headers: response.headers });
}
