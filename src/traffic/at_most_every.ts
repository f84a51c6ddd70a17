/**
 * Telling of a trouble that lasts without telling of it all the time.
 *
 * @module
 */

/**
 * `tell`, at most once in `intervalMs` milliseconds; what comes in between is left out. `now` is the clock, milliseconds since
 * the epoch.
 */
export function atMostEvery<T>(
  intervalMs: number,
  now: () => number,
  tell: (value: T) => void,
): (value: T) => void {
  let toldAtMs = -Infinity;
  return (value) => {
    const nowMs = now();
    // A clock that was set back since must not silence it for long.
    if (nowMs >= toldAtMs && nowMs - toldAtMs < intervalMs) return;
    toldAtMs = nowMs;
    tell(value);
  };
}
