/**
 * From an upstream's answer to the response that the client gets: a stream or one document, whichever was asked for.
 *
 * @module
 */
import type { Provider, UpstreamError, UpstreamReply } from "../provider/provider.ts";
import { discardReply } from "../provider/send.ts";
import { relayStream } from "../translate/relay_stream.ts";
import { ownFailure, type StreamFailure } from "../translate/stream_failure.ts";
import type { DocumentAnswer, Translation } from "../translate/translation.ts";
import type { LateUpstream } from "../translate/upstream_source.ts";
import { type ByteSource, openBody, streamOf, type UpstreamBody } from "../wire/byte_source.ts";
import { parseObject } from "../wire/json.ts";
import { errorResponse, notFreshError, notFreshResponse, upstreamErrorResponse } from "./errors.ts";
import type { Caller } from "./caller.ts";
import { documentUsage, watchDocument } from "./document_usage.ts";
import type { ReportEnd } from "./request_trace.ts";
import type { StreamTiming } from "./stream_timing.ts";
import type { Timers } from "./timers.ts";
import type { NotFresh } from "./with_fresh_grant.ts";

/** How sending a call ended. */
export type Sent = UpstreamReply | NotFresh;

/** What else an answer needs. */
export interface AnswerContext {
  readonly provider: Provider;
  readonly caller: Pick<Caller, "kind">;
  /** Keeps the request's place among those in progress until the returned function is called. */
  readonly hold: () => () => void;
  readonly translation: Translation;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  /** Takes how the answer ended; nothing when there was none. */
  readonly report: ReportEnd;
  readonly timers: Timers;
  readonly timing: StreamTiming;
}

/** The answer for a client that asked for one document. Rejects with the signal's reason when the client left meanwhile. */
export async function answerDocument(sent: Sent, context: AnswerContext): Promise<Response> {
  const { translation, signal, report } = context;
  switch (sent.kind) {
    case "stream": {
      const watched = limitSilence(sent.body, context);
      let collected: DocumentAnswer;
      try {
        collected = await translation.collect(watched.source, signal);
      } catch (error) {
        report({ end: signal.aborted ? "cancelled" : "cut" });
        throw error;
      }
      return documentResponse(watched.silent() ? silentAnswer : collected, report);
    }
    case "json": {
      if (translation.document === undefined) return documentAsItIs(sent.body, context);
      const { bytes, silent } = await readWhole(sent.body, context);
      if (silent) return documentResponse(silentAnswer, report);
      const document = bytes === undefined ? undefined : parseObject(new TextDecoder().decode(bytes));
      if (document === undefined) {
        report({ end: "cut", reason: "upstream_unreadable" });
        return errorResponse(
          "upstream_unreadable",
          "The model provider sent an answer that cannot be read. Try again.",
        );
      }
      return documentResponse(translation.document(document), report);
    }
    default:
      return failureResponse(sent, context);
  }
}

/** The answer for a client that asked for a stream, when the upstream has answered in time. */
export async function answerStream(sent: Sent, context: AnswerContext): Promise<Response> {
  switch (sent.kind) {
    case "stream":
      return streamResponse(sent.body, context);
    case "json":
      await discardReply(sent);
      return upstreamErrorResponse(notStreaming);
    default:
      return failureResponse(sent, context);
  }
}

/**
 * The answer for a client that asked for a stream, when the upstream has not answered yet: the stream begins, and tells
 * whatever comes. `onLeave` is called when the client goes away before the upstream has answered, and stops the sending.
 */
export function answerEarly(sending: Promise<Sent>, onLeave: () => void, context: AnswerContext): Response {
  let answered = false;
  const late = sending.then(async (sent): Promise<LateUpstream> => {
    answered = true;
    if (sent.kind === "stream") return { kind: "stream", stream: sent.body };
    if (sent.kind === "json") await discardReply(sent);
    return {
      kind: "failed",
      failure: streamFailure(sent.kind === "json" ? notStreaming : told(sent, context)),
    };
  });
  return streamResponse(late, context, () => {
    if (!answered) onLeave();
  });
}

/** A document that needs no translation goes to the client while it comes, and keeps the request's place until it has gone. */
function documentAsItIs(
  body: Uint8Array<ArrayBuffer> | UpstreamBody,
  { report, hold }: AnswerContext,
): Response {
  const release = hold();
  const watched = watchDocument(body, (end) => {
    release();
    report(end);
  });
  return new Response(watched, { headers: documentHeaders });
}

const documentHeaders = Object.freeze({ "content-type": "application/json" });

/** `x-accel-buffering` keeps nginx from holding events back; caches and transformers have no business here. */
const streamHeaders = Object.freeze({
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
});

const notStreaming: UpstreamError = Object.freeze({
  status: 502,
  type: "server_error",
  code: "upstream_not_streaming",
  param: null,
  message: "The model provider answered without a stream. Ask without one.",
  accessRejected: false,
  transient: false,
});

function streamResponse(
  upstream: UpstreamBody | Promise<LateUpstream>,
  { translation, signal, report, timers, timing, hold }: AnswerContext,
  onCancelled: () => void = () => {},
): Response {
  const release = hold();
  const body = relayStream({
    upstream,
    translator: translation.stream(),
    liveness: {
      repeat: (intervalMs, tick) => timers.every(intervalMs, tick),
      keepAliveMs: timing.keepAliveMs,
      silenceLimitMs: timing.silenceLimitMs,
    },
    onEnd: (summary) => {
      release();
      if (summary.end === "cancelled") onCancelled();
      report(summary);
    },
    signal,
  });
  return new Response(body, { headers: streamHeaders });
}

const silentAnswer: DocumentAnswer = Object.freeze({ kind: "failed", error: ownFailure("upstream_silent") });

/**
 * The same bytes, until the upstream is silent for too long: then the upstream is let go, reading rejects, and `silent` says
 * why. While a document is collected nothing goes to the client, so that Deno does not notice when it leaves
 * (denoland/deno: a request body of more than a few hundred bytes); without this limit such a call could last for ever.
 */
function limitSilence(
  upstream: UpstreamBody,
  { timers, timing }: AnswerContext,
): { readonly source: ByteSource; silent(): boolean } {
  const body = openBody(upstream);
  let silent = false;
  const source: ByteSource = {
    async read() {
      const { promise: late, reject } = Promise.withResolvers<never>();
      const stop = timers.after(timing.silenceLimitMs, () => {
        silent = true;
        reject(new DOMException("The upstream was silent for too long.", "TimeoutError"));
        void body.cancel();
      });
      return await Promise.race([body.read(), late]).finally(stop);
    },
    cancel: (reason) => body.cancel(reason),
  };
  return { source, silent: () => silent };
}

/** A refusal or a session that is over, as the response that it is before anything was streamed. */
function failureResponse(sent: FailedSending, context: AnswerContext): Response {
  if (sent.kind !== "refused") return notFreshResponse(sent, context.provider, context.caller);
  return upstreamErrorResponse(told(sent, context));
}

type FailedSending = Extract<Sent, { kind: "refused" | "signed_out" | "not_renewed" }>;

/** The same as an error, for a stream that has begun. */
function told(sent: FailedSending, { provider, caller }: AnswerContext): UpstreamError {
  return sent.kind === "refused" ? sent.error : notFreshError(sent, provider, caller);
}

function streamFailure(
  { status, type, code, param, message, retryAfterSeconds }: UpstreamError,
): StreamFailure {
  return {
    status,
    type,
    code: code ?? type,
    param,
    message,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

/** The whole body; without `bytes` when it broke off. */
async function readWhole(
  body: Uint8Array<ArrayBuffer> | UpstreamBody,
  context: AnswerContext,
): Promise<{ readonly bytes: Uint8Array | undefined; readonly silent: boolean }> {
  if (body instanceof Uint8Array) return { bytes: body, silent: false };
  const { source, silent } = limitSilence(body, context);
  const bytes = await new Response(streamOf(source)).bytes().catch(() => undefined);
  return { bytes, silent: silent() };
}

function documentResponse(answer: DocumentAnswer, report: ReportEnd): Response {
  if (answer.kind === "document") {
    report({ end: "completed", usage: documentUsage(answer.document) });
    return Response.json(answer.document);
  }
  report({ end: answer === silentAnswer ? "cut" : "failed", reason: answer.error.code });
  return upstreamErrorResponse({ ...answer.error, accessRejected: false, transient: false });
}
