/**
 * What instances write about clients: who has which part of a client's limits, and what a client had spent when its instance
 * was last heard of.
 *
 * @module
 */
import type { SharedState } from "../store/shared_state.ts";
import { parseObject } from "../wire/json.ts";
import type { Part, Parts } from "./limit_parts.ts";

/** The part records of the shared state. */
export interface PartRecords {
  /** All of them, by client. */
  list(nowMs: number): Promise<readonly PartRecord[]>;
  /** Stores a record if nobody changed it since it was read; without one, if there is none. Whether it did. */
  store(key: string, version: string | undefined, parts: Parts, nowMs: number): Promise<boolean>;
  /** Removes a record if nobody changed it since it was read. */
  remove(record: PartRecord): Promise<void>;
}

/** Who has which part of one client's limits. */
export interface PartRecord {
  /** The client's. */
  readonly key: string;
  readonly parts: Parts;
  readonly version: string;
  /** The record runs out soon and must be stored again to stay. */
  readonly isOld: boolean;
}

/** How long a record stays when nobody stores it again, milliseconds. */
const partLifetimeMs = 60_000;

const partGroup = "limit_part";

/** Builds the access to the records. */
export function createPartRecords(
  shared: Pick<SharedState, "listEntries" | "replaceEntry" | "deleteEntry">,
): PartRecords {
  return {
    async list(nowMs) {
      const entries = await shared.listEntries(partGroup, nowMs);
      return entries.map(({ key, value, version, expiresAtMs }) => ({
        key,
        version,
        parts: readParts(value),
        isOld: expiresAtMs - nowMs < partLifetimeMs / 2,
      }));
    },
    store: (key, version, parts, nowMs) =>
      shared.replaceEntry(partGroup, key, version, {
        value: JSON.stringify(
          Object.fromEntries([...parts].map(([id, { rate, places, wants }]) => [id, [rate, places, wants]])),
        ),
        expiresAtMs: nowMs + partLifetimeMs,
      }, nowMs),
    remove: ({ key, version }) => shared.deleteEntry(partGroup, key, version),
  };
}

/** What a client had spent at an instance. */
export interface Spent {
  readonly key: string;
  /** Requests spent at `atMs`. */
  readonly spent: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** What instances leave behind about spending. */
export interface SpentRecords {
  /** Stores what the clients of instance `id` have spent, in place of what it stored before; of very many, what those have that spent most. */
  store(id: string, spent: readonly Spent[], expiresAtMs: number): Promise<void>;
  /** What each instance but those in `except` has stored last. */
  list(nowMs: number, except: ReadonlySet<string>): Promise<ReadonlyMap<string, readonly Spent[]>>;
}

const spentGroup = "limit_spent";

/** A row is below 80 characters, and an entry takes 30 000. */
const rowsPerEntry = 350;

/** Clients per instance whose spending is kept; more are a flood. */
const maxRows = 5 * rowsPerEntry;

/** Builds the access to the records. */
export function createSpentRecords(shared: Pick<SharedState, "listEntries" | "putEntry">): SpentRecords {
  return {
    async store(id, spent, expiresAtMs) {
      const kept = spent.length <= maxRows
        ? spent
        : spent.toSorted((one, other) => other.spent - one.spent).slice(0, maxRows);
      for (let from = 0; from < kept.length; from += rowsPerEntry) {
        const rows = kept.slice(from, from + rowsPerEntry).map((row) => [
          row.key,
          Math.ceil(row.spent * 100) / 100,
          row.atMs,
        ]);
        await shared.putEntry(
          spentGroup,
          `${id}/${from / rowsPerEntry}`,
          JSON.stringify({ rows }),
          expiresAtMs,
        );
      }
    },
    async list(nowMs, except) {
      const found = new Map<string, Map<string, Spent>>();
      for (const { key: path, value } of await shared.listEntries(spentGroup, nowMs)) {
        const id = path.slice(0, path.indexOf("/"));
        if (except.has(id)) continue;
        const rows = found.get(id) ?? new Map<string, Spent>();
        found.set(id, rows);
        // A client may stand in an entry that was not overwritten and in a younger one.
        for (const row of readRows(value)) {
          if ((rows.get(row.key)?.atMs ?? 0) <= row.atMs) rows.set(row.key, row);
        }
      }
      return new Map([...found].map(([id, rows]) => [id, [...rows.values()]]));
    },
  };
}

function readParts(value: string): Parts {
  const parts = new Map<string, Part>();
  for (const [id, part] of Object.entries(parseObject(value) ?? {})) {
    if (!Array.isArray(part)) continue;
    const [rate, places, wants]: unknown[] = part;
    if (typeof rate === "number" && typeof places === "number" && typeof wants === "boolean") {
      parts.set(id, { rate, places, wants });
    }
  }
  return parts;
}

function readRows(value: string): readonly Spent[] {
  const rows = parseObject(value)?.["rows"];
  if (!Array.isArray(rows)) return [];
  return rows.flatMap((row: unknown): readonly Spent[] => {
    if (!Array.isArray(row)) return [];
    const [key, spent, atMs]: unknown[] = row;
    return typeof key === "string" && typeof spent === "number" && typeof atMs === "number"
      ? [{ key, spent, atMs }]
      : [];
  });
}
