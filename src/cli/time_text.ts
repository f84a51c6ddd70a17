/**
 * Times as people read them.
 *
 * @module
 */

/** What is left of a countdown, e.g. `9:05`. Never negative. */
export function minutesAndSeconds(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** How long something still lasts, in its largest unit, rounded down: `13 days`, `1 hour`, `2 minutes`, `0 minutes`. */
export function roughly(leftMs: number): string {
  const minutes = Math.max(0, Math.floor(leftMs / 60_000));
  if (minutes < 60) return counted(minutes, "minute");
  return minutes < 24 * 60
    ? counted(Math.floor(minutes / 60), "hour")
    : counted(Math.floor(minutes / (24 * 60)), "day");
}

/** A length of time in its largest unit that divides it: `10 minutes`, `90 seconds`, `2 days`. */
export function duration(ms: number): string {
  const units = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]] as const;
  const [noun, unitMs] = units.find(([, unitMs]) => ms > 0 && ms % unitMs === 0) ?? ["second", 1000];
  return counted(ms / unitMs, noun);
}

/** Day and time in UTC, e.g. `2026-12-06 09:30:05`. */
export function timeOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 19).replace("T", " ");
}

/** The day in UTC, e.g. `2026-12-06`. */
export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

/** `1 model`, `3 models`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
