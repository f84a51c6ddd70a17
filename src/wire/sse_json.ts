/**
 * What the data of an event is, for streams whose events are JSON objects.
 *
 * @module
 */
import { type JsonObject, parseObject } from "./json.ts";
import type { SseEvent } from "./sse.ts";

/** The data of an event, judged. */
export type EventData =
  | { readonly kind: "object"; readonly json: JsonObject; readonly eventType: string | undefined }
  /** `[DONE]`, the end of a Chat Completions stream. */
  | { readonly kind: "sentinel" }
  /** Begins like an object and is none: content that was lost. */
  | { readonly kind: "broken" }
  /** Anything else: upstreams send pings in several forms. */
  | { readonly kind: "ping" };

const SENTINEL: EventData = Object.freeze({ kind: "sentinel" });
const BROKEN: EventData = Object.freeze({ kind: "broken" });
const PING: EventData = Object.freeze({ kind: "ping" });

/** Judges the data of an event. */
export function readEventData(event: SseEvent): EventData {
  const json = parseObject(event.data);
  if (json !== undefined) return { kind: "object", json, eventType: event.type };
  const data = event.data.trim();
  if (data === "[DONE]") return SENTINEL;
  return data.startsWith("{") ? BROKEN : PING;
}

/**
 * Judges an event that was still open at the end of its stream. It counts if its data is whole, because several servers
 * leave the last blank line out; a cut one does not count.
 */
export function readOpenEvent(event: SseEvent | undefined): EventData | undefined {
  const data = event === undefined ? PING : readEventData(event);
  return data.kind === "object" || data.kind === "sentinel" ? data : undefined;
}
