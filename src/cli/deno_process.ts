/**
 * The real process, as commands see it.
 *
 * @module
 */
import { realTimers } from "../app/timers.ts";
import type { CliProcess, StopSignal } from "./command.ts";
import type { Terminal } from "./terminal.ts";

/** The process that this runs in. Needs no permission; what the permissions hide reads as absent. */
export function denoProcess(): CliProcess {
  return {
    terminal: denoTerminal(),
    environment(names) {
      try {
        return Deno.env.toObject();
      } catch (error) {
        if (!(error instanceof Deno.errors.NotCapable)) throw error;
        return readOneByOne(names);
      }
    },
    onStopSignal(listener) {
      const removals = stopSignals.map((signal) => {
        const listen = () => listener(signal);
        Deno.addSignalListener(signal, listen);
        return () => Deno.removeSignalListener(signal, listen);
      });
      return () => removals.forEach((remove) => remove());
    },
    onUnhandledRejection(listener) {
      const listen = (event: PromiseRejectionEvent) => {
        event.preventDefault();
        listener(event.reason);
      };
      globalThis.addEventListener("unhandledrejection", listen);
      return () => globalThis.removeEventListener("unhandledrejection", listen);
    },
    onExit(listener) {
      // An error that nobody catches ends the process without `unload`.
      const listen = () => listener();
      const events = ["unload", "error"] as const;
      for (const event of events) globalThis.addEventListener(event, listen);
      return () => events.forEach((event) => globalThis.removeEventListener(event, listen));
    },
    now: Date.now,
    timers: realTimers,
    // Asks only where somebody can see the question and type the answer.
    confirm: (question) =>
      Deno.stdin.isTerminal() && Deno.stdout.isTerminal() ? confirm(question) : undefined,
    exit: (code) => Deno.exit(code),
  };
}

/** Windows knows no SIGTERM to listen to. */
const stopSignals: readonly StopSignal[] = Object.freeze(
  Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"],
);

function denoTerminal(): Terminal {
  const watched = Deno.stdout.isTerminal();
  /** Whether the line that the cursor is in holds a status. */
  let shown = false;
  const clear = () => {
    if (shown) write(Deno.stdout, clearLine);
    shown = false;
  };
  return {
    out(line) {
      clear();
      write(Deno.stdout, `${line}\n`);
    },
    err(line) {
      clear();
      write(Deno.stderr, `${line}\n`);
    },
    colors: watched && Deno.stderr.isTerminal() && !Deno.noColor,
    status(text) {
      clear();
      if (!watched || text === undefined) return;
      write(Deno.stdout, text);
      shown = true;
    },
  };
}

/** To the first column, and erase to the end of the line (ECMA-48). */
const clearLine = "\r\x1b[K";

/**
 * Written at once and as a whole: a log line must not be lost or torn when the process ends. A line that cannot be written
 * is dropped: the reader may have left (`authai-relay help | head -1`), or the disk behind the log may be full, and neither
 * may cost an answer.
 */
function write(stream: typeof Deno.stdout | typeof Deno.stderr, text: string): void {
  let bytes = new TextEncoder().encode(text);
  try {
    while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
  } catch {
    // There is no place left to tell it.
  }
}

function readOneByOne(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => {
    const { state } = Deno.permissions.querySync({ name: "env", variable: name });
    const text = state === "granted" ? Deno.env.get(name) : undefined;
    return text === undefined ? [] : [[name, text]];
  }));
}
