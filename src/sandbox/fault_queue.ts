/**
 * The queue of scripted faults, and the place where hanging requests wait.
 *
 * @module
 */
import type { Fault, SandboxContext } from "./contract.ts";

/** The queue, as its owner sees it. */
export interface FaultQueue extends Pick<SandboxContext, "takeFault" | "hang"> {
  /** Appends a fault. */
  add(fault: Fault): void;
  /** The faults that have not hit yet, with how often they still will. */
  waiting(): readonly Fault[];
  /** Lets every hanging request go on; returns how many there were. */
  release(): number;
  /** Drops all faults and lets every hanging request go on. */
  clear(): void;
}

/** An empty queue. */
export function createFaultQueue(): FaultQueue {
  const queue: { readonly fault: Fault; left: number }[] = [];
  const hanging = new Set<() => void>();

  const release = () => {
    const count = hanging.size;
    for (const goOn of [...hanging]) goOn();
    return count;
  };

  return {
    release,

    add(fault) {
      queue.push({ fault, left: fault.times ?? 1 });
    },

    waiting() {
      return queue.map(({ fault, left }) => ({ ...fault, times: left }));
    },

    clear() {
      queue.length = 0;
      release();
    },

    takeFault(upstream, on) {
      const index = queue.findIndex(({ fault }) => fault.upstream === upstream && fault.on === on);
      const entry = queue[index];
      if (entry === undefined) return undefined;
      entry.left -= 1;
      if (entry.left <= 0) queue.splice(index, 1);
      return entry.fault.kind;
    },

    hang(signal) {
      return new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const goOn = () => {
          hanging.delete(goOn);
          signal.removeEventListener("abort", goOn);
          resolve();
        };
        hanging.add(goOn);
        signal.addEventListener("abort", goOn, { once: true });
      });
    },
  };
}
