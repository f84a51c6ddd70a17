/**
 * Timers that fire when the test says so.
 *
 * @module
 */
import type { Schedule } from "../../src/page/client/browser_client.ts";

/** A timer that the code under test has set. */
export interface ManualTimer {
  readonly delayMs: number;
  readonly cancelled: boolean;
  fire(): void;
}

/** Hands out the timers in the order in which they were set; `next` waits until there is one. */
export function manualTimers(): { readonly schedule: Schedule; readonly next: () => Promise<ManualTimer> } {
  const set: ManualTimer[] = [];
  const waiting: ((timer: ManualTimer) => void)[] = [];
  return {
    schedule(delayMs, callback) {
      const timer = { delayMs, cancelled: false, fire: () => timer.cancelled || callback() };
      const waiter = waiting.shift();
      if (waiter === undefined) set.push(timer);
      else waiter(timer);
      return () => {
        timer.cancelled = true;
      };
    },
    next() {
      const timer = set.shift();
      return timer === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(timer);
    },
  };
}
