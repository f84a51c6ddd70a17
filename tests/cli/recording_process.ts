/**
 * A stand-in for the process around a command: it records what is written, and tests raise its signals.
 *
 * @module
 */
import { realTimers, type Timers } from "../../src/app/timers.ts";
import type { CliProcess, StopSignal } from "../../src/cli/command.ts";

/** Thrown by `exit`, in place of the end of the process. */
export class Exited extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

/** A process that records. */
export interface RecordingProcess extends CliProcess {
  /** Everything written to standard output, in lines. */
  readonly out: string[];
  /** Everything written to standard error, in lines. */
  readonly err: string[];
  /** Every text that was shown in the status line. */
  readonly statuses: string[];
  /** Every question that was asked. */
  readonly questions: string[];
  /** Raises a signal. */
  signal(name: StopSignal): void;
}

/** Who sits at the terminal: by default nobody. */
export interface Person {
  readonly colors?: boolean;
  /** The answer to every question. */
  readonly answer?: boolean;
  /** The clock, and who fires its timers; the real ones by default. */
  readonly clock?: { readonly now: () => number; readonly timers: Timers };
}

/** A process with the given environment. */
export function recordingProcess(
  environment: Record<string, string> = {},
  { colors = false, answer, clock = { now: Date.now, timers: realTimers } }: Person = {},
): RecordingProcess {
  const out: string[] = [];
  const err: string[] = [];
  const statuses: string[] = [];
  const questions: string[] = [];
  const listeners = new Set<(signal: StopSignal) => void>();
  return {
    out,
    err,
    ...clock,
    statuses,
    questions,
    terminal: {
      out: (line) => out.push(line),
      err: (line) => err.push(line),
      colors,
      status(text) {
        if (text !== undefined) statuses.push(text);
      },
    },
    confirm(question) {
      questions.push(question);
      return answer;
    },
    environment: () => environment,
    onStopSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onUnhandledRejection: () => () => {},
    onExit: () => () => {},
    exit(code) {
      throw new Exited(code);
    },
    signal(name) {
      for (const listener of listeners) listener(name);
    },
  };
}
