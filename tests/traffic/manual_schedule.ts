/**
 * A clock and its timers, both moved by the test.
 */

/** Timers that fire when the test says so. */
export class ManualSchedule {
  nowMs: number;
  readonly #timers = new Set<{ readonly dueMs: number; readonly run: () => void }>();

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  readonly now = (): number => this.nowMs;

  readonly schedule = (run: () => void, delayMs: number): () => void => {
    const timer = { dueMs: this.nowMs + delayMs, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Milliseconds from now to each timer, the nearest first. */
  get pendingMs(): number[] {
    return [...this.#timers].map(({ dueMs }) => dueMs - this.nowMs).sort((a, b) => a - b);
  }

  /** Moves the clock, and fires what becomes due on the way, in order. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) =>
        a.dueMs - b.dueMs
      );
      if (next === undefined) break;
      this.nowMs = next.dueMs;
      this.#timers.delete(next);
      next.run();
    }
    this.nowMs = endMs;
  }
}
