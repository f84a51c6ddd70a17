/**
 * The driver of the reply halves whose streams are chunks of one shape and end with `[DONE]`: Chat Completions and legacy
 * Completions. It follows the Responses events and the end; what a chunk looks like is the dialect's own.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { openAiError } from "../wire/openai_error.ts";
import { readResponsesEvent } from "../wire/responses_events.ts";
import { formatSseData, SSE_DONE } from "../wire/sse.ts";
import { readResponsesUsage, type TokenUsage } from "../wire/token_usage.ts";
import { type AnswerSink, createAnswerReader } from "./answer_reader.ts";
import type { EventReply } from "./event_reply.ts";
import { type StreamFailure, toldFailure } from "./stream_failure.ts";

/** Writes the chunks of one answer in a dialect. */
export interface ChunkWriter extends AnswerSink {
  /** The upstream tells of the response itself; may come several times, and not at all. */
  response(response: JsonObject): void;
  /** The answer has reached its end: the chunks that say how, and with the usage if the client wants it. */
  finish(status: "completed" | "incomplete", response: JsonObject, usage: TokenUsage | undefined): void;
}

/**
 * Makes a reply half of a writer, which is given the function that sends a chunk. `[DONE]` follows what `finish` sends; a
 * failed response becomes an error event and no `[DONE]`.
 */
export function createChunkReply(
  createWriter: (send: (chunk: JsonObject) => void) => ChunkWriter,
): EventReply {
  let out = "";
  let end: "completed" | "failed" | undefined;
  let failureCode: string | undefined;
  let usage: TokenUsage | undefined;
  const writer = createWriter((chunk) => out += formatSseData(chunk));
  const reader = createAnswerReader(writer);

  function fail(failure: StreamFailure): void {
    out += formatSseData(openAiError(failure));
    end = "failed";
    failureCode = failure.code;
  }

  function take(): string {
    const text = out;
    out = "";
    return text;
  }

  return {
    push(json: JsonObject, eventType?: string): string {
      if (end !== undefined) return "";
      const event = readResponsesEvent(json, eventType);
      if (event.kind === "started") writer.response(event.response);
      reader.read(event);
      if (event.kind === "ended") {
        usage = readResponsesUsage(event.response["usage"]);
        writer.finish(event.status, event.response, usage);
        out += SSE_DONE;
        end = "completed";
      } else if (event.kind === "failed") {
        fail(toldFailure(event.error));
      }
      return take();
    },
    get grow(): EventReply["grow"] {
      return reader.grow;
    },
    // A Responses stream ends with an event; `[DONE]` behind it says nothing more.
    sentinel: (): string => "",
    mayEnd: false,
    fail(failure: StreamFailure): string {
      if (end === undefined) fail(failure);
      return take();
    },
    get end(): "completed" | "failed" | undefined {
      return end;
    },
    get failureCode(): string | undefined {
      return failureCode;
    },
    get usage(): TokenUsage | undefined {
      return usage;
    },
  };
}
