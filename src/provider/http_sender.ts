/**
 * Sending model calls over connections of our own: each call goes out once and is never repeated, no redirect is followed,
 * and an event costs little more than the socket itself.
 *
 * @module
 */
import type { ByteSource, UpstreamBody } from "../wire/byte_source.ts";
import { openBody, streamOf } from "../wire/byte_source.ts";
import { ConnectionBroken, HttpConnection } from "./http_connection.ts";

/** A request as it goes out. */
export interface OutgoingRequest {
  readonly method: "GET" | "POST";
  /** May hold a token. `host` and `content-length` follow from the rest. */
  readonly headers: Readonly<Record<string, string>>;
  readonly content?: Uint8Array<ArrayBuffer>;
}

/** What came back. A `Response` is one too. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** To be read or cancelled; null when there can be none. */
  readonly body: UpstreamBody | null;
}

/**
 * Sends one request once, and resolves with the head of its answer, whatever the status. Rejects with the signal's reason
 * when it aborts, and with an error for nobody's eyes when there is no usable answer. An abort later breaks the body off.
 */
export type HttpSend = (
  url: string,
  request: OutgoingRequest,
  signal: AbortSignal,
) => Promise<UpstreamAnswer>;

/** The connections of a relay to its upstreams. */
export interface HttpSender {
  readonly send: HttpSend;
  /** Ends the connections that wait for a next request. Those in use end with their request. */
  close(): void;
}

/** Connections that wait, per origin; what is beyond is closed. */
const maxRestingPerOrigin = 64;

/** Answers that never have content (RFC 9110 sections 15.3.5 and 15.4.5). */
const withoutContent: ReadonlySet<number> = new Set([204, 304]);

/** How long a connection may wait, milliseconds. Common servers close after 60 s or more. */
const maxRestMs = 45_000;

/**
 * Makes a sender. Upstreams are spoken to in HTTP/1.1, over TLS where the URL says https, with the system's or the runtime's certificates.
 * No HTTP proxy is used: who needs one sends by {@linkcode sendByFetch}.
 */
export function createHttpSender(): HttpSender {
  const restingOf = new Map<string, HttpConnection[]>();
  let closed = false;

  function take(origin: string): HttpConnection | undefined {
    // The one that came last: the others get the chance to end.
    return restingOf.get(origin)?.pop();
  }

  function remove(origin: string, connection: HttpConnection): void {
    const resting = restingOf.get(origin) ?? [];
    const at = resting.indexOf(connection);
    if (at !== -1) resting.splice(at, 1);
    if (resting.length === 0) restingOf.delete(origin);
  }

  /** The connection waits for a next request, or is closed. */
  function give(origin: string, connection: HttpConnection): void {
    const resting = restingOf.get(origin) ?? [];
    if (closed || !connection.reusable || resting.length >= maxRestingPerOrigin) return connection.close();
    resting.push(connection);
    restingOf.set(origin, resting);
    connection.rest(maxRestMs, () => remove(origin, connection));
  }

  return {
    async send(url, { method, headers, content }, signal): Promise<UpstreamAnswer> {
      signal.throwIfAborted();
      const target = new URL(url);
      const connection = take(target.origin) ?? await opened(target, signal);
      const abort = (): void => connection.close(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      const over = (): void => {
        signal.removeEventListener("abort", abort);
        give(target.origin, connection);
      };
      try {
        // It may have aborted while the connection was on its way from there to here.
        signal.throwIfAborted();
        const { status, headers: fields } = await connection.send({ method, url: target, headers, content });
        const source = contentOf(connection, over);
        if (!withoutContent.has(status)) return { status, headers: fields, body: decoded(source, fields) };
        await source.read();
        return { status, headers: fields, body: null };
      } catch (error) {
        connection.close();
        over();
        throw signal.aborted ? signal.reason : error;
      }
    },
    close(): void {
      closed = true;
      for (const resting of restingOf.values()) for (const connection of resting) connection.close();
      restingOf.clear();
    },
  };
}

async function opened(target: URL, signal: AbortSignal): Promise<HttpConnection> {
  try {
    return await HttpConnection.open(target, signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

/** The content of the answer; `over` is called once, when the connection has nothing more to do with it. */
function contentOf(connection: HttpConnection, over: () => void): ByteSource {
  let state: "open" | "ended" | "broken" = "open";
  const end = (whole: boolean): void => {
    if (state !== "open") return;
    state = whole ? "ended" : "broken";
    over();
  };
  return {
    read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
      // After its end the connection may be another request's. A broken one is nobody's, and goes on rejecting.
      return state === "ended" ? Promise.resolve(undefined) : connection.read(end);
    },
    cancel(): Promise<void> {
      // What is left of the content would have to be read before another request: ending it is what stops the upstream.
      if (state === "open") connection.close();
      end(true);
      return Promise.resolve();
    },
  };
}

/** Nothing is asked for in a coding; a few servers compress all the same. */
function decoded(content: ByteSource, headers: Headers): UpstreamBody {
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  switch (coding) {
    case "identity":
    case "":
      return content;
    case "gzip":
    case "deflate":
      return openBody(streamOf(content).pipeThrough(new DecompressionStream(coding)));
    default:
      void content.cancel();
      throw new ConnectionBroken("The upstream answered in a coding that is not understood.");
  }
}

/**
 * Sends by a `fetch`: for proxies, and for those who bring their own. A Blob, because Deno's fetch sends any body that it
 * can copy a second time when a connection from its pool closes without an answer. The upstream may have worked on the
 * first one for a minute, and bills both.
 */
export function sendByFetch(fetch: (url: string, init: RequestInit) => Promise<Response>): HttpSend {
  return (url, { method, headers, content }, signal) =>
    fetch(url, {
      method,
      headers,
      // A redirect would carry the bearer to a place that nobody configured: it comes back and is judged as an error.
      redirect: "manual",
      signal,
      ...(content === undefined ? {} : { body: new Blob([content]) }),
    });
}
