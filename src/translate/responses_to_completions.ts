/**
 * The reply half for clients that speak legacy Completions: Responses events to chunks as they come, and a collected
 * response to a completion. The dialect has room for text alone: reasoning and calls are left out.
 *
 * @module
 */
import {
  completion,
  completionChunk,
  type CompletionHead,
  completionUsageChunk,
} from "../wire/completions.ts";
import { finiteNumber, type JsonObject, nonEmptyString } from "../wire/json.ts";
import { outputOf } from "../wire/responses.ts";
import { incompleteReason } from "../wire/responses_events.ts";
import { chatUsage, readResponsesUsage, type TokenUsage } from "../wire/token_usage.ts";
import { type AnswerSink, createAnswerReader } from "./answer_reader.ts";
import { createChunkReply } from "./chunk_reply.ts";
import type { AnsweredResponse } from "./collect_responses.ts";
import type { EventReply } from "./event_reply.ts";
import { finishReason } from "./finish_reason.ts";

/** What an answer needs that the upstream may not tell. */
export interface CompletionReplyOptions {
  /** The answer's id, `cmpl-...`. */
  readonly id: string;
  /** Told when the upstream names no model. */
  readonly model: string;
  /** Told when the upstream names no time; unix seconds. */
  readonly nowS: number;
}

/**
 * Makes the streaming reply half: pieces of text as they come, then an empty piece with the finish reason, then the usage
 * if asked for, then `[DONE]`.
 */
export function createCompletionReply(
  options: CompletionReplyOptions & { readonly includeUsage: boolean },
): EventReply {
  return createChunkReply((send) => {
    let head = headOf({}, options);
    let begun = false;
    const usageMember = options.includeUsage ? null : undefined;
    const answer = textSink((text) => {
      begun = true;
      send(completionChunk(head, text, null, usageMember));
    });
    return {
      ...answer.sink,
      response(response: JsonObject): void {
        if (!begun) head = headOf(response, options);
      },
      finish(
        status: "completed" | "incomplete",
        response: JsonObject,
        usage: TokenUsage | undefined,
      ): void {
        send(completionChunk(head, "", answer.finish(status, response), usageMember));
        if (options.includeUsage && usage !== undefined) send(completionUsageChunk(head, chatUsage(usage)));
      },
    };
  });
}

/** Translates a collected response, whole or incomplete, into a completion. */
export function responseToCompletion(
  { status, response }: AnsweredResponse,
  options: CompletionReplyOptions,
): JsonObject {
  let text = "";
  const answer = textSink((piece) => text += piece);
  const reader = createAnswerReader(answer.sink);
  outputOf(response).forEach((item, index) => reader.readItem(index, item));
  const usage = readResponsesUsage(response["usage"]);
  return completion(
    headOf(response, options),
    text,
    answer.finish(status, response),
    usage === undefined ? undefined : chatUsage(usage),
  );
}

/**
 * Takes the text of an answer. A refusal is text here, because there is nothing else to tell it in; that it is one is told
 * by the finish reason `content_filter`, so that it does not pass for a normal answer.
 */
function textSink(tell: (text: string) => void): {
  readonly sink: AnswerSink;
  finish(status: "completed" | "incomplete", response: JsonObject): string;
} {
  let refused = false;
  const leaveOut = (): void => {};
  return {
    sink: {
      text: tell,
      refusal(text: string): void {
        refused = true;
        tell(text);
      },
      reasoning: leaveOut,
      call: leaveOut,
      callInput: leaveOut,
      citation: leaveOut,
    },
    finish: (status, response): string =>
      refused ? "content_filter" : finishReason(status, incompleteReason(response), "none"),
  };
}

function headOf(response: JsonObject, options: CompletionReplyOptions): CompletionHead {
  return {
    id: options.id,
    created: finiteNumber(response["created_at"]) ?? options.nowS,
    model: nonEmptyString(response["model"]) ?? options.model,
  };
}
