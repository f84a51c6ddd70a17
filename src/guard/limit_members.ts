/**
 * Which instances share the limits. Each keeps an entry that says how long it is there for sure, and whom it knows: an instance
 * takes its part of the limits only after all others know of it and have made theirs smaller.
 *
 * @module
 */
import type { SharedState } from "../store/shared_state.ts";
import { parseObject } from "../wire/json.ts";

/** One instance's view of all. */
export interface LimitMembers {
  /** The instances at the moment, this one included, ascending. */
  look(): Promise<readonly string[]>;
  /**
   * Tells the others that this instance is there and knows `known`. Writes only when that is news or its entry runs out soon.
   */
  announce(known: readonly string[]): Promise<void>;
  /** True when, at the last look, all others knew this instance. */
  isKnownToAll(): boolean;
  /** Takes those for gone that did not know this instance at the last look, until they write again. */
  dropSilent(): void;
  /** Removes this instance's entry. */
  leave(): Promise<void>;
}

/** What {@linkcode createLimitMembers} takes. */
export interface LimitMembersOptions {
  readonly shared: Pick<SharedState, "listEntries" | "putEntry" | "deleteEntry">;
  /** Unique among all instances, ever. */
  readonly id: string;
  /** Milliseconds since the epoch; the instances' clocks must agree to about a second. */
  readonly now: () => number;
}

const group = "limit_member";

/**
 * How long an entry lasts, milliseconds. In company a killed instance should soon be gone from the count; alone there is nobody
 * to count, and an idle relay should not write to the disk every other second.
 */
const lifetimeMs = Object.freeze({ alone: 14_000, inCompany: 4_000 });

/** Builds the view. Does nothing until it is used. */
export function createLimitMembers({ shared, id, now }: LimitMembersOptions): LimitMembers {
  /** What others wrote when they were dropped. */
  const dropped = new Map<string, string>();
  let others: readonly Other[] = [];
  let told: { readonly known: string; readonly untilMs: number; readonly lifetimeMs: number } | undefined;

  return {
    async look() {
      const entries = await shared.listEntries(group, now());
      others = entries
        .filter(({ key, version }) => key !== id && dropped.get(key) !== version)
        .map(({ key, value, version }) => ({ id: key, version, knowsThis: readKnown(value).includes(id) }));
      for (const gone of dropped.keys()) if (entries.every(({ key }) => key !== gone)) dropped.delete(gone);
      return [id, ...others.map((other) => other.id)].sort();
    },
    async announce(members) {
      const nowMs = now();
      const known = JSON.stringify({ known: members });
      if (told?.known === known && told.untilMs - nowMs > told.lifetimeMs / 2) return;
      const lasting = members.length > 1 ? lifetimeMs.inCompany : lifetimeMs.alone;
      await shared.putEntry(group, id, known, nowMs + lasting);
      told = { known, untilMs: nowMs + lasting, lifetimeMs: lasting };
    },
    isKnownToAll: () => others.every(({ knowsThis }) => knowsThis),
    dropSilent() {
      for (const other of others) if (!other.knowsThis) dropped.set(other.id, other.version);
    },
    leave: () => shared.deleteEntry(group, id),
  };
}

interface Other {
  readonly id: string;
  readonly version: string;
  readonly knowsThis: boolean;
}

function readKnown(value: string): readonly unknown[] {
  const known = parseObject(value)?.["known"];
  return Array.isArray(known) ? known : [];
}
