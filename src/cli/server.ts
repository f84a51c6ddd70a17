/**
 * A listening server and its orderly end.
 *
 * @module
 */
import type { ConnectionInfo } from "../app/app.ts";
import type { CliProcess, StopSignal } from "./command.ts";

/** A server that listens. */
export interface Listening {
  /** Where it can be reached from this machine, e.g. `http://127.0.0.1:3000`. */
  readonly origin: string;
  /**
   * Stops to accept, and lets answers in progress go on for `graceMs`. True when all of them finished; false when some
   * were left, which end with the process: their clients see a cut connection, never a normal end.
   */
  stop(graceMs: number): Promise<boolean>;
}

/** Starts to listen. Throws the error of the system when that fails, e.g. `Deno.errors.AddrInUse`. */
export function listen(
  address: { readonly host: string; readonly port: number },
  answer: (request: Request, info: ConnectionInfo) => Response | Promise<Response>,
): Listening {
  const server = Deno.serve(
    { hostname: address.host, port: address.port, onListen: () => undefined },
    answer,
  );
  return {
    origin: originOf(server.addr),
    async stop(graceMs) {
      const deadline = Promise.withResolvers<false>();
      const timer = setTimeout(() => deadline.resolve(false), graceMs);
      // shutdown() does not resolve while a stream runs, and a stream may run for ever.
      const finished = await Promise.race([server.shutdown().then(() => true), deadline.promise]);
      clearTimeout(timer);
      return finished;
    },
  };
}

/**
 * Resolves at the first signal to stop. A second one ends the process at once, with the exit code of that signal; the same
 * signal within a second is an echo of the first: a terminal signals the whole group of processes, and npm, for one, passes
 * on to its child what the child has already got.
 */
export function stopSignal(process: CliProcess): Promise<StopSignal> {
  const stop = Promise.withResolvers<StopSignal>();
  let first: { readonly signal: StopSignal; readonly atMs: number } | undefined;
  process.onStopSignal((signal) => {
    if (first === undefined) {
      first = { signal, atMs: process.now() };
      stop.resolve(signal);
    } else if (signal !== first.signal || process.now() - first.atMs >= echoMs) {
      process.exit(exitCodeOf[signal]);
    }
  });
  return stop.promise;
}

/** For how long a repeated signal is taken for the one before, milliseconds. */
const echoMs = 1000;

/** The exit code of a process that a signal has ended: 128 and its number, as shells count. */
export const exitCodeOf: Readonly<Record<StopSignal, number>> = Object.freeze({ SIGINT: 130, SIGTERM: 143 });

/** Where a server on this address can be reached from this machine. */
export function originOf({ hostname, port }: Pick<Deno.NetAddr, "hostname" | "port">): string {
  const reachable = { "0.0.0.0": "127.0.0.1", "::": "::1" }[hostname] ?? hostname;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
