/**
 * Keeps the settings reference in operations.md the same as the table in src/config.ts: `deno task docs` writes it, and a
 * test compares it.
 *
 * @module
 */
import { renderReference } from "../src/config_text.ts";

/** The page that holds the reference. */
export const page = new URL("operations.md", import.meta.url);

/** `text` with the reference between its two marks made anew. Throws when the marks are not there. */
export function withReference(text: string): string {
  const [before, rest] = text.split(beginMark);
  const [, after] = rest?.split(endMark) ?? [];
  if (before === undefined || after === undefined) {
    throw new Error("operations.md has lost its settings marks.");
  }
  return `${before}${beginMark}\n\n${renderReference()}\n${endMark}${after}`;
}

const beginMark = "<!-- deno-fmt-ignore-start -->";
const endMark = "<!-- deno-fmt-ignore-end -->";

if (import.meta.main) await Deno.writeTextFile(page, withReference(await Deno.readTextFile(page)));
