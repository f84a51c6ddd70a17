/**
 * Removes expired records in the background.
 *
 * @module
 */
import type { Store } from "./store.ts";

/** What {@linkcode startSweep} takes. */
export interface SweepOptions {
  /** The pause between two sweeps, milliseconds. */
  readonly intervalMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told of a sweep that failed; the next one comes after the usual pause. */
  readonly onError: (error: unknown) => void;
  /** Calls `run` once after `delayMs` unless the returned function is called first. Default: a timer. */
  readonly schedule?: (run: () => void, delayMs: number) => () => void;
}

/** A running sweep. */
export interface Sweep {
  /**
   * Ends the sweep. Resolves when the batch in progress, if any, is done: then the store may be closed. Idempotent.
   */
  stop(): Promise<void>;
}

/** Records per statement: few enough that other writers and the event loop get their turn in between. */
const batchSize = 200;

/**
 * Starts to remove expired records: soon after the start, then every `intervalMs`. A backlog is worked off batch by
 * batch, with a turn of the event loop after each. The default timer does not keep the process alive.
 */
export function startSweep(store: Pick<Store, "records">, options: SweepOptions): Sweep {
  const { intervalMs, now, onError, schedule = scheduleUnreferenced } = options;
  let stopped = false;
  let batch: Promise<void> = Promise.resolve();
  let cancel = schedule(run, 0);

  function run(): void {
    batch = sweepBatch().then((pauseMs) => {
      if (!stopped) cancel = schedule(run, pauseMs);
    });
  }

  /** Removes one batch; how long to wait before the next, milliseconds. */
  async function sweepBatch(): Promise<number> {
    try {
      return await store.records.sweepExpired(now(), batchSize) < batchSize ? intervalMs : 0;
    } catch (error) {
      onError(error);
      return intervalMs;
    }
  }

  return {
    async stop() {
      stopped = true;
      cancel();
      await batch;
    },
  };
}

function scheduleUnreferenced(run: () => void, delayMs: number): () => void {
  const timer = setTimeout(run, delayMs);
  Deno.unrefTimer(timer);
  return () => clearTimeout(timer);
}
