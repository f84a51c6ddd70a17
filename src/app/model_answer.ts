/**
 * From an upstream's answer to the response that the client gets: a stream or one document, whichever was asked for.
 *
 * @module
 */
import type { UpstreamReply } from "../provider/provider.ts";
import { relayStream, type StreamSummary } from "../translate/relay_stream.ts";
import type { DocumentAnswer, Translation } from "../translate/translation.ts";
import { parseObject } from "../wire/json.ts";
import { errorResponse, upstreamErrorResponse } from "./errors.ts";

/** An upstream's answer that is not a refusal. */
type Answered = Exclude<UpstreamReply, { kind: "refused" }>;

/** What else the answer needs. */
export interface AnswerContext {
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  /** Called once when a stream has ended, however it ended. */
  readonly onEnd: (summary: StreamSummary) => void;
}

/** Hands an upstream's answer on. Rejects with the signal's reason when the client left while a document was read. */
export async function answer(
  reply: Answered,
  translation: Translation,
  wantsStream: boolean,
  { signal, onEnd }: AnswerContext,
): Promise<Response> {
  if (reply.kind === "stream") {
    if (!wantsStream) return documentResponse(await translation.collect(reply.body, signal));
    const body = relayStream({ upstream: reply.body, translator: translation.stream(), onEnd, signal });
    return new Response(body, { headers: streamHeaders });
  }
  if (wantsStream) {
    await reply.body.cancel();
    return errorResponse(
      "upstream_not_streaming",
      "The model provider answered without a stream. Ask without one.",
    );
  }
  if (translation.document === undefined) return new Response(reply.body, { headers: documentHeaders });
  const document = parseObject(await new Response(reply.body).text());
  return document === undefined
    ? errorResponse(
      "upstream_unreadable",
      "The model provider sent an answer that cannot be read. Try again.",
    )
    : documentResponse(translation.document(document));
}

const documentHeaders = Object.freeze({ "content-type": "application/json" });

/** `x-accel-buffering` keeps nginx from holding events back; caches and transformers have no business here. */
const streamHeaders = Object.freeze({
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
});

function documentResponse(answer: DocumentAnswer): Response {
  return answer.kind === "document"
    ? Response.json(answer.document)
    : upstreamErrorResponse({ ...answer.error, accessRejected: false });
}
