/**
 * Server-Sent Events (WHATWG HTML, section 9.2): a reader for streams that arrive in arbitrary pieces of bytes, and
 * the two forms of event that we write.
 *
 * @module
 */
import { createParser } from "eventsource-parser";

/** One dispatched event. */
export interface SseEvent {
  /** The `event` field; undefined when the stream names none (a browser would say `message`). */
  readonly type: string | undefined;
  /** The `data` lines joined with LF. */
  readonly data: string;
}

/** How feeding a piece ended. `too_large` is final: the reader takes no more. */
export type FeedOutcome = "ok" | "too_large";

/** An incremental reader; see {@linkcode createSseReader}. */
export interface SseReader {
  /** Reads the next bytes and calls `onEvent` for each event that they complete. */
  feed(chunk: Uint8Array): FeedOutcome;
  /**
   * Tells that no more bytes come. Returns the event that was still open, that is one without its closing blank line.
   * The specification discards such an event, and several servers leave the last blank line out: the caller may use it
   * if its data is whole (one JSON document, or `[DONE]`), and must take it for a cut otherwise.
   */
  end(): SseEvent | undefined;
}

/**
 * Makes a reader. Lines may end in LF, CR or CRLF and may be cut at any byte, also inside a UTF-8 sequence; a leading
 * BOM, comments and unknown fields are skipped. Work is linear in the bytes read, whatever their pieces are.
 *
 * `maxEventBytes` bounds what is buffered for one open event. It is compared with UTF-16 units, of which there are
 * never more than bytes, so that no event of at most `maxEventBytes` is refused.
 */
export function createSseReader(
  onEvent: (event: SseEvent) => void,
  options: { readonly maxEventBytes: number },
): SseReader {
  // The parser strips the BOM itself; a decoder that did so too would strip two.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let tooLarge = false;
  let sink = onEvent;
  const parser = createParser({
    onEvent: (message): void => sink({ type: message.event, data: message.data }),
    onError: (error): void => {
      // The other errors (unknown field, bad retry) are lines that the specification tells to ignore.
      if (error.type === "max-buffer-size-exceeded") tooLarge = true;
    },
    maxBufferSize: options.maxEventBytes,
  });
  return {
    feed(chunk: Uint8Array): FeedOutcome {
      if (!tooLarge) parser.feed(decoder.decode(chunk, { stream: true }));
      return tooLarge ? "too_large" : "ok";
    },
    end(): SseEvent | undefined {
      if (tooLarge) return undefined;
      let open: SseEvent | undefined;
      sink = (event): void => {
        open = event;
      };
      // Two line ends close whatever line and event are open; on a closed stream they do nothing.
      parser.feed(decoder.decode() + "\n\n");
      return open;
    },
  };
}

/** An event without a type, as Chat Completions streams carry them. */
export function formatSseData(json: unknown): string {
  return `data: ${JSON.stringify(json)}\n\n`;
}

/** An event with a type, as Responses streams carry them. */
export function formatSseEvent(type: string, json: unknown): string {
  return `event: ${type}\ndata: ${JSON.stringify(json)}\n\n`;
}

/** The end of a Chat Completions stream. Sent after a true end only. */
export const SSE_DONE = "data: [DONE]\n\n";
