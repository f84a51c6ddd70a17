/**
 * Streams whose client and upstream speak the same dialect: the bytes go through untouched, but are watched, so that an
 * answer that is cut ends in an error and not in silence.
 *
 * @module
 */
import { createSseReader, type SseEvent } from "../wire/sse.ts";
import { createSseFramer } from "../wire/sse_framing.ts";
import { readEventData, readOpenEvent } from "../wire/sse_json.ts";
import type { TokenUsage } from "../wire/token_usage.ts";
import type { StreamTranslator } from "./relay_stream.ts";
import { type EventTemplate, learnTemplate } from "./event_template.ts";
import { ownFailure, type StreamFailure } from "./stream_failure.ts";

/** What a dialect knows about its own streams. */
export interface EventWatch {
  /**
   * Reads over a run of whole events, as text, and says whether an event in it must be looked at: too often is allowed,
   * too rarely is not. Called for runs in order; a run that differs from one that needed no look only in its piece of text
   * and its sequence number is left out, unless it turns out to be the last one of its kind.
   */
  scan(text: string): boolean;
  /** Looks at an event: undefined lets it through as it is, a text is sent in its place (possibly none). */
  look(event: SseEvent): string | undefined;
  /** Ends the answer as failed and returns the error event in this dialect. */
  fail(failure: StreamFailure): string;
  /** How the answer ended; undefined while it has not. */
  readonly end: "completed" | "failed" | undefined;
  /** The code of the failure that ended it, the upstream's own where it told one. */
  readonly failureCode: string | undefined;
  /** Whether an end of the stream at this point is an end of the answer. */
  readonly mayEnd: boolean;
  /** Whether the upstream has told a failure that has not ended the answer yet. */
  readonly told: boolean;
  readonly usage: TokenUsage | undefined;
}

/** How many forms of events a stream is learnt from. Answers alternate between a few. */
const maxLessons = 256;

/** A line whose data begins like an object and does not end like one: many lines of data, or a broken event. */
const BROKEN_DATA = /^data: ?\{[^\r\n]*[^}\r\n](?=[\r\n])/m;

/**
 * Passes whole events through. An event that is not complete yet is held back, so that an error event can follow at any
 * moment and a cut event never reaches the client. More than `maxEventBytes` held back fails the answer.
 */
export function passThrough(
  watch: EventWatch,
  options: { readonly maxEventBytes: number },
): StreamTranslator {
  const framer = createSseFramer();
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let cut = false;
  /** The form of the latest ordinary event that had another form than the one before. */
  let template: EventTemplate | undefined;
  /** A stream whose events are all of different forms is not learnt from for ever. */
  let lessons = maxLessons;
  /** The latest run, if the watch has not seen it. */
  let unscanned: Uint8Array | undefined;

  /** Shows the watch a run that was left out, once it turns out to be the last one of its kind. */
  function scanLate(): void {
    if (unscanned !== undefined) watch.scan(decoder.decode(unscanned));
    unscanned = undefined;
  }

  function fail(failure: StreamFailure): string {
    if (watch.end !== undefined) return "";
    scanLate();
    cut = !watch.told;
    return watch.fail(failure);
  }

  function encode(text: string): Uint8Array | undefined {
    return text === "" ? undefined : encoder.encode(text);
  }

  /** What to send instead of an event, if anything. */
  function lookAt(event: SseEvent): string | undefined {
    return readEventData(event).kind === "broken" ? fail(ownFailure("unreadable_stream")) : watch.look(event);
  }

  /** Looks at each event of a run; undefined when all may go as they are. */
  function replacement(run: Uint8Array): string | undefined {
    let text = "";
    let replaced = false;
    const reader = createSseReader((event) => {
      // Behind a failure of our own making nothing may follow.
      if (cut) return;
      const instead = lookAt(event);
      replaced ||= instead !== undefined;
      text += instead ?? format(event);
    }, options);
    reader.feed(run);
    return replaced ? text : undefined;
  }

  return {
    chunk(bytes: Uint8Array): Uint8Array | undefined {
      const run = framer.push(bytes);
      if (framer.heldBytes > options.maxEventBytes) return encode(fail(ownFailure("event_too_large")));
      if (run === undefined) return undefined;
      if (template?.match(run) !== undefined) {
        // A copy, because the reader's buffer is used again.
        return unscanned = run.slice();
      }
      const text = decoder.decode(run);
      const single = singleEvent(text);
      scanLate();
      if (watch.scan(text) || (single === undefined && BROKEN_DATA.test(text))) {
        const instead = single === undefined ? replacement(run) : lookAt(single);
        if (instead !== undefined) return encode(instead);
      } else if (single !== undefined && lessons > 0) {
        lessons--;
        template = learnTemplate(run);
      }
      return run.slice();
    },
    end(): Uint8Array | undefined {
      const open = closeEvent(framer.rest());
      let text = "";
      if (open !== undefined && readOpenEvent(open) !== undefined) {
        text = format(open);
        scanLate();
        watch.scan(text);
        text = watch.look(open) ?? text;
      }
      if (!watch.mayEnd) text += fail(ownFailure("incomplete_stream"));
      return encode(text);
    },
    fail(failure: StreamFailure): Uint8Array | undefined {
      return watch.mayEnd ? undefined : encode(fail(failure));
    },
    get ended(): StreamTranslator["ended"] {
      if (cut) return "cut";
      return watch.end ?? (watch.mayEnd ? "completed" : undefined);
    },
    get failureCode(): string | undefined {
      return watch.failureCode;
    },
    get usage(): TokenUsage | undefined {
      return watch.usage;
    },
  };
}

/**
 * The event of a run of one, in the form that nearly all have: an `event` line at most, and one line of data that begins and
 * ends like an object. Undefined for every other run.
 */
function singleEvent(text: string): SseEvent | undefined {
  const named = text.startsWith(EVENT_FIELD);
  const dataAt = named ? text.indexOf("\n") + 1 : 0;
  const plain = text.startsWith(`${DATA_FIELD}{`, dataAt) && text.endsWith("}\n\n") &&
    text.indexOf("\n", dataAt) === text.length - 2 && !text.includes("\r");
  if (!plain) return undefined;
  return {
    type: named ? text.slice(EVENT_FIELD.length, dataAt - 1) : undefined,
    data: text.slice(dataAt + DATA_FIELD.length, -2),
  };
}

const EVENT_FIELD = "event: ";
const DATA_FIELD = "data: ";

/** The event that the held bytes are, if they are one without its blank line. */
function closeEvent(rest: Uint8Array | undefined): SseEvent | undefined {
  if (rest === undefined) return undefined;
  const reader = createSseReader(() => {}, { maxEventBytes: rest.length });
  reader.feed(rest);
  return reader.end();
}

/** An event as it was, apart from comments, its id and the spelling of its line ends. */
function format(event: SseEvent): string {
  const lines = event.data.split("\n").map((line) => `data: ${line}\n`).join("");
  return `${event.type === undefined ? "" : `event: ${event.type}\n`}${lines}\n`;
}
