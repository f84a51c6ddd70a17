/**
 * Patience with an engine that says "database is locked" at once instead of waiting for its turn.
 *
 * @module
 */

/** What an operation resolves to when it met another writer and has changed nothing. */
export const contended: unique symbol = Symbol("contended");

/** Repeats an operation while it is contended or its engine is locked; rejects when that does not end. */
export type LockedRetry = <T>(operation: () => Promise<T | typeof contended>) => Promise<T>;

/** What {@linkcode createLockedRetry} works with. */
export interface LockedRetryDependencies {
  /** A number from 0 up to 1, for the jitter. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Resolves after `ms` milliseconds. Default: a timer. */
  readonly delay?: ((ms: number) => Promise<void>) | undefined;
}

/**
 * The pauses double from 4 ms up to 256 ms, each shortened at random so that two processes do not meet again. All
 * attempts together take about 2.5 seconds, at most 5.
 */
const limits = Object.freeze({ maxAttempts: 24, firstPauseMs: 4, maxPauseMs: 256 });

/**
 * Builds a {@linkcode LockedRetry}. Errors other than "database is locked" pass through at once. A locked engine has
 * not begun to write, so that no operation is done twice.
 */
export function createLockedRetry(
  { random = Math.random, delay = pause }: LockedRetryDependencies = {},
): LockedRetry {
  return async (operation) => {
    for (let attempt = 0; attempt < limits.maxAttempts; attempt++) {
      if (attempt > 0) {
        await delay(random() * Math.min(limits.firstPauseMs * 2 ** (attempt - 1), limits.maxPauseMs));
      }
      try {
        const result = await operation();
        if (result !== contended) return result;
      } catch (error) {
        if (!isLocked(error)) throw error;
      }
    }
    throw new Error(
      "The store stayed locked by other processes. Try again, or let fewer processes share its file.",
    );
  };
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && error.message.includes("database is locked");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
