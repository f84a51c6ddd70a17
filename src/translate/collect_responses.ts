/**
 * Folds a Responses stream into one response object, for clients that asked for no stream although the upstream only
 * streams, and judges whole response objects by the same rules.
 *
 * @module
 */
import { openBody, type UpstreamBody } from "../wire/byte_source.ts";
import { isObject, type JsonObject, nonEmptyString } from "../wire/json.ts";
import { outputOf } from "../wire/responses.ts";
import {
  type OutputText,
  readEnd,
  readResponsesEvent,
  type ResponsesEvent,
} from "../wire/responses_events.ts";
import { createSseReader } from "../wire/sse.ts";
import { type EventData, readEventData, readOpenEvent } from "../wire/sse_json.ts";
import { ownFailure, type StreamFailure, toldFailure } from "./stream_failure.ts";

/** A response that reached its end: whole, or incomplete for a reason that it names. */
export interface AnsweredResponse {
  readonly kind: "response";
  readonly status: "completed" | "incomplete";
  /** The response object with its full `output`. */
  readonly response: JsonObject;
}

/** What a stream or a document amounts to. An incomplete response is an answer; a failed or cut one is not. */
export type CollectedResponse = AnsweredResponse | { readonly kind: "failed"; readonly error: StreamFailure };

/** Folds the events of a stream one by one; see {@linkcode collectStream}. After the end nothing changes any more. */
export interface EventCollector {
  /** Takes the next event; `eventType` is the SSE field. */
  push(event: JsonObject, eventType?: string): void;
  /** Takes the upstream's `[DONE]`, or its end of stream if the answer may end there. */
  sentinel(): void;
  /** Ends the response as failed, unless it has ended. */
  fail(failure: StreamFailure): void;
  /** Whether an end of the stream at this point is an end of the answer. */
  readonly mayEnd: boolean;
  /** The result; undefined while the response has not ended. */
  readonly result: CollectedResponse | undefined;
}

/**
 * Judges a response object that came as one document. `failed` and `cancelled` ones, and documents that are an error
 * instead (some upstreams send one with status 200), are failures.
 */
export function judgeResponse(document: JsonObject): CollectedResponse {
  if (document["object"] !== "response" && !Array.isArray(document["output"])) {
    const event = readResponsesEvent(document);
    return {
      kind: "failed",
      error: event.kind === "failed" ? toldFailure(event.error) : ownFailure("unreadable_stream"),
    };
  }
  return judgeEnd(readEnd(document, "completed"));
}

/**
 * Makes a collector. ChatGPT's `response.completed` often has an empty `output` (facts chatgpt-codex 4.3): it is then
 * rebuilt from the items that were streamed, in the order of their `output_index`.
 */
export function createResponseCollector(): EventCollector {
  const items = new Map<number, JsonObject>();
  let result: CollectedResponse | undefined;
  return {
    push(json: JsonObject, eventType?: string): void {
      if (result !== undefined) return;
      const event = readResponsesEvent(json, eventType);
      if (event.kind === "ended" || event.kind === "failed") result = withOutput(judgeEnd(event), items);
      else foldEvent(items, event);
    },
    // A Responses stream ends with an event; `[DONE]` behind it says nothing more.
    sentinel(): void {},
    fail(failure: StreamFailure): void {
      result ??= { kind: "failed", error: failure };
    },
    mayEnd: false,
    get result(): CollectedResponse | undefined {
      return result;
    },
  };
}

/** What a stream that is held in memory may have. */
export interface CollectLimits {
  /** The largest event. */
  readonly maxEventBytes: number;
  /** The largest stream. */
  readonly maxStreamBytes: number;
}

/** Reads a whole Responses stream and folds it, see {@linkcode collectStream}. */
export function collectResponses(
  upstream: UpstreamBody,
  limits: CollectLimits,
  signal?: AbortSignal,
): Promise<CollectedResponse> {
  return collectStream(upstream, createResponseCollector(), limits, signal);
}

/**
 * Reads a whole stream into a collector. A stream that ends, breaks or becomes unreadable before the answer has ended is
 * a failure (`incomplete_stream`, `connection_lost`, `unreadable_stream`); so is one beyond the limits. Once the answer
 * has ended the rest is cancelled. Rejects with the signal's reason when `signal` was aborted, and cancels `upstream`.
 */
export async function collectStream(
  upstream: UpstreamBody,
  collector: EventCollector,
  limits: CollectLimits,
  signal?: AbortSignal,
): Promise<CollectedResponse> {
  const sse = createSseReader((event) => takeEvent(collector, readEventData(event)), limits);
  const source = openBody(upstream);
  let failure = ownFailure("incomplete_stream");
  let readBytes = 0;
  // Said to the body itself: in Deno 2.9.6 the signal of a fetch no longer reaches a body whose Response was collected.
  const leave = (): void => void source.cancel(signal?.reason);
  signal?.addEventListener("abort", leave, { once: true });
  if (signal?.aborted === true) leave();
  try {
    while (collector.result === undefined) {
      const bytes = await source.read();
      if (bytes === undefined) {
        const open = readOpenEvent(sse.end());
        if (open !== undefined) takeEvent(collector, open);
        break;
      }
      readBytes += bytes.length;
      if (readBytes > limits.maxStreamBytes || sse.feed(bytes) === "too_large") {
        collector.fail(ownFailure("event_too_large"));
      }
    }
  } catch {
    failure = ownFailure("connection_lost");
  } finally {
    signal?.removeEventListener("abort", leave);
  }
  signal?.throwIfAborted();
  if (collector.mayEnd) collector.sentinel();
  // The result is known: how the rest of the stream ends no longer matters.
  await source.cancel(undefined);
  return collector.result ?? { kind: "failed", error: failure };
}

function takeEvent(collector: EventCollector, data: EventData): void {
  switch (data.kind) {
    case "object":
      return collector.push(data.json, data.eventType);
    case "sentinel":
      return collector.sentinel();
    case "broken":
      return collector.fail(ownFailure("unreadable_stream"));
    case "ping":
      return;
  }
}

function judgeEnd(end: ResponsesEvent & { readonly kind: "ended" | "failed" }): CollectedResponse {
  return end.kind === "ended"
    ? { kind: "response", status: end.status, response: end.response }
    : { kind: "failed", error: toldFailure(end.error) };
}

function withOutput(result: CollectedResponse, items: ReadonlyMap<number, JsonObject>): CollectedResponse {
  if (result.kind === "failed" || outputOf(result.response).length > 0) return result;
  const output = [...items].sort(([a], [b]) => a - b).map(([, item]) => item);
  return { ...result, response: { ...result.response, output } };
}

/** Keeps the latest state of each item. A finished item replaces what was folded from its pieces. */
function foldEvent(items: Map<number, JsonObject>, event: ResponsesEvent): void {
  switch (event.kind) {
    case "item_added":
    case "item_done":
      items.set(event.outputIndex, event.item);
      break;
    case "delta":
    case "done": {
      const item = items.get(event.place.outputIndex);
      if (item === undefined) break;
      const { of, place: { partIndex }, text } = event;
      const grow = event.kind === "delta" ? (old: string): string => old + text : (): string => text;
      items.set(event.place.outputIndex, withText(item, of, partIndex, grow));
      break;
    }
  }
}

/** Where an item keeps each text: a member of its own, or of a part in a list. */
const TEXT_PLACES: Readonly<
  Record<Exclude<OutputText, "input">, { list: string; type: string; member: string }>
> = Object.freeze({
  text: { list: "content", type: "output_text", member: "text" },
  refusal: { list: "content", type: "refusal", member: "refusal" },
  summary: { list: "summary", type: "summary_text", member: "text" },
  reasoning: { list: "content", type: "reasoning_text", member: "text" },
});

function withText(
  item: JsonObject,
  of: OutputText,
  partIndex: number,
  grow: (old: string) => string,
): JsonObject {
  if (of === "input") {
    const member = item["type"] === "custom_tool_call" ? "input" : "arguments";
    return { ...item, [member]: grow(nonEmptyString(item[member]) ?? "") };
  }
  const { list, type, member } = TEXT_PLACES[of];
  const parts: unknown[] = Array.isArray(item[list]) ? [...item[list]] : [];
  const present = parts[partIndex];
  const part = isObject(present) ? present : type === "output_text" ? { type, annotations: [] } : { type };
  parts[partIndex] = { ...part, [member]: grow(nonEmptyString(part[member]) ?? "") };
  return { ...item, [list]: parts };
}
