/**
 * Translating an event that differs from the one before only in its piece of text: the same answer with the other text in
 * its place, byte for byte what the long way would have made of it.
 *
 * @module
 */
import { learnTemplate, type TextPlace } from "./event_template.ts";

/** How events of one form are answered. */
export interface Repetition {
  /** What to send for `run` if it is one event of the form, and how many UTF-16 units its text has. */
  repeat(run: Uint8Array): { readonly bytes: Uint8Array<ArrayBuffer>; readonly length: number } | undefined;
}

const encoder = new TextEncoder();
/** Broken UTF-8 is an error here: such an event goes the long way, where it is judged. A text may begin with U+FEFF. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Learns from an event and from what it was answered with, one event too. Undefined when the text cannot be found again in the
 * answer, exactly once.
 */
export function learnRepetition(run: Uint8Array, answer: string): Repetition | undefined {
  if (answer.indexOf("\n\n") !== answer.length - 2) return undefined;
  const template = learnTemplate(run);
  const place = template?.match(run);
  if (template === undefined || place === undefined) return undefined;
  const text = textAt(run, place);
  if (text === undefined || text === "") return undefined;
  const told = JSON.stringify(text);
  const at = answer.indexOf(told);
  if (at === -1 || answer.lastIndexOf(told) !== at) return undefined;
  const head = encoder.encode(answer.slice(0, at + 1));
  const tail = encoder.encode(answer.slice(at + told.length - 1));
  return {
    repeat(next: Uint8Array): ReturnType<Repetition["repeat"]> {
      const found = template.match(next);
      if (found === undefined || found.start === found.end) return undefined;
      if (isPlain(next, found)) {
        return {
          bytes: join(head, next.subarray(found.start, found.end), tail),
          length: found.end - found.start,
        };
      }
      const text = textAt(next, found);
      if (text === undefined) return undefined;
      // Written anew: the same text can be escaped in many ways.
      return {
        bytes: join(head, encoder.encode(JSON.stringify(text).slice(1, -1)), tail),
        length: text.length,
      };
    },
  };
}

function join(head: Uint8Array, text: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(head.length + text.length + tail.length);
  bytes.set(head);
  bytes.set(text, head.length);
  bytes.set(tail, head.length + text.length);
  return bytes;
}

/** Whether each byte is a character of its own: ASCII, and nothing escaped. */
function isPlain(run: Uint8Array, { start, end }: TextPlace): boolean {
  for (let at = start; at < end; at++) {
    const byte = run[at] ?? 0;
    if (byte > 126 || byte === BACKSLASH) return false;
  }
  return true;
}

const BACKSLASH = 92;

/** The text of a string; undefined when it is not a JSON string, or not UTF-8. */
function textAt(run: Uint8Array, { start, end }: TextPlace): string | undefined {
  try {
    const text: unknown = JSON.parse(`"${decoder.decode(run.subarray(start, end))}"`);
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}
