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
   * Where the text of `run` is, without its quotes, if `run` is one event of this form; undefined otherwise. The text has
   * neither quotes nor control characters; whether its escapes and its UTF-8 are right has not been judged.
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

const SPACE = 32;
const QUOTE = 34;
const ZERO = 48;
const BACKSLASH = 92;

interface Hole {
  readonly kind: "text" | "string" | "number";
  /** Half-open, in bytes of the example. */
  readonly start: number;
  readonly end: number;
}

/**
 * Learns the form of `event`, the bytes of one event. Undefined when it is more than one, or has no piece of text or several.
 */
export function learnTemplate(event: Uint8Array): EventTemplate | undefined {
  // A byte order mark belongs to a stream's first event alone.
  if (event[0] === firstOfMark) return undefined;
  // One character for each byte, so that an index into the text is one into the bytes.
  const text = octets.decode(event);
  if (text.indexOf("\n\n") !== text.length - 2 || text.includes("\r")) return undefined;
  if (!TEXT_MARKERS.some((marker) => text.includes(marker))) return undefined;
  // Of two members of one name the latter counts, or they belong to two objects.
  if (HOLES.some(({ marker }) => text.indexOf(marker) !== text.lastIndexOf(marker))) return undefined;
  const holes = HOLES.flatMap(({ marker, kind }) => findHole(event, text.indexOf(marker), marker, kind) ?? [])
    .toSorted((one, other) => one.start - other.start);
  if (holes.filter(({ kind }) => kind === "text").length !== 1) return undefined;
  const starts = [0, ...holes.map(({ end }) => end)];
  return createTemplate(
    starts.map((start, index) => event.slice(start, holes[index]?.start)),
    holes.map(({ kind }) => kind),
  );
}

const firstOfMark = 0xef;

const octets = new TextDecoder("latin1");

function findHole(event: Uint8Array, at: number, marker: string, kind: Hole["kind"]): Hole | undefined {
  if (at === -1) return undefined;
  const start = at + marker.length;
  const end = endOfHole(event, start, kind);
  const whole = kind === "number" ? end !== -1 : event[end] === QUOTE;
  return whole ? { kind, start, end } : undefined;
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
        const kind = holes[index] ?? "text";
        const start = at;
        at = endOfHole(run, start, kind);
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

/** Where the hole that begins at `from` ends; -1 when what stands there is nothing of its kind. */
function endOfHole(run: Uint8Array, from: number, kind: Hole["kind"]): number {
  switch (kind) {
    case "text":
      return endOfText(run, from);
    case "string":
      return endOfPlainString(run, from);
    case "number":
      return endOfNumber(run, from);
  }
}

/** The index of the quote that ends the string. A control character, which JSON has none of, ends it too, also behind a backslash. */
function endOfText(run: Uint8Array, from: number): number {
  let at = from;
  while (at < run.length) {
    const byte = run[at] ?? 0;
    if (byte === QUOTE || byte < SPACE) return at;
    at += byte === BACKSLASH && (run[at + 1] ?? 0) >= SPACE ? 2 : 1;
  }
  return at;
}

/** As {@linkcode endOfText}; an escape, which would have to be judged, ends it as well. */
function endOfPlainString(run: Uint8Array, from: number): number {
  let at = from;
  for (; at < run.length; at++) {
    const byte = run[at] ?? 0;
    if (byte === QUOTE || byte === BACKSLASH || byte < SPACE) break;
  }
  return at;
}

/** The end of a whole number as JSON has it: at least one digit, and no zero before another one. */
function endOfNumber(run: Uint8Array, from: number): number {
  if (run[from] === ZERO) return from + 1;
  let at = from;
  while (isDigit(run[at] ?? 0)) at++;
  return at === from ? -1 : at;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9;
}
