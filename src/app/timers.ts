/**
 * The passing of time as the relay uses it. Handed in, so that tests move it.
 *
 * @module
 */

/** Timers, as `setTimeout` and `setInterval` are. */
export interface Timers {
  /** Calls `callback` once after `delayMs` milliseconds, unless the returned function is called before. */
  after(delayMs: number, callback: () => void): () => void;
  /** Calls `callback` every `intervalMs` milliseconds until the returned function is called. */
  every(intervalMs: number, callback: () => void): () => void;
}

/** The real ones. */
export const realTimers: Timers = Object.freeze({
  after(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
  every(intervalMs: number, callback: () => void): () => void {
    const timer = setInterval(callback, intervalMs);
    return () => clearInterval(timer);
  },
});

/** Resolves after `delayMs`; rejects with the signal's reason when that aborts first. */
export function pause(timers: Timers, delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal.aborted) {
    reject(signal.reason);
    return promise;
  }
  const stop = timers.after(delayMs, () => {
    signal.removeEventListener("abort", leave);
    resolve();
  });
  function leave(): void {
    stop();
    reject(signal.reason);
  }
  signal.addEventListener("abort", leave, { once: true });
  return promise;
}
