/**
 * A real HTTP server on loopback that answers as a test says and remembers what it was asked.
 *
 * @module
 */
import { openBody, streamOf, type UpstreamBody } from "../../src/wire/byte_source.ts";
import { sendByFetch } from "../../src/provider/http_sender.ts";
import type { ProviderRuntime } from "../../src/provider/runtime.ts";

/** One request as it arrived. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Runs `test` against a server that answers with `answer`, and stops it. */
export async function withUpstream(
  answer: (request: ReceivedRequest, origin: string) => Response | Promise<Response>,
  test: (origin: string, received: ReceivedRequest[]) => Promise<void>,
): Promise<void> {
  const received: ReceivedRequest[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const url = new URL(request.url);
    const seen = {
      method: request.method,
      path: url.pathname + url.search,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    };
    received.push(seen);
    return await answer(seen, url.origin);
  });
  try {
    await test(`http://127.0.0.1:${server.addr.port}`, received);
  } finally {
    await server.shutdown();
  }
}

/** The time at which the tests' clock stands: 2026-11-22T00:00:00Z. */
export const nowMs = Date.UTC(2026, 10, 22);

/** A runtime with the real network, a standing clock and a known UUID. */
export const runtime: ProviderRuntime = Object.freeze({
  send: sendByFetch(fetch),
  fetch: (url: string, init: RequestInit) => fetch(url, init),
  now: () => nowMs,
  randomUuid: () => "00000000-0000-4000-8000-000000000000",
});

/** A runtime whose network is `answer`, for tests about the network itself. */
export function runtimeWithFetch(answer: ProviderRuntime["fetch"]): ProviderRuntime {
  return { ...runtime, send: sendByFetch(answer), fetch: answer };
}

/** The whole text of an upstream's body. */
export function bodyText(body: Uint8Array<ArrayBuffer> | UpstreamBody): Promise<string> {
  return new Response(body instanceof Uint8Array ? body : streamOf(openBody(body))).text();
}

/** A JSON response. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}

/** A challenge page as Cloudflare sends it. */
export function challengePage(status = 403): Response {
  return new Response("<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>", {
    status,
    headers: { "content-type": "text/html; charset=UTF-8" },
  });
}

/** An unsigned JWT with these claims. */
export function jwt(claims: unknown): string {
  const encode = (value: unknown): string =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });
  return `${encode({ alg: "none", typ: "JWT" })}.${encode(claims)}.c2lnbmF0dXJl`;
}

/** A signal that never aborts. */
export function noAbort(): AbortSignal {
  return new AbortController().signal;
}
