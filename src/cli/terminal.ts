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
  /**
   * Shows a short text below what was written, in place of the one before; undefined takes it away, and so does the next
   * line. Does nothing unless a person watches.
   */
  status(text: string | undefined): void;
}

/** What a text can stand out by. */
export type Style = keyof typeof styles;

/** ECMA-48 "select graphic rendition". */
const styles = Object.freeze({ bold: "1", dim: "2", red: "31", green: "32", yellow: "33", cyan: "36" });

/** `text` in a style, where colours are shown. */
export function styled(terminal: Terminal, style: Style, text: string): string {
  return terminal.colors ? `\x1b[${styles[style]}m${text}\x1b[0m` : text;
}

/** `text` so that it stands out. */
export function bold(terminal: Terminal, text: string): string {
  return styled(terminal, "bold", text);
}

/** `text` so that it steps back. */
export function dim(terminal: Terminal, text: string): string {
  return styled(terminal, "dim", text);
}

/** Writes problems to standard error, one line each, and after them what helps. */
export function printProblems(terminal: Terminal, problems: readonly string[], hint?: string): void {
  for (const problem of problems) terminal.err(`${styled(terminal, "red", "error")}  ${problem}`);
  if (hint !== undefined) terminal.err(`${dim(terminal, "hint")}   ${hint}`);
}

/** Writes to standard error, in a line each, what works but not as the user may believe. */
export function printWarnings(terminal: Terminal, warnings: readonly string[]): void {
  for (const warning of warnings) terminal.err(`${styled(terminal, "yellow", "warning")}  ${warning}`);
}

/** Writes what helps from here, below a title: commands, which stand out, or sentences. Writes nothing when there is nothing. */
export function printNextSteps(terminal: Terminal, steps: readonly string[]): void {
  if (steps.length === 0) return;
  terminal.out("");
  terminal.out(bold(terminal, steps.length === 1 ? "Next step" : "Next steps"));
  for (const step of steps) {
    terminal.out(`  ${step.endsWith(".") ? step : styled(terminal, "cyan", step)}`);
  }
}

/** Aligned columns, an indented line for each entry. Cells may be styled; a last cell is not filled up. */
export function columns(entries: readonly (readonly string[])[], gap = 3): string[] {
  const widths = entries.reduce<number[]>(
    (sofar, cells) => cells.map((cell, at) => Math.max(sofar[at] ?? 0, shownLength(cell))),
    [],
  );
  return entries.map((cells) => {
    const last = cells.length - 1;
    const filled = cells.map((cell, at) =>
      at === last ? cell : cell + " ".repeat((widths[at] ?? 0) - shownLength(cell) + gap)
    );
    return `  ${filled.join("")}`.trimEnd();
  });
}

/** How many characters of `text` are seen. */
function shownLength(text: string): number {
  // deno-lint-ignore no-control-regex -- escape sequences begin with one
  return text.replace(/\x1b\[[\d;]*m/g, "").length;
}
