/**
 * The one place that sends calls which carry an access token, and the judge of what comes back.
 *
 * @module
 */
import { parseObject } from "../wire/json.ts";
import { type ByteSource, openBody, type UpstreamBody } from "../wire/byte_source.ts";
import { join, readBodyPrefix } from "./bounded_body.ts";
import type { UpstreamAnswer } from "./http_sender.ts";
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

const encoder = new TextEncoder();

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
  const content = call.bytes ?? encoder.encode(JSON.stringify(call.body));
  const answer = await runtime.send(url, { method: "POST", headers, content }, signal).catch(() => undefined);
  if (answer === undefined) return { kind: "refused", error: failureOf(signal, rules) };
  const reply = await judgeReply(answer, call.body["stream"] === true, rules, runtime.now());
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
  answer: UpstreamAnswer,
  wantsStream: boolean,
  rules: RefusalRules,
  nowMs: number,
): Promise<UpstreamReply> {
  const { status, body, headers } = answer;
  if (status < 200 || status > 299) {
    return { kind: "refused", error: await judgeRefusal(answer, rules, nowMs), headers };
  }
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
  return await judgeDocument(status, headers, body, rules, nowMs);
}

/** Fetches one JSON document of the account, e.g. its model list. Rejects as {@linkcode sendCall} does. */
export async function fetchDocument(
  url: string,
  headers: Readonly<Record<string, string>>,
  rules: RefusalRules,
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<DocumentOutcome> {
  const answer = await runtime.send(url, { method: "GET", headers }, signal).catch(() => undefined);
  if (answer === undefined) return { kind: "refused", error: failureOf(signal, rules) };
  if (answer.status < 200 || answer.status > 299) {
    const error = await judgeRefusal(answer, rules, runtime.now());
    return { kind: "refused", error: signal.aborted ? failureOf(signal, rules) : error };
  }
  const { bytes, extent } = await readBodyPrefix(answer.body, maxDocumentBytes);
  if (extent === "all") return { kind: "document", text: new TextDecoder().decode(bytes) };
  return { kind: "refused", error: extent === "longer" ? unintelligible(rules) : failureOf(signal, rules) };
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
  if (reply.kind === "refused" || reply.body instanceof Uint8Array) return;
  await reply.body.cancel().catch(() => {});
}

async function judgeDocument(
  status: number,
  headers: Headers,
  body: UpstreamBody,
  rules: RefusalRules,
  nowMs: number,
): Promise<UpstreamReply> {
  const announced = headers.get("content-length");
  if (Number(announced ?? 0) > maxErrorDocumentBytes) return { kind: "json", body, headers };
  let document: Uint8Array<ArrayBuffer> | ByteSource;
  try {
    // In one read where that is known to be all: a stream's costs half of what reading piece by piece does.
    document = announced !== null && body instanceof ReadableStream
      ? await new Response(body).bytes()
      : await readShort(openBody(body));
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

/** The bytes of a document that is short enough to be an error, or a source of the same bytes. */
async function readShort(source: ByteSource): Promise<Uint8Array<ArrayBuffer> | ByteSource> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  while (length <= maxErrorDocumentBytes) {
    const bytes = await source.read();
    if (bytes === undefined) return join(chunks, length);
    // A copy, because the source uses its buffer again.
    chunks.push(bytes.slice());
    length += bytes.byteLength;
  }
  return replay(chunks, source);
}

/** The chunks already read, then the rest; cancelling it cancels the upstream. */
function replay(chunks: Uint8Array<ArrayBuffer>[], rest: ByteSource): ByteSource {
  return {
    read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
      const chunk = chunks.shift();
      return chunk === undefined ? rest.read() : Promise.resolve(chunk);
    },
    cancel: (reason): Promise<void> => rest.cancel(reason),
  };
}
