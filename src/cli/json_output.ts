/**
 * Output for programs: with `--json`, standard output is one JSON document and nothing else.
 *
 * @module
 */
import type { FlagSpec } from "./arguments.ts";
import type { Terminal } from "./terminal.ts";

/** The flag of every command that prints data. */
export const jsonFlag: FlagSpec = Object.freeze({
  name: "json",
  description: "Print JSON for programs instead of text for people.",
});

/** Prints `value` as the whole of standard output. */
export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out(JSON.stringify(value, null, 2));
}
