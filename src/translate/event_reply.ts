/**
 * The interface of all streaming reply halves, and the driver that feeds them from the bytes of an event stream.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { createSseReader } from "../wire/sse.ts";
import { endsInBlankLine } from "../wire/sse_framing.ts";
import { type EventData, readEventData, readOpenEvent } from "../wire/sse_json.ts";
import type { TokenUsage } from "../wire/token_usage.ts";
import { learnRepetition, type Repetition } from "./repetition.ts";
import type { StreamTranslator } from "./relay_stream.ts";
import { ownFailure, type StreamFailure } from "./stream_failure.ts";

/** Turns the upstream's events into the text of the client's stream. After `end` is set every method returns "". */
export interface EventReply {
  /** The text to send for one event; `eventType` is the SSE field. */
  push(event: JsonObject, eventType?: string): string;
  /**
   * Notes that the piece of text of the latest event was followed by one of so many UTF-16 units, which was told without
   * `push`. Absent or undefined where what is sent for a next event depends on more than its text.
   */
  readonly grow?: ((length: number) => void) | undefined;
  /** The text to send for the upstream's `[DONE]`, or for its end of stream if the answer may end there. */
  sentinel(): string;
  /** Ends the answer as failed and returns the error event in the client's dialect. */
  fail(failure: StreamFailure): string;
  /** How the answer ended; undefined while it has not. An incomplete answer counts as completed: it says so itself. */
  readonly end: "completed" | "failed" | undefined;
  /** The code of the failure that ended it, the upstream's own where it told one. */
  readonly failureCode: string | undefined;
  /** Whether an end of the stream at this point is an end of the answer. */
  readonly mayEnd: boolean;
  /** What the call used, once the upstream has told. */
  readonly usage: TokenUsage | undefined;
}

/** How many forms of events a stream is learnt from. Answers alternate between a few. */
const maxLessons = 256;

/**
 * Feeds a reply half from bytes. Data that is no JSON object is skipped, because upstreams send pings in several forms;
 * but a broken object is content that was lost, and fails the answer. So do an event of more than `maxEventBytes` and an
 * end of the stream before the answer's own end.
 */
export function translateEvents(
  reply: EventReply,
  options: { readonly maxEventBytes: number },
): StreamTranslator {
  const encoder = new TextEncoder();
  let out = "";
  let cut = false;
  const reader = createSseReader((event) => take(readEventData(event)), options);

  function take(data: EventData): void {
    switch (data.kind) {
      case "object":
        out += reply.push(data.json, data.eventType);
        break;
      case "sentinel":
        out += reply.sentinel();
        break;
      case "broken":
        fail(ownFailure("unreadable_stream"));
        break;
      case "ping":
        break;
    }
  }

  function fail(failure: StreamFailure): void {
    if (reply.end !== undefined) return;
    cut = true;
    out += reply.fail(failure);
  }

  /** No more bytes come. */
  function stop(failure: StreamFailure): void {
    if (reply.mayEnd) out += reply.sentinel();
    else fail(failure);
  }

  function flush(): Uint8Array | undefined {
    const text = out;
    out = "";
    return text === "" ? undefined : encoder.encode(text);
  }

  /** Of the latest event, if it was a piece of text and nothing else, and nothing of a next one has come. */
  let repetition: Repetition | undefined;
  let lessons = maxLessons;
  /** Whether the reader holds nothing of an open event. */
  let between = true;

  /** The same event with another piece of text: it needs neither parsing nor printing. */
  function repeat(bytes: Uint8Array): Uint8Array | undefined {
    const repeated = repetition?.repeat(bytes);
    if (repeated !== undefined) reply.grow?.(repeated.length);
    return repeated?.bytes;
  }

  function learn(bytes: Uint8Array, told: string): Repetition | undefined {
    if (reply.grow === undefined || reply.end !== undefined || told === "" || lessons === 0) return undefined;
    lessons--;
    return learnRepetition(bytes, told);
  }

  return {
    chunk(bytes: Uint8Array): Uint8Array | undefined {
      const repeated = repeat(bytes);
      if (repeated !== undefined) return repeated;
      const wasBetween = between;
      between = endsInBlankLine(bytes);
      if (reader.feed(bytes) === "too_large") fail(ownFailure("event_too_large"));
      repetition = wasBetween && between ? learn(bytes, out) : undefined;
      return flush();
    },
    end(): Uint8Array | undefined {
      const open = readOpenEvent(reader.end());
      if (open !== undefined) take(open);
      stop(ownFailure("incomplete_stream"));
      return flush();
    },
    fail(failure: StreamFailure): Uint8Array | undefined {
      stop(failure);
      return flush();
    },
    get ended(): StreamTranslator["ended"] {
      return cut ? "cut" : reply.end;
    },
    get failureCode(): string | undefined {
      return reply.failureCode;
    },
    get usage(): TokenUsage | undefined {
      return reply.usage;
    },
  };
}
