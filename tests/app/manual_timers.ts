/**
 * Timers that a test fires by their delay.
 */
import type { Timers } from "../../src/app/timers.ts";

/** Timers that never fire by themselves. */
export class ManualTimers implements Timers {
  readonly #pending = new Set<{ readonly delayMs: number; readonly callback: () => void }>();
  #added = Promise.withResolvers<void>();

  after(delayMs: number, callback: () => void): () => void {
    return this.#add(delayMs, callback, true);
  }

  every(intervalMs: number, callback: () => void): () => void {
    return this.#add(intervalMs, callback, false);
  }

  /** Waits until a timer with a delay in the range is set, and fires it. */
  async fire(fromMs: number, toMs = fromMs): Promise<void> {
    for (;;) {
      for (const entry of this.#pending) {
        if (entry.delayMs >= fromMs && entry.delayMs <= toMs) return entry.callback();
      }
      await this.#added.promise;
    }
  }

  /** The delays that are set at the moment, milliseconds. */
  get delaysMs(): number[] {
    return [...this.#pending].map(({ delayMs }) => delayMs);
  }

  #add(delayMs: number, callback: () => void, once: boolean): () => void {
    const entry = {
      delayMs,
      callback: () => {
        if (once) this.#pending.delete(entry);
        callback();
      },
    };
    this.#pending.add(entry);
    this.#added.resolve();
    this.#added = Promise.withResolvers();
    return () => void this.#pending.delete(entry);
  }
}
