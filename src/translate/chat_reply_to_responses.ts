/**
 * The reply half for clients that speak Responses in front of an upstream that only speaks Chat Completions: chunks to
 * the full sequence of events, and a completion to a response object.
 *
 * @module
 */
import { readAnthropicMessage } from "../wire/anthropic_message.ts";
import { readChatAnswer } from "../wire/chat_chunks.ts";
import type { JsonObject } from "../wire/json.ts";
import { readToldError } from "../wire/openai_error.ts";
import { formatSseEvent } from "../wire/sse.ts";
import type { TokenUsage } from "../wire/token_usage.ts";
import type { CollectedResponse, EventCollector } from "./collect_responses.ts";
import type { EventReply } from "./event_reply.ts";
import { type ResponseEnding, responseEnding, worseEnding } from "./finish_reason.ts";
import { createResponseBuilder, type ResponseStep } from "./response_builder.ts";
import { failedResponseEvents, type ResponseIdentity } from "./responses_failure.ts";
import { ownFailure, type StreamFailure, toldFailure } from "./stream_failure.ts";

/** Follows a Chat answer and tells it as a Responses answer. */
interface ChatFollower {
  /** Takes a chunk or a completion; a failure that it tells, or undefined. */
  take(json: JsonObject): StreamFailure | undefined;
  /** Finishes the response; a failure if the finish reason was one, or if no choice has come at all. */
  finish(): StreamFailure | undefined;
  /** Whether a finish reason has come. */
  readonly finished: boolean;
  readonly response: JsonObject;
  readonly status: "completed" | "incomplete";
  readonly usage: TokenUsage | undefined;
}

/**
 * Makes the streaming reply half. The answer ends with the upstream's `[DONE]`, or with its stream if a finish reason
 * has come: not before, because the usage follows the finish reason. All choices are merged into one answer (Copilot
 * spreads Claude's over several, facts github-copilot 10). A failure is told as `error` and `response.failed`.
 */
export function createResponsesReply(identity: ResponseIdentity): EventReply {
  let out = "";
  let sequence = 0;
  let end: "completed" | "failed" | undefined;
  let failureCode: string | undefined;
  const follower = followChat(identity, (step) => {
    const { type, ...members } = step;
    out += formatSseEvent(type, { type, sequence_number: sequence++, ...members });
  });

  function fail(failure: StreamFailure | undefined): void {
    if (failure === undefined || end !== undefined) return;
    end = "failed";
    failureCode = failure.code;
    out += failedResponseEvents(follower.response, failure, sequence);
  }

  function take(): string {
    const text = out;
    out = "";
    return text;
  }

  return {
    push(chunk: JsonObject): string {
      if (end === undefined) fail(follower.take(chunk));
      return take();
    },
    sentinel(): string {
      if (end !== undefined) return "";
      fail(follower.finish());
      end ??= "completed";
      return take();
    },
    fail(failure: StreamFailure): string {
      fail(failure);
      return take();
    },
    get end(): "completed" | "failed" | undefined {
      return end;
    },
    get failureCode(): string | undefined {
      return failureCode;
    },
    get mayEnd(): boolean {
      return follower.finished;
    },
    get usage(): TokenUsage | undefined {
      return follower.usage;
    },
  };
}

/**
 * Puts a reply half that reads Responses events behind an upstream that speaks Chat: the streaming reply half of a client
 * dialect that is neither. The answer ends as in {@linkcode createResponsesReply}.
 */
export function createReplyOverChat(identity: ResponseIdentity, reply: EventReply): EventReply {
  let out = "";
  const follower = followChat(identity, (step) => out += reply.push(step));

  function fail(failure: StreamFailure | undefined): void {
    if (failure !== undefined) out += reply.fail(failure);
  }

  function take(): string {
    const text = out;
    out = "";
    return text;
  }

  return {
    push(chunk: JsonObject): string {
      if (reply.end === undefined) fail(follower.take(chunk));
      return take();
    },
    sentinel(): string {
      if (reply.end === undefined) fail(follower.finish());
      return take();
    },
    fail(failure: StreamFailure): string {
      fail(failure);
      return take();
    },
    get end(): "completed" | "failed" | undefined {
      return reply.end;
    },
    get failureCode(): string | undefined {
      return reply.failureCode;
    },
    get mayEnd(): boolean {
      return follower.finished;
    },
    get usage(): TokenUsage | undefined {
      return follower.usage;
    },
  };
}

/** Makes a collector of a Chat stream: the answer as a response object of the hub dialect. */
export function createChatCollector(identity: ResponseIdentity): EventCollector {
  const follower = followChat(identity, () => {});
  let result: CollectedResponse | undefined;
  return {
    push(chunk: JsonObject): void {
      const failure = result === undefined ? follower.take(chunk) : undefined;
      if (failure !== undefined) result = { kind: "failed", error: failure };
    },
    sentinel(): void {
      result ??= resultOf(follower);
    },
    fail(failure: StreamFailure): void {
      result ??= { kind: "failed", error: failure };
    },
    get mayEnd(): boolean {
      return follower.finished;
    },
    get result(): CollectedResponse | undefined {
      return result;
    },
  };
}

/** Translates a completion that came as one document. A document without any choice is a failure. */
export function chatCompletionToResponse(
  completion: JsonObject,
  identity: ResponseIdentity,
): CollectedResponse {
  const follower = followChat(identity, () => {});
  const failure = follower.take(completion);
  if (failure !== undefined) return { kind: "failed", error: failure };
  return resultOf(follower);
}

function resultOf(follower: ChatFollower): CollectedResponse {
  const failure = follower.finish();
  if (failure !== undefined) return { kind: "failed", error: failure };
  return { kind: "response", status: follower.status, response: follower.response };
}

function followChat(identity: ResponseIdentity, emit: (step: ResponseStep) => void): ChatFollower {
  const builder = createResponseBuilder(identity, emit);
  let ending: ResponseEnding | undefined;
  let usage: TokenUsage | undefined;
  let begun = false;
  return {
    take(json: JsonObject): StreamFailure | undefined {
      // Only what is no answer can be an error: Copilot puts empty error objects into its choices.
      const error = Array.isArray(json["choices"]) ? undefined : readToldError(json);
      if (error !== undefined) return toldFailure(error);
      const answer = readAnthropicMessage(json) ?? readChatAnswer(json);
      usage = answer.usage ?? usage;
      if (answer.pieces.length > 0) {
        begun = true;
        builder.start(answer);
      }
      for (const piece of answer.pieces) {
        builder.reasoning(piece.reasoning);
        builder.text(piece.text);
        builder.refusal(piece.refusal);
        for (const citation of piece.citations) builder.citation(citation);
        for (const call of piece.calls) builder.call(call.key, call);
        if (piece.finishReason !== undefined) {
          ending = worseEnding(ending, responseEnding(piece.finishReason));
        }
      }
      return undefined;
    },
    finish(): StreamFailure | undefined {
      // An answer without any choice came in a shape that nobody knows.
      if (!begun) return ownFailure("unreadable_stream");
      const end = ending ?? { status: "completed" };
      if (end.status === "failed") return toldFailure({ message: null, type: null, param: null, code: null });
      builder.finish(end, usage);
      return undefined;
    },
    get finished(): boolean {
      return ending !== undefined;
    },
    get response(): JsonObject {
      return builder.response;
    },
    get status(): "completed" | "incomplete" {
      return ending?.status === "incomplete" ? "incomplete" : "completed";
    },
    get usage(): TokenUsage | undefined {
      return usage;
    },
  };
}
