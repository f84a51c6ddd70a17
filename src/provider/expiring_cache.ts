/**
 * A small cache: bounded in number, least recently used out first, each entry with its own end.
 *
 * @module
 */

/** Values by key, each until its time. */
export interface ExpiringCache<Value> {
  /** The value while it is fresh; `fresh: false` marks one whose time is over but that was not pushed out yet. */
  get(key: string): { readonly value: Value; readonly fresh: boolean } | undefined;
  /** Keeps `value` fresh for `lifeMs` milliseconds. */
  set(key: string, value: Value, lifeMs: number): void;
}

/**
 * An empty cache.
 *
 * @param maxEntries The most entries that it holds; one more pushes out the least recently used.
 * @param now The clock, milliseconds since the epoch.
 */
export function createExpiringCache<Value>(maxEntries: number, now: () => number): ExpiringCache<Value> {
  const entries = new Map<string, { readonly value: Value; readonly endMs: number }>();
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      // A Map iterates in insertion order: re-inserting moves the entry to the young end.
      entries.delete(key);
      entries.set(key, entry);
      return { value: entry.value, fresh: entry.endMs > now() };
    },
    set(key, value, lifeMs) {
      entries.delete(key);
      entries.set(key, { value, endMs: now() + lifeMs });
      if (entries.size <= maxEntries) return;
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        break;
      }
    },
  };
}
