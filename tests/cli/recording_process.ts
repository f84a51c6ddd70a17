/**
 * A stand-in for the process around a command: it records what is written, and tests raise its signals.
 *
 * @module
 */
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
  /** Raises a signal. */
  signal(name: StopSignal): void;
}

/** A process with the given environment. */
export function recordingProcess(environment: Record<string, string> = {}, colors = false): RecordingProcess {
  const out: string[] = [];
  const err: string[] = [];
  const listeners = new Set<(signal: StopSignal) => void>();
  return {
    out,
    err,
    terminal: { out: (line) => out.push(line), err: (line) => err.push(line), colors },
    environment: () => environment,
    onStopSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onUnhandledRejection: () => () => {},
    exit(code) {
      throw new Exited(code);
    },
    signal(name) {
      for (const listener of listeners) listener(name);
    },
  };
}
