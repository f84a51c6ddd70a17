/**
 * How a Responses stream tells that its answer failed: an `error` event, which the SDKs raise, and `response.failed`,
 * which other clients wait for (facts chatgpt-codex 4.1 and 4.3 have both, in this order).
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { formatSseEvent } from "../wire/sse.ts";
import type { StreamFailure } from "./stream_failure.ts";

/** What a response says about itself when its upstream has not said it. */
export interface ResponseIdentity {
  /** `resp_...` */
  readonly id: string;
  readonly model: string;
  /** Unix seconds. */
  readonly nowS: number;
}

/** The text of both events. `response` is the last state that the client was told, `sequence` their first number. */
export function failedResponseEvents(
  response: JsonObject,
  failure: StreamFailure,
  sequence: number,
): string {
  return errorEvent(failure, sequence) + failedEvent(response, failure, sequence + 1);
}

/** The `response.failed` event alone, for answers whose `error` event the client has already. */
export function failedEvent(response: JsonObject, failure: StreamFailure, sequence: number): string {
  const type = "response.failed";
  return formatSseEvent(type, {
    type,
    sequence_number: sequence,
    response: {
      ...response,
      status: "failed",
      error: { code: failure.code, message: failure.message },
    },
  });
}

/**
 * The `error` event before a `response.failed` that the upstream sent alone: some clients raise only the one and take the
 * other for an ordinary end. `failed` keeps what it says; `sequence` is its own number.
 */
export function announcedFailure(failed: JsonObject, failure: StreamFailure, sequence: number): string {
  return errorEvent(failure, sequence) +
    formatSseEvent("response.failed", { ...failed, sequence_number: sequence + 1 });
}

/** The least that a response object consists of, in progress and with nothing in it. */
export function emptyResponse(identity: ResponseIdentity): JsonObject {
  return {
    id: identity.id,
    object: "response",
    access_programs: null,
    created_at: identity.nowS,
    status: "in_progress",
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model: identity.model,
    output: [],
    parallel_tool_calls: true,
    temperature: null,
    tool_choice: "auto",
    tools: [],
    top_p: null,
  };
}

function errorEvent(failure: StreamFailure, sequence: number): string {
  return formatSseEvent("error", {
    type: "error",
    sequence_number: sequence,
    code: failure.code,
    message: failure.message,
    param: failure.param,
  });
}
