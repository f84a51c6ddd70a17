/**
 * Recognising an event that differs from an earlier one only where events of a stream differ all the time: the piece of
 * text, the sequence number, the padding. Most events of a stream are of this kind. Comparing bytes costs a small part of
 * decoding, searching and parsing them, and what was found out about the earlier event holds for this one too.
 *
 * @module
 */

/** An event's form, with holes. */
export interface EventTemplate {
  /**
   * Where the text of `run` is, without its quotes, if `run` is one event of this form; undefined otherwise. The text is the
   * inside of a JSON string: escapes are as they came.
   */
  match(run: Uint8Array): TextPlace | undefined;
}

/** Half-open, in bytes. */
export interface TextPlace {
  readonly start: number;
  readonly end: number;
}

/** Members whose values may differ. Inside a JSON text a quote is escaped: these words are found as members only. */
const HOLES: readonly { readonly marker: string; readonly kind: "text" | "string" | "number" }[] = Object
  .freeze([
    { marker: '"delta":"', kind: "text" },
    { marker: '"content":"', kind: "text" },
    { marker: '"reasoning_content":"', kind: "text" },
    { marker: '"arguments":"', kind: "text" },
    // Padding that hides the length of the text from who watches the line.
    { marker: '"obfuscation":"', kind: "string" },
    { marker: '"sequence_number":', kind: "number" },
  ]);

const TEXT_MARKERS: readonly string[] = Object.freeze(
  HOLES.filter(({ kind }) => kind === "text").map(({ marker }) => marker),
);

const QUOTE = 34;
const BACKSLASH = 92;

interface Hole {
  readonly kind: "text" | "string" | "number";
  /** Half-open, in characters of the example. */
  readonly start: number;
  readonly end: number;
}

/**
 * Learns the form of `event`, the text of one event. Undefined when it is more than one, has no piece of text or several, or
 * is not ASCII outside its text.
 */
export function learnTemplate(event: string): EventTemplate | undefined {
  if (event.indexOf("\n\n") !== event.length - 2 || event.includes("\r")) return undefined;
  if (!TEXT_MARKERS.some((marker) => event.includes(marker))) return undefined;
  const holes = HOLES.flatMap(({ marker, kind }) => findHole(event, marker, kind) ?? [])
    .toSorted((one, other) => one.start - other.start);
  if (holes.filter(({ kind }) => kind === "text").length !== 1) return undefined;
  const starts = [0, ...holes.map(({ end }) => end)];
  const fixed = starts.map((start, index) => event.slice(start, holes[index]?.start));
  // Beyond ASCII an index into the text is none into the bytes.
  if (!fixed.every((part) => /^[\x00-\x7f]*$/.test(part))) return undefined;
  return createTemplate(
    fixed.map((part) => encoder.encode(part)),
    holes.map(({ kind }) => kind),
  );
}

const encoder = new TextEncoder();

function findHole(event: string, marker: string, kind: Hole["kind"]): Hole | undefined {
  const at = event.indexOf(marker);
  if (at === -1) return undefined;
  const start = at + marker.length;
  let end = start;
  if (kind === "number") { while (isDigit(event.charCodeAt(end))) end++; }
  else {
    while (end < event.length && event.charCodeAt(end) !== QUOTE) {
      end += event.charCodeAt(end) === BACKSLASH ? 2 : 1;
    }
  }
  return { kind, start, end };
}

function createTemplate(fixed: readonly Uint8Array[], holes: readonly Hole["kind"][]): EventTemplate {
  const [head = new Uint8Array(0)] = fixed;
  const tail = fixed.at(-1) ?? head;
  return {
    match(run: Uint8Array): TextPlace | undefined {
      // The end first: other events share the beginning more often.
      if (!hasAt(run, run.length - tail.length, tail) || !hasAt(run, 0, head)) return undefined;
      let at = head.length;
      let text: TextPlace | undefined;
      for (let index = 0; index < holes.length; index++) {
        const kind = holes[index];
        const start = at;
        at = kind === "number" ? endOfDigits(run, at) : endOfString(run, at);
        if (kind === "text") text = { start, end: at };
        const part = fixed[index + 1] ?? head;
        if (!hasAt(run, at, part)) return undefined;
        at += part.length;
      }
      // Whatever stands behind would be another event.
      return at === run.length ? text : undefined;
    },
  };
}

function hasAt(run: Uint8Array, at: number, part: Uint8Array): boolean {
  if (at < 0 || at + part.length > run.length) return false;
  for (let index = 0; index < part.length; index++) {
    if (run[at + index] !== part[index]) return false;
  }
  return true;
}

/** The index of the quote that ends the string, or the end of the bytes; a raw control character ends it too. */
function endOfString(run: Uint8Array, from: number): number {
  let at = from;
  while (at < run.length) {
    const byte = run[at] ?? 0;
    if (byte === QUOTE || byte < 32) return at;
    at += byte === BACKSLASH ? 2 : 1;
  }
  return at;
}

function endOfDigits(run: Uint8Array, from: number): number {
  let at = from;
  while (isDigit(run[at] ?? 0)) at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
