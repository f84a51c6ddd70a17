/**
 * What a command of the command line is, and what it may use of the process around it.
 *
 * @module
 */
import type { Timers } from "../app/timers.ts";
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
  /**
   * Calls `listener` when the process ends by itself, by {@linkcode CliProcess.exit} or by an error that nobody catches, until
   * the returned function is called. The listener cannot wait for anything.
   */
  onExit(listener: () => void): () => void;
  /** The clock, milliseconds since the epoch. */
  now(): number;
  readonly timers: Timers;
  /** Asks a question that takes yes or no, and waits; undefined when nobody is there to answer. */
  confirm(question: string): boolean | undefined;
  /** Ends the process at once. */
  exit(code: number): never;
}

/** The word that may stand between a command and its flags, as in `token show`. */
export interface WordSpec {
  /** How the help writes it, e.g. `show|rotate`. */
  readonly placeholder: string;
  /** The words that are understood; absent when the command itself judges them. */
  readonly choices?: readonly string[];
  readonly required: boolean;
}

/** One command. */
export interface Command {
  readonly name: string;
  /** One sentence for the overview. */
  readonly summary: string;
  /** The word that it takes; absent when it takes none. */
  readonly word?: WordSpec;
  readonly flags: readonly FlagSpec[];
  /** What follows the flags in the command's help. */
  readonly details?: () => string;
  /**
   * Runs to the end; resolves to the exit code. Prints sentences for what users can mend; rejects only for bugs. `words`
   * fit {@linkcode Command.word}: there is at most one, and exactly one where it is required.
   */
  run(flags: Flags, process: CliProcess, words: readonly string[]): Promise<number>;
}
