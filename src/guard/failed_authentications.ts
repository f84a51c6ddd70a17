/**
 * Counting wrong credentials by address, and the blocks that follow.
 *
 * @module
 */
import type { SharedState } from "../store/shared_state.ts";

/** What {@linkcode createFailedAuthentications} takes. */
export interface FailedAuthenticationsOptions {
  readonly shared: Pick<SharedState, "getEntry" | "listEntries" | "putEntry" | "replaceEntry">;
  /** How long a failure counts, milliseconds. */
  readonly windowMs: number;
  /** The failure with this number inside the window blocks. */
  readonly maxAttempts: number;
  /** How long a block lasts, milliseconds. */
  readonly blockMs: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told when the shared state fails; this instance then counts by itself. */
  readonly onError: (error: unknown) => void;
}

/** The failures and blocks of all instances, as far as this one knows; all methods but two are at once. */
export interface FailedAuthentications {
  /** When the address's block ends, milliseconds since the epoch; undefined when there is none. */
  blockedUntilMs(address: string): number | undefined;
  /** Failures of the address inside the window. */
  attempts(address: string): number;
  /** Addresses that are blocked. */
  blockedAddresses(): number;
  /**
   * Counts a failure. Resolves to `late` when the address was blocked before. This instance knows at once, the others when the
   * promise resolves. Never rejects.
   */
  count(address: string): Promise<"counted" | "late">;
  /** Learns of the blocks that others have made since the last call; of all when it is the first. */
  refresh(): Promise<void>;
  /** Forgets what is over. */
  sweep(): void;
}

const failureGroup = "failed_authentication";
const blockGroup = "address_block";

/** Addresses kept in memory, of each kind; the shared state has the others' failures. */
const maxAddresses = 50_000;

/** Failures that are written at a time; those beyond are counted by this instance alone, so that a flood cannot pile up. */
const maxWrites = 64;

/** How far the clocks of two instances may be apart for a block to be seen at once, and to be believed, milliseconds. */
const clockSkewMs = 15_000;

/** Builds the counter. Does nothing until it is used. */
export function createFailedAuthentications(options: FailedAuthenticationsOptions): FailedAuthentications {
  const { shared, windowMs, maxAttempts, blockMs, now, onError } = options;
  /** Times of failures inside the window, ascending. */
  const failures = new Map<string, readonly number[]>();
  const blocks = new Map<string, number>();
  let writes = 0;
  let refreshedAtMs: number | undefined;

  function blockedUntilMs(address: string): number | undefined {
    const untilMs = blocks.get(address);
    return untilMs !== undefined && lasts(untilMs) ? untilMs : undefined;
  }

  /** Not over, nor from a clock that has been set back since: nobody is blocked for longer than the settings say. */
  function lasts(untilMs: number): boolean {
    const leftMs = untilMs - now();
    return leftMs > 0 && leftMs <= blockMs + clockSkewMs;
  }

  function recent(times: readonly number[]): readonly number[] {
    const nowMs = now();
    return times.filter((timeMs) => timeMs > nowMs - windowMs && timeMs <= nowMs + clockSkewMs);
  }

  /** Blocks the address when its failures are enough. */
  function judge(address: string, times: readonly number[]): void {
    remember(failures, address, times);
    const lastMs = times.at(-1);
    if (times.length < maxAttempts || lastMs === undefined || blockedUntilMs(address) !== undefined) return;
    remember(blocks, address, lastMs + blockMs);
  }

  async function share(address: string, timeMs: number): Promise<"counted" | "late"> {
    for (;;) {
      const entry = await shared.getEntry(failureGroup, address, timeMs);
      const before = recent(readTimes(entry?.value));
      if (before.length >= maxAttempts) {
        judge(address, before);
        return "late";
      }
      const times = [...before, timeMs].toSorted((one, other) => one - other);
      const next = { value: JSON.stringify(times), expiresAtMs: timeMs + windowMs };
      if (!await shared.replaceEntry(failureGroup, address, entry?.version, next, timeMs)) continue;
      // Failures that were counted here alone while the shared state was away still count.
      const own = recent(failures.get(address) ?? []);
      judge(address, times.length >= own.length ? times : own);
      const untilMs = blockedUntilMs(address);
      if (untilMs !== undefined) await shared.putEntry(blockGroup, blockKey(untilMs, address), "", untilMs);
      return "counted";
    }
  }

  return {
    blockedUntilMs,
    attempts: (address) => recent(failures.get(address) ?? []).length,
    blockedAddresses() {
      let count = 0;
      for (const untilMs of blocks.values()) if (lasts(untilMs)) count++;
      return count;
    },
    async count(address) {
      if (blockedUntilMs(address) !== undefined) return "late";
      const timeMs = now();
      judge(address, [...recent(failures.get(address) ?? []), timeMs]);
      if (writes >= maxWrites) return "counted";
      writes++;
      try {
        return await share(address, timeMs);
      } catch (error) {
        onError(error);
        return "counted";
      } finally {
        writes--;
      }
    },
    async refresh() {
      const nowMs = now();
      // A block that was made since then ends later than this.
      const fromMs = refreshedAtMs === undefined ? nowMs : refreshedAtMs + blockMs - clockSkewMs;
      for (const { key } of await shared.listEntries(blockGroup, nowMs, { from: blockKey(fromMs, "") })) {
        const block = readBlockKey(key);
        if (block !== undefined && lasts(block.untilMs)) remember(blocks, block.address, block.untilMs);
      }
      refreshedAtMs = nowMs;
    },
    sweep() {
      for (const [address, untilMs] of blocks) if (!lasts(untilMs)) blocks.delete(address);
      for (const [address, times] of failures) if (recent(times).length === 0) failures.delete(address);
    },
  };
}

/** Sets an entry as the youngest one; the oldest makes room for it. */
function remember<T>(map: Map<string, T>, address: string, value: T): void {
  map.delete(address);
  map.set(address, value);
  if (map.size <= maxAddresses) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

/** Ordered by time, so that the youngest blocks can be listed without the others. */
function blockKey(untilMs: number, address: string): string {
  return `${String(Math.max(0, Math.floor(untilMs))).padStart(15, "0")} ${address}`;
}

function readBlockKey(key: string): { readonly untilMs: number; readonly address: string } | undefined {
  const match = /^(\d{15}) (.+)$/.exec(key);
  const [, until, address] = match ?? [];
  return until === undefined || address === undefined ? undefined : { untilMs: Number(until), address };
}

function readTimes(value: string | undefined): readonly number[] {
  const times: unknown = value === undefined ? [] : JSON.parse(value);
  return Array.isArray(times) ? times.filter((time) => typeof time === "number") : [];
}
