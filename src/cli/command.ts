/**
 * What a command of the command line is, and what it may use of the process around it.
 *
 * @module
 */
import type { Flags, FlagSpec } from "./arguments.ts";
import type { Terminal } from "./terminal.ts";

/** How a command ends, as the exit code of the process. */
export const exitCode = Object.freeze({
  ok: 0,
  /** It was understood but failed: a busy port, an unwritable directory. */
  failed: 1,
  /** It was not understood: unknown words and flags, wrong or missing settings. */
  usage: 2,
});

/** A request from outside to end. */
export type StopSignal = "SIGINT" | "SIGTERM";

/** The process around a command. Handed in, so that tests can stand in for it. */
export interface CliProcess {
  readonly terminal: Terminal;
  /**
   * The environment as far as the permissions show it: all of it where that is allowed, else those of `names` that may
   * be read.
   */
  environment(names: readonly string[]): Readonly<Record<string, string>>;
  /** Calls `listener` at each signal, until the returned function is called. */
  onStopSignal(listener: (signal: StopSignal) => void): () => void;
  /**
   * Calls `listener` for rejections that nobody handles, which would end the process, until the returned function is
   * called.
   */
  onUnhandledRejection(listener: (reason: unknown) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): never;
}

/** One command. */
export interface Command {
  readonly name: string;
  /** One sentence for the overview. */
  readonly summary: string;
  readonly flags: readonly FlagSpec[];
  /** What follows the flags in the command's help. */
  readonly details?: () => string;
  /** Runs to the end; resolves to the exit code. Prints sentences for what users can mend; rejects only for bugs. */
  run(flags: Flags, process: CliProcess): Promise<number>;
}
