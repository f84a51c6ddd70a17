/**
 * Runs a relay from its configuration until it is asked to stop. `serve` and `sandbox` are this with different settings.
 *
 * @module
 */
import { createRelayApp } from "../app/app.ts";
import { faultMessage } from "../app/fault_message.ts";
import type { PersonalOptions } from "../app/options.ts";
import type { RelayConfig } from "../config_load.ts";
import { openOwnerSessions } from "../credential/owner_sessions.ts";
import { openRelayToken, type RelayToken } from "../credential/relay_token.ts";
import { createLimiter } from "../guard/limiter.ts";
import { startSweep } from "../store/sweep.ts";
import { atMostEvery } from "../traffic/at_most_every.ts";
import { version } from "../version.ts";
import { type CliProcess, exitCode } from "./command.ts";
import { explainFailure } from "./failure.ts";
import { usesProxy } from "./http_proxy.ts";
import { openObserver } from "./open_observer.ts";
import { openConfiguredStore } from "./open_store.ts";
import { publicConfiguration } from "./public_configuration.ts";
import { listen, type Listening, stopSignal } from "./server.ts";
import { printProblems } from "./terminal.ts";

/** The pause between two removals of expired sign-ins, milliseconds. */
const sweepIntervalMs = 5 * 60_000;

/** How often the operator is told that the limits are not shared, milliseconds: they are tried several times a second. */
const unsharedIntervalMs = 60_000;

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
  const observer = openObserver(config.log, process);
  const { observe } = observer;
  const opened = await openConfiguredStore(config.storage);
  if (opened.kind === "refused") {
    printProblems(terminal, [opened.sentence], opened.hint);
    return exitCode.failed;
  }
  const { store } = opened;
  const limiter = createLimiter({
    settings: config.limits,
    shared: store.shared,
    onError: atMostEvery(unsharedIntervalMs, Date.now, (error) => {
      observe({ kind: "limits_unshared", message: faultMessage(error) });
    }),
  });
  // The blocks of before are known before the first request is judged.
  await limiter.ready;
  const personal = config.halves.personal ? personalOptions(config) : undefined;
  const app = createRelayApp({
    store,
    limiter,
    jwtSecret: config.jwtSecret,
    previousJwtSecrets: config.previousJwtSecrets,
    identitySecret: config.identitySecret,
    originator: config.halves.app ? config.originator : undefined,
    personal,
    configuration: publicConfiguration(config),
    providers: config.providers,
    corsOrigins: config.server.corsOrigins,
    maxBodyBytes: config.server.maxBodyBytes,
    bodyTimeoutMs: config.server.bodyTimeoutMs,
    uploads: config.uploads,
    timing: config.streams,
    observe,
    logBodies: config.log.bodies,
    ...(usesProxy(process) ? { fetch } : {}),
  });
  let server: Listening;
  try {
    server = listen(config.server, app.fetch);
  } catch (error) {
    await limiter.close();
    await store.close();
    const { host, port } = config.server;
    printProblems(terminal, [explainFailure(error, `The relay cannot listen on ${host}, port ${port}`)]);
    return exitCode.failed;
  }
  const fault = (error: unknown) => observe({ kind: "fault", route: "-", message: faultMessage(error) });
  // One forgotten rejection must not end the streams of everybody else.
  process.onUnhandledRejection(fault);
  const sweep = startSweep(store, { intervalMs: sweepIntervalMs, now: Date.now, onError: fault });
  const stop = stopSignal(process);
  const { app: forApps, personal: forOwner } = config.halves;
  observe({ kind: "started", version, origin: server.origin, app: forApps, personal: forOwner });
  if (personal !== undefined) {
    const { source, fingerprint = null } = await personal.relayToken.describe();
    observe({ kind: "relay_token", source, fingerprint });
  }
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
  app.close();
  await limiter.close();
  await sweep.stop();
  await store.close();
  observe({ kind: "stopped", finished });
  await observer.close();
  terminal.err(finished ? "Stopped." : "Stopped. Answers that were still in progress are cut.");
  return exitCode.ok;
}

/** What lets the owner in: the logins and the token of the data directory, each as it is at the time of a request. */
function personalOptions({ storage, relayToken }: RelayConfig): PersonalOptions & { relayToken: RelayToken } {
  return {
    logins: openOwnerSessions(storage.dataDir),
    relayToken: openRelayToken({ override: relayToken.override, path: relayToken.path, now: Date.now }),
    requireBearerAuth: relayToken.required,
    allowProxied: relayToken.remoteNoAuth,
  };
}
