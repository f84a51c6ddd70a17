/**
 * Removes in the background what nobody can use any more: expired records, files without a record, and what uploads left
 * that never ended.
 *
 * @module
 */
import { type FileStore, relayOwnerId } from "./file_store.ts";
import type { RecordStore } from "./record_store.ts";

/** The stores that are swept. */
export interface SweptStores {
  /** The sign-ins. */
  readonly records: Pick<RecordStore, "sweepExpired" | "get">;
  /** The files, each of which goes with its owner's record. */
  readonly files: Pick<FileStore, "owners" | "deleteOwner" | "purge">;
}

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
 * Starts to sweep: soon after the start, then every `intervalMs`. A backlog is worked off batch by batch, with a turn of the
 * event loop after each. The default timer does not keep the process alive.
 */
export function startSweep(stores: SweptStores, options: SweepOptions): Sweep {
  const { intervalMs, now, onError, schedule = scheduleUnreferenced } = options;
  let stopped = false;
  let batch: Promise<void> = Promise.resolve();
  let steps = sweepSteps(stores, now);
  let cancel = schedule(run, 0);

  function run(): void {
    batch = sweepBatch().then((pauseMs) => {
      if (!stopped) cancel = schedule(run, pauseMs);
    });
  }

  /** Takes one step; how long to wait before the next, milliseconds. */
  async function sweepBatch(): Promise<number> {
    try {
      if (!(await steps.next()).done) return 0;
    } catch (error) {
      onError(error);
    }
    steps = sweepSteps(stores, now);
    return intervalMs;
  }

  return {
    async stop() {
      stopped = true;
      cancel();
      await batch;
    },
  };
}

/** One sweep, in steps between which others get their turn. */
async function* sweepSteps({ records, files }: SweptStores, now: () => number): AsyncGenerator<void> {
  while (await records.sweepExpired(now(), batchSize) === batchSize) yield;
  for (let after = "";;) {
    const owners = await files.owners(after, batchSize);
    for (const owner of owners) {
      if (owner !== relayOwnerId && await records.get(owner, now()) === undefined) {
        await files.deleteOwner(owner);
      }
    }
    const last = owners.at(-1);
    if (last === undefined) break;
    after = last;
    yield;
  }
  while (await files.purge(now())) yield;
}

function scheduleUnreferenced(run: () => void, delayMs: number): () => void {
  const timer = setTimeout(run, delayMs);
  Deno.unrefTimer(timer);
  return () => clearTimeout(timer);
}
