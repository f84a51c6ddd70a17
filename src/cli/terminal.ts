/**
 * Where a command writes, and the little styling that it uses.
 *
 * @module
 */

/** Takes finished lines, without their line break. */
export interface Terminal {
  /** What the command was asked for: standard output. */
  out(line: string): void;
  /** Problems and the running log: standard error. */
  err(line: string): void;
  /** True when a person watches and has not asked for plain text: only then are escape sequences written. */
  readonly colors: boolean;
}

/** `text` so that it stands out. */
export function bold(terminal: Terminal, text: string): string {
  return styled(terminal, "1", text);
}

/** `text` so that it steps back. */
export function dim(terminal: Terminal, text: string): string {
  return styled(terminal, "2", text);
}

/** Writes problems to standard error, one line each, and after them what helps. */
export function printProblems(terminal: Terminal, problems: readonly string[], hint?: string): void {
  for (const problem of problems) terminal.err(`${styled(terminal, "31", "error")}  ${problem}`);
  if (hint !== undefined) terminal.err(`${dim(terminal, "hint")}   ${hint}`);
}

/** Two aligned columns, a line for each entry. */
export function columns(entries: readonly (readonly [string, string])[], gap = 3): string[] {
  const width = Math.max(...entries.map(([name]) => name.length)) + gap;
  return entries.map(([name, text]) => `  ${name.padEnd(width)}${text}`);
}

/** ECMA-48 "select graphic rendition". */
function styled(terminal: Terminal, code: string, text: string): string {
  return terminal.colors ? `\x1b[${code}m${text}\x1b[0m` : text;
}
