/**
 * Runs a relay from its configuration until it is asked to stop. `serve` and `sandbox` are this with different settings.
 *
 * @module
 */
import { createRelayApp } from "../app/app.ts";
import type { RelayConfig } from "../config_load.ts";
import { openStore, type Store } from "../store/store.ts";
import { startSweep } from "../store/sweep.ts";
import type { Observe } from "../traffic/observe.ts";
import { type CliProcess, exitCode } from "./command.ts";
import { eventLine } from "./event_line.ts";
import { explainFailure, knownCause } from "./failure.ts";
import { listen, type Listening, stopSignal } from "./server.ts";
import { printProblems } from "./terminal.ts";

/** The pause between two removals of expired sign-ins, milliseconds. */
const sweepIntervalMs = 5 * 60_000;

/**
 * Opens the stores, listens, calls `onListening` with the relay's origin, and waits for a signal to stop. Then answers in
 * progress get their time, and the stores are closed. Resolves to the exit code.
 */
export async function runRelay(
  config: RelayConfig,
  process: CliProcess,
  onListening: (origin: string) => void,
): Promise<number> {
  const { terminal } = process;
  const observe: Observe = (event) => terminal.err(eventLine(event, Date.now()));
  let store: Store;
  try {
    store = await openStore(config.storage);
  } catch (error) {
    const cause = knownCause(error instanceof Error ? error.cause : undefined);
    const message = error instanceof Error ? error.message : "The store cannot be opened.";
    printProblems(terminal, [message], cause && `The cause: ${cause}`);
    return exitCode.failed;
  }
  const app = createRelayApp({
    store,
    jwtSecret: config.jwtSecret,
    previousJwtSecrets: config.previousJwtSecrets,
    identitySecret: config.identitySecret,
    originator: config.originator,
    providers: config.providers,
    corsOrigins: config.server.corsOrigins,
    maxBodyBytes: config.server.maxBodyBytes,
    timing: config.streams,
    observe,
  });
  let server: Listening;
  try {
    server = listen(config.server, app.fetch);
  } catch (error) {
    await store.close();
    const { host, port } = config.server;
    printProblems(terminal, [explainFailure(error, `The relay cannot listen on ${host}, port ${port}`)]);
    return exitCode.failed;
  }
  const fault = (error: unknown) => {
    const message = error instanceof Error ? error.message : "An unknown fault.";
    observe({ kind: "fault", route: "-", message });
  };
  // One forgotten rejection must not end the streams of everybody else.
  process.onUnhandledRejection(fault);
  const sweep = startSweep(store, { intervalMs: sweepIntervalMs, now: Date.now, onError: fault });
  const stop = stopSignal(process);
  onListening(server.origin);

  await stop;
  const { shutdownGraceMs } = config.server;
  terminal.err(
    `Stopping. Answers in progress have ${
      shutdownGraceMs / 1000
    } s to finish; another signal ends them at once.`,
  );
  const finished = await server.stop(shutdownGraceMs);
  // A provider that is renewing tokens has used up the old ones: its answer is waited for, as long as a request may take.
  await app.settled();
  await sweep.stop();
  await store.close();
  terminal.err(finished ? "Stopped." : "Stopped. Answers that were still in progress are cut.");
  return exitCode.ok;
}
