/** What the tests of sending have in common: both senders, requests, and answers as a raw server says them. */
import {
  createHttpSender,
  type HttpSend,
  type OutgoingRequest,
  sendByFetch,
  type UpstreamAnswer,
} from "../../src/provider/http_sender.ts";
import { openBody } from "../../src/wire/byte_source.ts";
import type { RawPeer } from "./raw_server.ts";

/** A sender of its own for each test. */
export interface OpenSender extends Disposable {
  readonly send: HttpSend;
}

/** Connections of our own. */
export function ownSender(): OpenSender {
  const sender = createHttpSender();
  return { send: sender.send, [Symbol.dispose]: () => sender.close() };
}

/** Deno's fetch, with a pool of its own. */
function fetchSender(): OpenSender {
  const client = Deno.createHttpClient({});
  return {
    send: sendByFetch((url, init) => fetch(url, { ...init, client })),
    [Symbol.dispose]: () => client.close(),
  };
}

/** Both ways of sending, which keep one contract. */
export const SENDERS = [["createHttpSender().send", ownSender], ["sendByFetch(fetch)", fetchSender]] as const;

/** A request without content. */
export const GET: OutgoingRequest = { method: "GET", headers: {} };

/** A request with content. */
export const POST: OutgoingRequest = {
  method: "POST",
  headers: { "content-type": "application/json" },
  content: new TextEncoder().encode('{"model":"m"}'),
};

/** A whole answer. */
export const LENGTH_2 = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/** A head whose content is still to come, chunked. */
export const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/** The content, one character for each byte. */
export async function contentOf({ body }: UpstreamAnswer): Promise<string | null> {
  if (body === null) return null;
  const source = openBody(body);
  let text = "";
  for (;;) {
    const bytes = await source.read();
    if (bytes === undefined) return text;
    text += Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  }
}

/** A server that answers each request of each connection with the same bytes, and ends the connection if it is told to. */
export function answering(answer: string, thenEnd = false): (peer: RawPeer) => Promise<void> {
  return async (peer) => {
    while (await peer.request() !== undefined) {
      await peer.say(answer);
      if (thenEnd) return;
    }
  };
}

/** A document that comes in several pieces. */
export const DOCUMENT = `{"text":"${"x".repeat(50_000)}"}`;

/** An answer with the document, one character for each byte. */
export async function compressedAnswer(coding: "gzip" | "deflate"): Promise<string> {
  const compressed = new Blob([DOCUMENT]).stream().pipeThrough(new CompressionStream(coding));
  const bytes = await new Response(compressed).bytes();
  const head = `HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\ncontent-length: ${bytes.length}\r\n\r\n`;
  return head + Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
