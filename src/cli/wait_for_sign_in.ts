/**
 * Waiting until a person has approved a sign-in, has refused it, or gives up.
 *
 * @module
 */
import { pause, type Timers } from "../app/timers.ts";
import type { PollResult } from "../credential/sign_in.ts";
import type { StopSignal } from "./command.ts";

/** How waiting ended. */
export type WaitResult =
  | Exclude<PollResult, { readonly kind: "pending" | "not_found" }>
  /** The person gave up. `jwt` when the sign-in was complete before that could be honoured. */
  | { readonly kind: "cancelled"; readonly signal: StopSignal; readonly jwt?: string };

/** What is waited with. */
export interface Waiting {
  /** The next poll of the sign-in. */
  readonly poll: () => Promise<PollResult>;
  readonly pollIntervalMs: number;
  /** When the code ends, milliseconds since the epoch. */
  readonly endsAtMs: number;
  /** Resolves when the person gives up. */
  readonly stopped: Promise<StopSignal>;
  /** Told at once and every second how much time is left, milliseconds. */
  readonly tell: (leftMs: number) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly timers: Timers;
}

/**
 * Polls until there is a result. A poll is never interrupted: it may be about to redeem a code that can be redeemed once.
 * A poll that rejects is repeated while the code lives; after that its error is the result.
 */
export async function waitForSignIn(waiting: Waiting): Promise<WaitResult> {
  const { poll, pollIntervalMs, endsAtMs, tell, now, timers } = waiting;
  const giveUp = new AbortController();
  let signal: StopSignal | undefined;
  waiting.stopped.then((name) => {
    signal = name;
    giveUp.abort();
  });
  const tellLeft = () => tell(Math.max(0, endsAtMs - now()));
  tellLeft();
  const stopTelling = timers.every(1000, tellLeft);
  try {
    for (;;) {
      await pause(timers, pollIntervalMs, giveUp.signal).catch(() => undefined);
      if (signal !== undefined) return { kind: "cancelled", signal };
      const result = await poll().catch((error: unknown): PollResult => {
        if (now() >= endsAtMs) throw error;
        return { kind: "pending" };
      });
      if (signal !== undefined) {
        return { kind: "cancelled", signal, ...(result.kind === "complete" ? { jwt: result.jwt } : {}) };
      }
      // A sign-in that is forgotten has ended for a reason that nobody can tell any more.
      if (result.kind === "not_found") return { kind: "expired" };
      if (result.kind !== "pending") return result;
    }
  } finally {
    stopTelling();
  }
}
