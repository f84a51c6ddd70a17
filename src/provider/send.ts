/**
 * The one place that sends calls which carry an access token, and the judge of what comes back.
 *
 * @module
 */
import { parseObject } from "../wire/json.ts";
import { join, readBodyPrefix } from "./bounded_body.ts";
import type { UpstreamCall, UpstreamError, UpstreamReply } from "./provider.ts";
import type { ProviderRuntime } from "./runtime.ts";
import {
  isErrorDocument,
  judgeRefusal,
  readRefusal,
  type RefusalRules,
  timedOut,
  unintelligible,
  unreachable,
} from "./upstream_error.ts";

/** Error documents that come with a success status are small: longer documents are answers and are not looked into. */
const maxErrorDocumentBytes = 16 * 1024;

/** The most of a model list that is read, bytes. ChatGPT's carries the long base instructions of each model. */
const maxDocumentBytes = 8 * 1024 * 1024;

/** How fetching a small JSON document ended. */
export type DocumentOutcome =
  | { readonly kind: "document"; readonly text: string }
  | { readonly kind: "refused"; readonly error: UpstreamError };

/**
 * Sends one model call, once.
 *
 * Rejects only when `signal` aborts for another cause than time: a signal that aborts with a `TimeoutError` (as
 * `AbortSignal.timeout` does) is answered with status 504.
 */
export async function sendCall(
  url: string,
  headers: Readonly<Record<string, string>>,
  call: UpstreamCall,
  rules: RefusalRules,
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<UpstreamReply> {
  // A Blob, because Deno's fetch sends any body that it can copy a second time when a connection from its pool closes
  // without an answer. The upstream may have worked on the first one for a minute, and bills both.
  const body = new Blob([call.bytes ?? JSON.stringify(call.body)]);
  const response = await fetchUnredirected(url, { method: "POST", headers, body }, runtime, signal);
  if (response === undefined) return { kind: "refused", error: failureOf(signal, rules) };
  const reply = await judgeReply(response, call.body["stream"] === true, rules, runtime.now());
  // Judging read a body: if the caller left meanwhile, what was judged was only a beginning.
  if (signal.aborted) return await leave(reply, signal, rules);
  return reply;
}

/**
 * Judges the answer to a model call.
 *
 * @param wantsStream Whether an event stream was asked for; decides only where the answer names no content type.
 */
export async function judgeReply(
  response: Response,
  wantsStream: boolean,
  rules: RefusalRules,
  nowMs: number,
): Promise<UpstreamReply> {
  const { body, headers } = response;
  if (!response.ok) return { kind: "refused", error: await judgeRefusal(response, rules, nowMs), headers };
  const contentType = (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (body === null) return { kind: "refused", error: unintelligible(rules) };
  if (contentType === "text/event-stream" || (contentType === "" && wantsStream)) {
    return { kind: "stream", body, headers };
  }
  // GitHub sends JSON as text/plain. Anything else with a success status is a page of something in between.
  if (!["", "application/json", "text/plain"].includes(contentType) && !contentType.endsWith("+json")) {
    await body.cancel();
    return { kind: "refused", error: unintelligible(rules) };
  }
  return await judgeDocument(response, body, rules, nowMs);
}

/** Fetches one JSON document of the account, e.g. its model list. Rejects as {@linkcode sendCall} does. */
export async function fetchDocument(
  url: string,
  headers: Readonly<Record<string, string>>,
  rules: RefusalRules,
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<DocumentOutcome> {
  const response = await fetchUnredirected(url, { method: "GET", headers }, runtime, signal);
  if (response === undefined) return { kind: "refused", error: failureOf(signal, rules) };
  if (!response.ok) {
    const error = await judgeRefusal(response, rules, runtime.now());
    return { kind: "refused", error: signal.aborted ? failureOf(signal, rules) : error };
  }
  const { bytes, extent } = await readBodyPrefix(response, maxDocumentBytes);
  if (extent === "all") return { kind: "document", text: new TextDecoder().decode(bytes) };
  return { kind: "refused", error: extent === "longer" ? unintelligible(rules) : failureOf(signal, rules) };
}

async function fetchUnredirected(
  url: string,
  init: {
    method: string;
    headers: Readonly<Record<string, string>>;
    body?: Blob;
  },
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<Response | undefined> {
  try {
    // A redirect would carry the bearer to a place that nobody configured: it comes back and is judged as an error.
    return await runtime.fetch(url, { ...init, redirect: "manual", signal });
  } catch {
    return undefined;
  }
}

/** Why nothing came back: the caller's abort is thrown on, the rest is an error for the client. */
function failureOf(signal: AbortSignal, rules: RefusalRules): UpstreamError {
  if (!signal.aborted) return unreachable(rules);
  const { reason } = signal;
  if (reason instanceof DOMException && reason.name === "TimeoutError") return timedOut(rules);
  throw reason;
}

async function leave(reply: UpstreamReply, signal: AbortSignal, rules: RefusalRules): Promise<UpstreamReply> {
  await discardReply(reply);
  return { kind: "refused", error: failureOf(signal, rules) };
}

/** Releases the connection of an answer that nobody reads. Resolves in any case. */
export async function discardReply(reply: UpstreamReply): Promise<void> {
  if (reply.kind === "refused" || !(reply.body instanceof ReadableStream)) return;
  await reply.body.cancel().catch(() => {});
}

async function judgeDocument(
  response: Response,
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  rules: RefusalRules,
  nowMs: number,
): Promise<UpstreamReply> {
  const { status, headers } = response;
  const announced = headers.get("content-length");
  if (Number(announced ?? 0) > maxErrorDocumentBytes) return { kind: "json", body, headers };
  let document: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
  try {
    // One read of the whole costs half of what reading piece by piece does.
    document = announced === null ? await readShort(body) : await response.bytes();
  } catch {
    return { kind: "refused", error: unreachable(rules) };
  }
  if (document instanceof Uint8Array) {
    const text = new TextDecoder().decode(document);
    const json = parseObject(text);
    if (json !== undefined && isErrorDocument(json)) {
      return { kind: "refused", error: readRefusal(status, headers, text, rules, nowMs), headers };
    }
  }
  return { kind: "json", body: document, headers };
}

/** The bytes of a document that is short enough to be an error, or a stream with the same bytes. */
async function readShort(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>> {
  const reader = body.getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  while (length <= maxErrorDocumentBytes) {
    const { done, value } = await reader.read();
    if (done) return join(chunks, length);
    chunks.push(value);
    length += value.byteLength;
  }
  return replay(chunks, reader);
}

/** The chunks already read, then the rest of the stream, by pull; cancelling it cancels the upstream. */
function replay(
  chunks: Uint8Array<ArrayBuffer>[],
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const chunk = chunks.shift() ?? (await reader.read()).value;
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
