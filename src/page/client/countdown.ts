/**
 * The time that is left, told once a second.
 *
 * @module
 */
import type { Schedule } from "./browser_client.ts";

/**
 * Calls `tell` at once and then at every full second that is left, the last time with 0. Reads the clock each time, so
 * that a throttled or sleeping tab shows the truth when it wakes. The returned function ends it early.
 */
export function startCountdown(
  endsAtMs: number,
  clock: { readonly nowMs: () => number; readonly schedule: Schedule },
  tell: (secondsLeft: number) => void,
): () => void {
  let cancel = () => {};
  const tick = () => {
    const leftMs = Math.max(0, endsAtMs - clock.nowMs());
    tell(Math.ceil(leftMs / 1000));
    if (leftMs > 0) cancel = clock.schedule(leftMs % 1000 || 1000, tick);
  };
  tick();
  return () => cancel();
}

/** Seconds as minutes and seconds, for example `9:05`. */
export function minutesAndSeconds(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
