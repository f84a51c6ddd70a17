/**
 * Values of an event as they are printed behind their names.
 *
 * @module
 */

/**
 * A JSON value as text. Quoted unless plainly one word, so that no value can look like another field or a second line, and
 * without anything that a terminal obeys.
 */
export function fieldText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[\w./:*-]+$/.test(text) ? text : printable(JSON.stringify(value));
}

/** `text` with its control characters written out; JSON leaves those beyond ASCII as they are. */
export function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
