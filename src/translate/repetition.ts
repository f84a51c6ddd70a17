/**
 * Translating an event that differs from the one before only in its piece of text: the same answer with the other text in
 * its place. Both dialects write a text as a JSON string, so that the string goes over as it came.
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
/** Broken UTF-8 is an error here: such an event goes the long way, where it is judged. */
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Learns from an event and from what it was answered with, one event too. Undefined when the text cannot be found again in the
 * answer, exactly once.
 */
export function learnRepetition(run: Uint8Array, answer: string): Repetition | undefined {
  const event = decode(run);
  const template = event === undefined ? undefined : learnTemplate(event);
  const place = template?.match(run);
  if (template === undefined || place === undefined) return undefined;
  const text = textAt(run, place);
  if (text === undefined || text === "" || answer.indexOf("\n\n") !== answer.length - 2) return undefined;
  const told = JSON.stringify(text);
  const at = answer.indexOf(told);
  if (at === -1 || answer.lastIndexOf(told) !== at) return undefined;
  const head = encoder.encode(answer.slice(0, at + 1));
  const tail = encoder.encode(answer.slice(at + told.length - 1));
  return {
    repeat(next: Uint8Array): ReturnType<Repetition["repeat"]> {
      const found = template.match(next);
      if (found === undefined || found.start === found.end) return undefined;
      const length = isPlain(next, found) ? found.end - found.start : textAt(next, found)?.length;
      if (length === undefined) return undefined;
      const bytes = new Uint8Array(head.length + found.end - found.start + tail.length);
      bytes.set(head);
      bytes.set(next.subarray(found.start, found.end), head.length);
      bytes.set(tail, bytes.length - tail.length);
      return { bytes, length };
    },
  };
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

/** The text of a string; undefined when it is not a JSON string. */
function textAt(run: Uint8Array, { start, end }: TextPlace): string | undefined {
  const inside = decode(run.subarray(start, end));
  if (inside === undefined) return undefined;
  try {
    const text: unknown = JSON.parse(`"${inside}"`);
    return typeof text === "string" ? text : undefined;
  } catch {
    return undefined;
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
