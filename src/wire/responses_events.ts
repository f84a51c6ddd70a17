/**
 * The events of a Responses stream (facts chatgpt-codex 4.2 to 4.4, xai-grok 8, github-copilot 11), read into the few
 * kinds that a translator tells apart.
 *
 * Events are related by `output_index` and the index of the part, never by `item_id`: Copilot gives every event another
 * id (facts github-copilot 11).
 *
 * @module
 */
import { isObject, type JsonObject, nonEmptyString, objectOrEmpty } from "./json.ts";
import { readToldError, type ToldError } from "./openai_error.ts";

/** Where in the answer an event belongs. */
export interface OutputPlace {
  readonly outputIndex: number;
  /** Index of the content part or of the summary part; 0 for items without parts. */
  readonly partIndex: number;
}

/** Which text of an item an event carries. `input` is that of a function or custom tool call. */
export type OutputText = "text" | "refusal" | "summary" | "reasoning" | "input";

/** An event, reduced to what can change an answer. */
export type ResponsesEvent =
  /** The response exists, or goes on. */
  | { readonly kind: "started"; readonly response: JsonObject }
  | { readonly kind: "item_added"; readonly outputIndex: number; readonly item: JsonObject }
  | { readonly kind: "item_done"; readonly outputIndex: number; readonly item: JsonObject }
  | {
    readonly kind: "delta";
    readonly of: OutputText;
    readonly place: OutputPlace;
    readonly text: string;
  }
  /** The whole text, after all its deltas. */
  | { readonly kind: "done"; readonly of: OutputText; readonly place: OutputPlace; readonly text: string }
  | { readonly kind: "annotation"; readonly place: OutputPlace; readonly annotation: unknown }
  /** A true end: the answer is whole, or was stopped for a reason that the response names. */
  | { readonly kind: "ended"; readonly status: "completed" | "incomplete"; readonly response: JsonObject }
  /** An end without an answer. */
  | { readonly kind: "failed"; readonly error: ToldError }
  /** Nothing that changes an answer: progress of hosted tools, keep-alives, private and unknown events. */
  | { readonly kind: "other" };

const SAID_NOTHING: ToldError = Object.freeze({ message: null, type: null, param: null, code: null });
const OTHER: ResponsesEvent = Object.freeze({ kind: "other" });

interface TextEvent {
  readonly of: OutputText;
  /** Member of the `.done` event that holds the whole text. */
  readonly whole: string;
  /** Member that holds the index of the part; empty for items without parts. */
  readonly part: string;
}

const TEXT_EVENTS: Readonly<Record<string, TextEvent>> = Object.freeze({
  "response.output_text": { of: "text", whole: "text", part: "content_index" },
  "response.refusal": { of: "refusal", whole: "refusal", part: "content_index" },
  "response.reasoning_summary_text": { of: "summary", whole: "text", part: "summary_index" },
  "response.reasoning_text": { of: "reasoning", whole: "text", part: "content_index" },
  "response.function_call_arguments": { of: "input", whole: "arguments", part: "" },
  "response.custom_tool_call_input": { of: "input", whole: "input", part: "" },
});

/** Reads an event. `eventType` is the SSE field, for upstreams whose JSON has no `type` (facts chatgpt-codex 4.1). */
export function readResponsesEvent(event: JsonObject, eventType?: string): ResponsesEvent {
  const type = nonEmptyString(event["type"]) ?? eventType ?? "";
  if (type.endsWith(".delta")) return readDelta(type.slice(0, -".delta".length), event);
  switch (type) {
    case "response.created":
    case "response.in_progress":
    case "response.queued":
      return { kind: "started", response: objectOrEmpty(event["response"]) };
    case "response.output_item.added":
      return {
        kind: "item_added",
        outputIndex: indexOf(event, "output_index"),
        item: objectOrEmpty(event["item"]),
      };
    case "response.output_item.done":
      return {
        kind: "item_done",
        outputIndex: indexOf(event, "output_index"),
        item: objectOrEmpty(event["item"]),
      };
    case "response.output_text.annotation.added":
      return {
        kind: "annotation",
        place: placeOf(event, "content_index"),
        annotation: event["annotation"],
      };
    case "response.completed":
    case "response.done":
      return readEnd(objectOrEmpty(event["response"]), "completed");
    case "response.incomplete":
      return readEnd(objectOrEmpty(event["response"]), "incomplete");
    case "response.failed":
      return readEnd(objectOrEmpty(event["response"]), "failed");
    case "error":
      return { kind: "failed", error: readErrorEvent(event) };
    case "":
      return readUntyped(event);
    default:
      return type.endsWith(".done") ? readDone(type.slice(0, -".done".length), event) : OTHER;
  }
}

/** How a response object ended, from its own `status`; `fallback` counts when it has none. */
export function readEnd(
  response: JsonObject,
  fallback: "completed" | "incomplete" | "failed",
): ResponsesEvent & { readonly kind: "ended" | "failed" } {
  const told = response["status"];
  const status = typeof told === "string" ? told : fallback;
  if (status === "completed" || status === "incomplete") return { kind: "ended", status, response };
  return { kind: "failed", error: readToldError({ error: response["error"] }) ?? SAID_NOTHING };
}

/** The word that says why an incomplete response stopped, e.g. `max_output_tokens`. */
export function incompleteReason(response: JsonObject): string | undefined {
  return nonEmptyString(objectOrEmpty(response["incomplete_details"])["reason"]);
}

function readErrorEvent(event: JsonObject): ToldError {
  // The flat form has the event's own `type`, which is no error type.
  return readToldError(isObject(event["error"]) ? { error: event["error"] } : event) ?? SAID_NOTHING;
}

/** JSON without any type: an error in the upstream's plain shape, or nothing that we know. */
function readUntyped(event: JsonObject): ResponsesEvent {
  const error = readToldError(event);
  return error === undefined ? OTHER : { kind: "failed", error };
}

function readDelta(base: string, event: JsonObject): ResponsesEvent {
  const shape = textEvent(base);
  const delta = event["delta"];
  if (shape === undefined || typeof delta !== "string") return OTHER;
  return { kind: "delta", of: shape.of, place: placeOf(event, shape.part), text: delta };
}

function readDone(base: string, event: JsonObject): ResponsesEvent {
  const shape = textEvent(base);
  const text = shape === undefined ? undefined : event[shape.whole];
  if (shape === undefined || typeof text !== "string") return OTHER;
  return { kind: "done", of: shape.of, place: placeOf(event, shape.part), text };
}

function textEvent(base: string): TextEvent | undefined {
  return Object.hasOwn(TEXT_EVENTS, base) ? TEXT_EVENTS[base] : undefined;
}

function placeOf(event: JsonObject, partMember: string): OutputPlace {
  return {
    outputIndex: indexOf(event, "output_index"),
    partIndex: partMember === "" ? 0 : indexOf(event, partMember),
  };
}

function indexOf(event: JsonObject, member: string): number {
  const value = event[member];
  return typeof value === "number" && Number.isInteger(value) && value >= 0 ? value : 0;
}
