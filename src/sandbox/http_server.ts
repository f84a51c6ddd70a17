/**
 * The listener under the sandbox. It is `node:http` and not `Deno.serve`, because a simulated upstream has to close
 * connections without an answer, and has to notice at any moment that its client has left: `Deno.serve` offers no way to
 * do the first, and misses the second while an answer has not begun and the request body was over some 250 bytes.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { ConnectionDropped } from "./interruption.ts";

/** One request and its answer. */
export interface Exchange {
  /** Makes the answer; rejects with {@linkcode ConnectionDropped} to close the connection without one. */
  answer(): Promise<Response>;
  /** Called once, when the answer has ended. */
  ended(how: "sent" | "client_left" | "dropped"): void;
}

/** What the listener needs. */
export interface HttpServerOptions {
  readonly hostname: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Bodies above this are refused with 413. */
  readonly maxBodyBytes: number;
  /** Begins an exchange. `request.signal` aborts when the client leaves before the answer is fully sent. */
  begin(request: Request, body: Uint8Array<ArrayBuffer>): Exchange;
}

/** A running listener. */
export interface HttpServer {
  readonly port: number;
  /** Stops listening and breaks every connection. */
  close(): Promise<void>;
}

/** Starts to listen; rejects when the address cannot be had. */
export function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const sockets = new Set<Socket>();
  const server = createServer((incoming, outgoing) => {
    // An error event without a listener would end the process; the close event tells all that is needed.
    incoming.on("error", () => {});
    outgoing.on("error", () => {});
    serve(incoming, outgoing, options).catch(() => outgoing.destroy());
  });
  // A connection closed for idleness at the moment of its reuse would fail requests at random.
  server.keepAliveTimeout = 0;
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.hostname, () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" && address !== null ? address.port : options.port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}

async function serve(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: HttpServerOptions,
): Promise<void> {
  const left = new AbortController();
  outgoing.on("close", () => {
    if (!outgoing.writableFinished) left.abort(new Error("The client has left."));
  });
  const body = await readBody(incoming, options.maxBodyBytes);
  const path = incoming.url ?? "";
  if (body === undefined || !path.startsWith("/")) {
    outgoing.writeHead(body === undefined ? 413 : 400).end();
    return;
  }
  const request = new Request(`http://${incoming.headers.host ?? options.hostname}${path}`, {
    method: incoming.method ?? "GET",
    headers: headersOf(incoming),
    signal: left.signal,
    ...(incoming.method === "GET" || incoming.method === "HEAD" ? {} : { body }),
  });
  const exchange = options.begin(request, body);
  let dropped = false;
  try {
    const response = await exchange.answer();
    await send(response, incoming.method === "HEAD", outgoing, left.signal);
  } catch (error) {
    // A client that has left cannot be told anything, and what it caused is no fault of the sandbox.
    dropped = !left.signal.aborted && error instanceof ConnectionDropped;
    if (dropped || left.signal.aborted || outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(500).end(`The sandbox failed: ${error instanceof Error ? error.message : "?"}\n`);
  } finally {
    exchange.ended(dropped ? "dropped" : left.signal.aborted ? "client_left" : "sent");
  }
}

/** The whole body, or undefined when it is too large. */
async function readBody(
  incoming: IncomingMessage,
  maxBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    if (!(chunk instanceof Uint8Array)) continue;
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

function headersOf(incoming: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return headers;
}

/** Sends status, headers and body at the client's pace. Resolves when all is sent or the client has left. */
async function send(
  response: Response,
  headOnly: boolean,
  outgoing: ServerResponse,
  left: AbortSignal,
): Promise<void> {
  outgoing.writeHead(response.status, [...response.headers].flat());
  const reader = headOnly ? undefined : response.body?.getReader();
  if (reader !== undefined) {
    outgoing.flushHeaders();
    const leave = () => void reader.cancel(left.reason).catch(() => {});
    left.addEventListener("abort", leave, { once: true });
    for (;;) {
      const { done, value } = await reader.read();
      if (done || left.aborted) break;
      if (!outgoing.write(value)) await drained(outgoing);
    }
    left.removeEventListener("abort", leave);
  }
  if (left.aborted) return;
  await new Promise<void>((resolve) => {
    outgoing.once("close", resolve);
    outgoing.end(resolve);
  });
}

/** Resolves when more may be written, or nothing ever again. */
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      outgoing.off("drain", go);
      outgoing.off("close", go);
      resolve();
    };
    outgoing.on("drain", go);
    outgoing.on("close", go);
  });
}
