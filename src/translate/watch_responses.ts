/**
 * What there is to watch in a Responses stream that passes through.
 *
 * @module
 */
import {
  finiteNumber,
  isObject,
  type JsonObject,
  nonEmptyString,
  objectOrEmpty,
  parseObject,
} from "../wire/json.ts";
import { withSafeError } from "../wire/openai_error.ts";
import { readResponsesEvent } from "../wire/responses_events.ts";
import { formatSseData, formatSseEvent, type SseEvent } from "../wire/sse.ts";
import { readResponsesUsage, type TokenUsage } from "../wire/token_usage.ts";
import type { EventWatch } from "./pass_through.ts";
import {
  announcedFailure,
  emptyResponse,
  failedEvent,
  failedResponseEvents,
  type ResponseIdentity,
} from "./responses_failure.ts";
import { createStableIds } from "./stable_ids.ts";
import { type StreamFailure, toldFailure } from "./stream_failure.ts";

/** Inside a JSON text these words have their quotes escaped, so that they are found as members only. */
const CONCERNS =
  /(?:"type"\s*:\s*"|^event: ?)(?:response\.(?:created|completed|failed|incomplete|done)\b|error\b|codex\.|responsesapi\.)|"error"\s*:\s*[{"]|"detail"\s*:\s*"/m;

const PRIVATE_EVENT = /^(?:codex|responsesapi)\./;

/** Events that pass with the upstream's own words. */
const FAILURES: ReadonlySet<string> = new Set(["error", "response.failed"]);

const SEQUENCE_NUMBER = '"sequence_number"';
const SEQUENCE = /"sequence_number"\s*:\s*(\d+)/;

/**
 * Makes the watch. The answer has ended with `response.completed`, `.incomplete`, `.failed` or `.done`. A failure is told
 * by an `error` event and `response.failed`: if the upstream sends one of them, the other is added, and an error in
 * another shape is replaced by both.
 *
 * With `dropPrivateEvents` the backend's own events (`codex.*`, `responsesapi.*`; facts chatgpt-codex 4.1) are left
 * out. With `stableIds` response and items keep the ids that they were first told with. `identity` is used when the stream fails before the upstream has named the response.
 */
export function watchResponses(
  options: {
    readonly identity: ResponseIdentity;
    readonly dropPrivateEvents: boolean;
    readonly stableIds: boolean;
  },
): EventWatch {
  let response: JsonObject = emptyResponse(options.identity);
  let toldError: StreamFailure | undefined;
  let end: "completed" | "failed" | undefined;
  let failureCode: string | undefined;
  let usage: TokenUsage | undefined;
  /** The latest run that has a sequence number. */
  let numbered = "";
  const repair = options.stableIds ? createStableIds() : (event: JsonObject): JsonObject => event;

  function fail(failure: StreamFailure): string {
    end = "failed";
    failureCode = (toldError ?? failure).code;
    return toldError === undefined
      ? failedResponseEvents(response, failure, nextSequence(numbered))
      : failedEvent(response, toldError, nextSequence(numbered));
  }

  /** Follows the answer; what to send instead of the event, or undefined. */
  function judge(json: JsonObject, eventType: string | undefined): string | undefined {
    const type = nonEmptyString(json["type"]) ?? eventType;
    if (options.dropPrivateEvents && PRIVATE_EVENT.test(type ?? "")) return "";
    const read = readResponsesEvent(json, eventType);
    switch (read.kind) {
      case "started":
        response = { ...response, ...read.response };
        return undefined;
      case "ended":
        end = "completed";
        usage = readResponsesUsage(read.response["usage"]);
        return undefined;
      case "failed":
        if (type === "error") {
          toldError = toldFailure(read.error);
          return undefined;
        }
        if (isObject(json["response"])) {
          end = "failed";
          failureCode = (toldError ?? toldFailure(read.error)).code;
          usage = readResponsesUsage(objectOrEmpty(json["response"])["usage"]);
          return toldError === undefined
            ? announcedFailure(
              json,
              toldFailure(read.error),
              finiteNumber(json["sequence_number"]) ?? nextSequence(numbered),
            )
            : undefined;
        }
        return fail(toldFailure(read.error));
      default:
        return undefined;
    }
  }

  return {
    scan(text: string): boolean {
      // Read when it is needed, which is when the stream fails.
      if (text.includes(SEQUENCE_NUMBER)) numbered = text;
      return options.stableIds || CONCERNS.test(text);
    },
    look(event: SseEvent): string | undefined {
      const told = parseObject(event.data);
      if (told === undefined || end !== undefined) return undefined;
      const failure = FAILURES.has(nonEmptyString(told["type"]) ?? event.type ?? "");
      const json = repair(failure ? withSafeError(told) : told);
      const instead = judge(json, event.type);
      if (instead !== undefined || json === told) return instead;
      return event.type === undefined ? formatSseData(json) : formatSseEvent(event.type, json);
    },
    fail,
    get end(): "completed" | "failed" | undefined {
      return end;
    },
    get failureCode(): string | undefined {
      return failureCode;
    },
    get mayEnd(): boolean {
      return end !== undefined;
    },
    get told(): boolean {
      return toldError !== undefined;
    },
    get usage(): TokenUsage | undefined {
      return usage;
    },
  };
}

/** The number after the last one in `text`; 0 when it has none. */
function nextSequence(text: string): number {
  const match = SEQUENCE.exec(text.slice(Math.max(0, text.lastIndexOf(SEQUENCE_NUMBER))));
  return match === null ? 0 : Number(match[1]) + 1;
}
