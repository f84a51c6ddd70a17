/** Support for the stream tests: fixtures, ways to cut them, and readers of what comes out. */
import { createSseReader, type SseEvent } from "../../src/wire/sse.ts";
import type { StreamTranslator } from "../../src/translate/relay_stream.ts";

/** The three line ends of the specification. */
export const LINE_ENDS = { LF: "\n", CRLF: "\r\n", CR: "\r" } as const;

/** A fixture's bytes, with the given line end. */
export function fixture(name: string, lineEnd: string = LINE_ENDS.LF): Uint8Array<ArrayBuffer> {
  const text = Deno.readTextFileSync(new URL(`../fixtures/streams/${name}.sse`, import.meta.url));
  return new TextEncoder().encode(text.replaceAll("\n", lineEnd));
}

/** The text that a translator sends for these pieces and then the end of the stream. */
export function replay(translator: StreamTranslator, pieces: Iterable<Uint8Array>): string {
  const decoder = new TextDecoder();
  let text = "";
  // What the pump does: the reader's buffer is used again for the next piece.
  for (const piece of pieces) {
    const buffer = piece.slice();
    const out = translator.chunk(buffer);
    buffer.fill(0);
    text += decoder.decode(out ?? new Uint8Array(0), { stream: true });
    if (translator.ended === "failed" || translator.ended === "cut") return text;
  }
  return text + decoder.decode(translator.end() ?? new Uint8Array(0));
}

/** Every way to cut `bytes` in two, then one byte at a time. */
export function* everyCut(bytes: Uint8Array): Generator<Uint8Array[]> {
  for (let at = 0; at <= bytes.length; at++) yield [bytes.subarray(0, at), bytes.subarray(at)];
  yield Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
}

/** The events of a stream's text. */
export function eventsOf(text: string): SseEvent[] {
  const events: SseEvent[] = [];
  const reader = createSseReader((event) => events.push(event), { maxEventBytes: 1 << 24 });
  reader.feed(new TextEncoder().encode(text));
  const open = reader.end();
  if (open !== undefined) throw new Error("The stream ends in an open event.");
  return events;
}

/** The JSON objects of a stream's text, without `[DONE]`. */
// deno-lint-ignore no-explicit-any -- a test reads any member and fails by itself when it is not there
export function objectsOf(text: string): any[] {
  return eventsOf(text).filter((event) => event.data !== "[DONE]").map((event) => JSON.parse(event.data));
}

/** A stream of the given pieces, one per read. */
export function streamOf(...pieces: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  const waiting = [...pieces];
  return new ReadableStream({
    pull(controller): void {
      const piece = waiting.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
}
