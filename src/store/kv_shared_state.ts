/**
 * {@linkcode SharedState} on Deno KV: a local file that several processes may share.
 *
 * Keys: `["poll", key]` holds `{ sealed, expiresAtMs }`; `["poll_open", minute]` counts the sessions whose expiry
 * falls into that minute since the epoch, so that the number of open ones is the sum over a few dozen counters
 * instead of a scan. A session counts until its minute is over; a full state may stay full up to one minute longer
 * than it has to. `["entry", group, key]` holds `{ value, expiresAtMs }`.
 *
 * @module
 */
import {
  contended,
  createLockedRetry,
  type LockedRetry,
  type LockedRetryDependencies,
} from "./locked_retry.ts";
import { explainOpenError } from "./open_error.ts";
import { createPrivateFile } from "./private_file.ts";
import type { PollSession, SharedEntry, SharedState } from "./shared_state.ts";

/** What {@linkcode openKvSharedState} takes. */
export type KvSharedStateOptions =
  & (
    | {
      /** The file, or `:memory:` for a state that ends with this process. */
      readonly path: string;
    }
    | {
      /** An open KV. It stays the caller's to close. */
      readonly kv: Deno.Kv;
    }
  )
  & {
    /** Milliseconds since the epoch; for the engine's own clean-up only. Default: `Date.now`. */
    readonly now?: () => number;
  }
  & LockedRetryDependencies;

const minuteMs = 60_000;
const maxSealedBytes = 32 * 1024;

/** The engine takes 64 KiB, and keeps text with two bytes a character unless all of it is Latin. */
const maxEntryLength = 30_000;

/** Entries that the engine reads in one go; the most that it allows. */
const listBatchSize = 500;

/** The engine removes late anyway; this keeps a clock that runs ahead from making it early. */
const expiryGraceMs = minuteMs;

/**
 * Opens the state, and creates its file with mode 0600 if there is none.
 *
 * Rejects when Deno KV is not enabled, when the file is not a database or is damaged (it is left as it is) and when
 * its folder does not exist. The message is for the operator.
 */
export async function openKvSharedState(options: KvSharedStateOptions): Promise<SharedState> {
  const { now = Date.now } = options;
  // Deno KV does not wait for the lock of another process.
  const unlessLocked = createLockedRetry(options);
  if ("kv" in options) return new KvSharedState(options.kv, false, now, unlessLocked);
  const kv = await unlessLocked(() => openKv(options.path));
  return new KvSharedState(kv, true, now, unlessLocked);
}

async function openKv(path: string): Promise<Deno.Kv> {
  if (typeof Deno.openKv !== "function") {
    throw new Error(
      'Deno KV is not enabled. Add "unstable": ["kv"] to the deno.json of the program, or run it with --unstable-kv.',
    );
  }
  const name = `The shared state ${JSON.stringify(path)}`;
  if (path !== ":memory:") await createPrivateFile(path, name);
  try {
    return await Deno.openKv(path);
  } catch (error) {
    throw explainOpenError(error, name);
  }
}

class KvSharedState implements SharedState {
  readonly #kv: Deno.Kv;
  readonly #owned: boolean;
  readonly #now: () => number;
  readonly #unlessLocked: LockedRetry;
  #closed = false;

  constructor(kv: Deno.Kv, owned: boolean, now: () => number, unlessLocked: LockedRetry) {
    this.#kv = kv;
    this.#owned = owned;
    this.#now = now;
    this.#unlessLocked = unlessLocked;
  }

  createPollSession: SharedState["createPollSession"] = (key, sealed, expiresAtMs, { maxOpen, nowMs }) =>
    this.#run(async () => {
      requireSealedSize(sealed);
      const { open, past } = await this.#countOpen(nowMs);
      if (open >= maxOpen) return "full";
      const sessionKey = pollKey(key);
      const operation = this.#kv.atomic()
        .check({ key: sessionKey, versionstamp: null })
        .set(sessionKey, { sealed, expiresAtMs }, { expireIn: expireInMs(expiresAtMs, nowMs) })
        // A sum and no compare-and-swap: any number of sign-ins may start in the same minute.
        .sum(openCounterKey(expiresAtMs), 1n);
      for (const counter of past) operation.delete(counter);
      if (!(await operation.commit()).ok) throw new Error("A sign-in is stored under this key already.");
      return "created";
    });

  getPollSession: SharedState["getPollSession"] = (key, nowMs) =>
    this.#run(async () => {
      const entry = await this.#kv.get(pollKey(key));
      const session = readSession(entry);
      return session === undefined || session.expiresAtMs <= nowMs ? undefined : session;
    });

  replacePollSession: SharedState["replacePollSession"] = (key, expectedVersion, sealed) =>
    this.#run(async () => {
      requireSealedSize(sealed);
      const sessionKey = pollKey(key);
      const session = readSession(await this.#kv.get(sessionKey));
      if (session?.version !== expectedVersion) return undefined;
      const { expiresAtMs } = session;
      const committed = await this.#kv.atomic()
        .check({ key: sessionKey, versionstamp: expectedVersion })
        .set(sessionKey, { sealed, expiresAtMs }, { expireIn: expireInMs(expiresAtMs, this.#now()) })
        .commit();
      return committed.ok ? committed.versionstamp : undefined;
    });

  deletePollSession: SharedState["deletePollSession"] = (key) =>
    this.#run(async () => {
      const sessionKey = pollKey(key);
      const entry = await this.#kv.get(sessionKey);
      const session = readSession(entry);
      if (session === undefined) return;
      const operation = this.#kv.atomic().check(entry).delete(sessionKey);
      const counter = await this.#kv.get(openCounterKey(session.expiresAtMs));
      // The counter may have been cleaned up as past by an instance whose clock runs ahead. Below zero it would wrap
      // round to a number that no sign-in fits under.
      if (counter.value instanceof Deno.KvU64 && counter.value.value > 0n) {
        operation.check(counter).set(counter.key, new Deno.KvU64(counter.value.value - 1n));
      }
      return (await operation.commit()).ok ? undefined : contended;
    });

  listEntries: SharedState["listEntries"] = (group, nowMs, { from } = {}) =>
    this.#run(async () => {
      const prefix = [entryPrefix, group];
      const selector = from === undefined ? { prefix } : { prefix, start: [...prefix, from] };
      const entries: SharedEntry[] = [];
      for await (const found of this.#kv.list(selector, { batchSize: listBatchSize })) {
        const entry = readEntry(found);
        if (entry !== undefined && entry.expiresAtMs > nowMs) entries.push(entry);
      }
      return entries;
    });

  getEntry: SharedState["getEntry"] = (group, key, nowMs) =>
    this.#run(async () => {
      const entry = readEntry(await this.#kv.get(entryKey(group, key)));
      return entry === undefined || entry.expiresAtMs <= nowMs ? undefined : entry;
    });

  putEntry: SharedState["putEntry"] = (group, key, value, expiresAtMs) =>
    this.#run(async () => {
      requireEntrySize(value);
      const options = { expireIn: expireInMs(expiresAtMs, this.#now()) };
      await this.#kv.set(entryKey(group, key), { value, expiresAtMs }, options);
    });

  replaceEntry: SharedState["replaceEntry"] = (group, key, expectedVersion, entry, nowMs) =>
    this.#run(async () => {
      requireEntrySize(entry.value);
      const found = await this.#kv.get(entryKey(group, key));
      const current = readEntry(found);
      // An expired entry is none, and yet has a versionstamp until the engine removes it.
      const version = current === undefined || current.expiresAtMs <= nowMs ? undefined : current.version;
      if (version !== expectedVersion) return false;
      const { ok } = await this.#kv.atomic()
        .check(found)
        .set(found.key, { value: entry.value, expiresAtMs: entry.expiresAtMs }, {
          expireIn: expireInMs(entry.expiresAtMs, this.#now()),
        })
        .commit();
      return ok;
    });

  deleteEntry: SharedState["deleteEntry"] = (group, key, expectedVersion) =>
    this.#run(async () => {
      const operation = this.#kv.atomic().delete(entryKey(group, key));
      if (expectedVersion !== undefined) {
        operation.check({ key: entryKey(group, key), versionstamp: expectedVersion });
      }
      await operation.commit();
    });

  ping: SharedState["ping"] = () =>
    this.#run(async () => {
      await this.#kv.get(["ping"]);
    });

  close: SharedState["close"] = () => {
    if (!this.#closed && this.#owned) this.#kv.close();
    this.#closed = true;
    return Promise.resolve();
  };

  async #run<T>(operation: () => Promise<T | typeof contended>): Promise<T> {
    return await this.#unlessLocked(() => {
      if (this.#closed) throw new Error("The shared state is closed.");
      return operation();
    });
  }

  async #countOpen(nowMs: number): Promise<{ readonly open: number; readonly past: readonly Deno.KvKey[] }> {
    const minute = Math.floor(nowMs / minuteMs);
    const past: Deno.KvKey[] = [];
    let open = 0;
    for await (const { key, value } of this.#kv.list({ prefix: [openCounterPrefix] })) {
      if (Number(key[1]) < minute) past.push(key);
      else if (value instanceof Deno.KvU64) open += Number(value.value);
    }
    return { open, past };
  }
}

const openCounterPrefix = "poll_open";

function pollKey(key: string): Deno.KvKey {
  return ["poll", key];
}

function openCounterKey(expiresAtMs: number): Deno.KvKey {
  return [openCounterPrefix, Math.floor(expiresAtMs / minuteMs)];
}

const entryPrefix = "entry";

function entryKey(group: string, key: string): Deno.KvKey {
  return [entryPrefix, group, key];
}

function expireInMs(expiresAtMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil(expiresAtMs - nowMs)) + expiryGraceMs;
}

function requireSealedSize(sealed: Uint8Array): void {
  if (sealed.length > maxSealedBytes) {
    throw new RangeError(`A sealed sign-in must not be longer than ${maxSealedBytes} bytes.`);
  }
}

function requireEntrySize(value: string): void {
  if (value.length > maxEntryLength) {
    throw new RangeError(`A shared entry must not be longer than ${maxEntryLength} characters.`);
  }
}

function readEntry(
  { key: path, value: stored, versionstamp }: Deno.KvEntryMaybe<unknown>,
): SharedEntry | undefined {
  if (typeof stored !== "object" || stored === null || versionstamp === null) return undefined;
  if (!("value" in stored) || !("expiresAtMs" in stored)) return undefined;
  const { value, expiresAtMs } = stored;
  if (typeof value !== "string" || typeof expiresAtMs !== "number") return undefined;
  return { key: String(path[2]), value, expiresAtMs, version: versionstamp };
}

function readSession(entry: Deno.KvEntryMaybe<unknown>): PollSession | undefined {
  const { value, versionstamp } = entry;
  if (typeof value !== "object" || value === null || versionstamp === null) return undefined;
  if (!("sealed" in value) || !("expiresAtMs" in value)) return undefined;
  const { sealed, expiresAtMs } = value;
  if (!(sealed instanceof Uint8Array) || typeof expiresAtMs !== "number") return undefined;
  return { sealed, expiresAtMs, version: versionstamp };
}
