/**
 * What a limiter tells the other instances on its shared state, and hears from them. All of it happens beside the requests:
 * in passes, seldom when nothing happens and at once when a client uses up what this instance may admit without asking.
 *
 * @module
 */
import type { SharedState } from "../store/shared_state.ts";
import type { Client, ClientTable } from "./client_table.ts";
import type { FailedAuthentications } from "./failed_authentications.ts";
import { createLimitMembers } from "./limit_members.ts";
import { divide, equalPart, equalParts, type Holding, type Use } from "./limit_parts.ts";
import { createPartRecords, createSpentRecords, type PartRecord } from "./limit_records.ts";

/** Calls `run` once after `delayMs` unless the returned function is called first. */
export type Schedule = (run: () => Promise<void>, delayMs: number) => () => void;

/** What {@linkcode startLimitExchange} takes. */
export interface LimitExchangeOptions {
  readonly shared: SharedState;
  readonly table: ClientTable;
  readonly failures: FailedAuthentications;
  /** How many requests of a client may be under way, at all instances together. */
  readonly places: number;
  /** How long a client that has spent its whole burst needs to get it back, milliseconds. */
  readonly recoveryMs: number;
  /** This instance's name: unique among all, ever. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly schedule: Schedule;
  /** Told of a pass that failed; the next one comes after the usual pause. */
  readonly onError: (error: unknown) => void;
}

/** A running exchange. */
export interface LimitExchange {
  /** See `Limiter.ready`. */
  readonly ready: Promise<void>;
  /** What this instance may do with a client that is new to it; undefined: its equal part. */
  holdingOf(key: string): Holding | undefined;
  /** Must be told of every request that was admitted, or refused for want of a larger part. */
  used(key: string, client: Client): void;
  /** Makes a last pass and ends. Idempotent; never rejects. */
  close(): Promise<void>;
}

/** Milliseconds from one pass to the next. */
const pauseMs = Object.freeze({
  alone: 500,
  inCompany: 250,
  /** A client is refused that another instance may have room for, or this instance is not known to all yet. */
  waiting: 100,
  /** The least, however much happens. */
  hurry: 50,
});

/** An instance that looks every `pauseMs.alone` knows a new one by then. One that does not has most likely been killed. */
const joinPatienceMs = 1_200;

/** How long a client that was refused is expected back, milliseconds: it was told to wait for one second. */
const starvedForMs = 2_000;

/** How often spending is written, at most, and the table is swept, milliseconds. */
const keepMs = 1_000;

/** Requests spent from which a client's spending is worth telling: less comes back in a moment. */
const tellFrom = 1;

/** Clients with a record that this instance begins; the others make do with equal parts. */
const maxRecords = 500;

/** Starts the exchange: all of it happens as scheduled. */
export function startLimitExchange(options: LimitExchangeOptions): LimitExchange {
  const { shared, table, failures, places, recoveryMs, id, now, schedule, onError } = options;
  const members = createLimitMembers({ shared, id, now });
  const partRecords = createPartRecords(shared);
  const spentRecords = createSpentRecords(shared);

  let known: readonly string[] = [id];
  let joined = false;
  const startedAtMs = now();
  const ready = Promise.withResolvers<void>();
  const holdings = new Map<string, Holding>();
  /** Clients without a record that need more than an equal part. */
  const pressing = new Set<string>();
  /** Instances that are gone and whose spending was taken over. */
  const inherited = new Set<string>();
  let isFirst = true;
  let isSpendingNew = false;
  let keptAtMs = 0;
  let waiting = false;

  let passing: Promise<void> | undefined;
  let cancel = (): void => {};
  let nextAtMs = 0;
  let isClosed = false;
  let closing: Promise<void> | undefined;

  table.divide(equalPart(id, known, places), startedAtMs);
  next(0);

  /** One pass at a time; never rejects. */
  function pass(): Promise<void> {
    passing ??= exchange().catch((error) => {
      ready.resolve();
      onError(error);
    }).finally(() => {
      passing = undefined;
      if (joined || now() - startedAtMs >= joinPatienceMs) ready.resolve();
      if (!isClosed) next(pauseAfterPass());
    });
    return passing;
  }

  function next(delayMs: number): void {
    cancel();
    nextAtMs = now() + delayMs;
    cancel = schedule(pass, delayMs);
  }

  function pauseAfterPass(): number {
    if (!joined || waiting) return pauseMs.waiting;
    return known.length > 1 ? pauseMs.inCompany : pauseMs.alone;
  }

  function hurry(): void {
    if (passing === undefined && !isClosed && nextAtMs - now() > pauseMs.hurry) next(pauseMs.hurry);
  }

  async function exchange(): Promise<void> {
    // Before the first look: of two instances that start together, at least one then sees the other.
    if (!joined) await members.announce(known);
    await meet(await members.look());
    await failures.refresh();
    waiting = known.length > 1 && await share();
    await keep();
    await members.announce(known);
    if (joined) return;
    // A pass that has read the records after everybody knew of this instance.
    if (members.isKnownToAll()) joined = true;
    else if (now() - startedAtMs >= joinPatienceMs) members.dropSilent();
  }

  /** Learns who is there. What this instance may admit shrinks before it tells others that it knows them. */
  async function meet(present: readonly string[]): Promise<void> {
    const left = known.some((member) => !present.includes(member));
    const came = present.some((member) => !known.includes(member));
    if (left || isFirst) await inherit(new Set(present));
    if (present.length === 1 && (left || isFirst)) await removeRecords();
    isFirst = false;
    if (!left && !came) return;
    const before = known;
    const equalBefore = table.equal;
    known = present;
    table.divide(equalPart(id, known, places), now());
    if (came && joined) await recordExcess(before, equalBefore);
  }

  /** Alone, all parts are this instance's. Records that stayed would be wrong when the next instance comes. */
  async function removeRecords(): Promise<void> {
    for (const record of await partRecords.list(now())) await partRecords.remove(record);
    for (const key of [...holdings.keys()]) hold(key, undefined);
    pressing.clear();
  }

  /** Records what this instance has admitted beyond its new equal part, so that nobody else admits it once more. */
  async function recordExcess(before: readonly string[], equalBefore: Holding): Promise<void> {
    const nowMs = now();
    for (const [key, client] of table.entries()) {
      if (client.holding !== undefined || !exceeds(useOf(client), table.equal)) continue;
      if (!await partRecords.store(key, undefined, equalParts(before, places), nowMs)) continue;
      hold(key, { ...equalBefore, burst: table.equal.burst, places: table.equal.places });
    }
  }

  /** Takes its turn with every record; whether a client waits for a larger part. */
  async function share(): Promise<boolean> {
    const nowMs = now();
    const records = await partRecords.list(nowMs);
    const recorded = new Set(records.map(({ key }) => key));
    for (const key of [...holdings.keys()]) if (!recorded.has(key)) hold(key, undefined);
    let isWaiting = false;
    for (const record of records) if (await takeTurn(record)) isWaiting = true;
    for (const key of pressing) {
      pressing.delete(key);
      const client = table.find(key, nowMs);
      if (client === undefined || recorded.has(key)) continue;
      if (recorded.size >= maxRecords || !joined) continue;
      recorded.add(key);
      client.wants = true;
      const parts = new Map(equalParts(known, places));
      const mine = parts.get(id);
      if (mine !== undefined) parts.set(id, { ...mine, wants: true });
      await partRecords.store(key, undefined, parts, nowMs);
      // This instance's turn comes with the next pass.
      isWaiting = true;
    }
    return isWaiting;
  }

  async function takeTurn(record: PartRecord): Promise<boolean> {
    const { key, parts, version, isOld } = record;
    const client = table.find(key, now());
    const use: Use = client === undefined ? idle : useOf(client);
    const division = divide(parts, id, use, known, places);
    if (!division.changed && !isOld) {
      hold(key, division.holding);
    } else {
      const old = holdings.get(key) ?? table.equal;
      // While it is written both must hold: the old part, and the new one.
      hold(key, smaller(old, division.holding));
      if (division.parts === undefined) {
        await partRecords.remove(record);
        hold(key, undefined);
      } else if (await partRecords.store(key, version, division.parts, now())) {
        hold(key, division.holding);
      }
    }
    if (client !== undefined) client.wants = use.wants;
    return division.waiting;
  }

  /** Changes what this instance may do with a client. */
  function hold(key: string, holding: Holding | undefined): void {
    if (holding === undefined) holdings.delete(key);
    else holdings.set(key, holding);
    const client = table.find(key, now());
    if (client === undefined) return;
    client.holding = holding;
    if (holding === undefined) client.wants = false;
  }

  function useOf(client: Client): Use {
    table.settle(client, now());
    const rate = client.spent / table.burst;
    // Who has asked for more gives it back only when clearly less is needed.
    const from = client.wants ? 1 / 4 : 1 / 2;
    return {
      rate,
      places: client.active,
      wants: isStarved(client) || rate > table.equal.rate * from || client.active > table.equal.places * from,
    };
  }

  function isStarved({ starvedAtMs }: Client): boolean {
    return now() - starvedAtMs < starvedForMs;
  }

  /** Takes over what clients have spent at instances that are gone. */
  async function inherit(present: ReadonlySet<string>): Promise<void> {
    const nowMs = now();
    const left = await spentRecords.list(nowMs, present);
    for (const [instance, rows] of left) {
      if (inherited.has(instance)) continue;
      inherited.add(instance);
      for (const { key, spent, atMs } of rows) {
        const back = Math.max(0, nowMs - atMs) * table.burst / recoveryMs;
        if (back >= spent) continue;
        const client = table.see(key, nowMs, holdingOf);
        client.spent = Math.min(table.burst, client.spent + spent - back);
        isSpendingNew = true;
      }
    }
    for (const instance of inherited) if (!left.has(instance)) inherited.delete(instance);
  }

  /** Writes what clients have spent, for the instance that comes after this one, and tidies up. */
  async function keep(): Promise<void> {
    const nowMs = now();
    if (nowMs - keptAtMs < keepMs && !isClosed) return;
    keptAtMs = nowMs;
    table.sweep(nowMs);
    failures.sweep();
    if (!isSpendingNew) return;
    isSpendingNew = false;
    const spent = [...table.entries()]
      .filter(([, client]) => client.spent >= tellFrom)
      .map(([key, client]) => ({ key, spent: client.spent, atMs: client.atMs }));
    await spentRecords.store(id, spent, nowMs + recoveryMs);
  }

  async function end(): Promise<void> {
    isClosed = true;
    cancel();
    await passing;
    await keep().then(() => members.leave()).catch(onError);
    ready.resolve();
  }

  function holdingOf(key: string): Holding | undefined {
    return holdings.get(key);
  }

  return {
    ready: ready.promise,
    holdingOf,
    used(key, client) {
      isSpendingNew = true;
      if (known.length === 1) return;
      if (client.holding === undefined && useOf(client).wants) {
        pressing.add(key);
        hurry();
      } else if (!client.wants && isStarved(client)) hurry();
    },
    close: () => closing ??= end(),
  };
}

const idle: Use = Object.freeze({ rate: 0, places: 0, wants: false });

function exceeds(use: Use, part: Holding): boolean {
  return use.rate > part.burst || use.places > part.places;
}

function smaller(one: Holding, other: Holding): Holding {
  return {
    burst: Math.min(one.burst, other.burst),
    rate: Math.min(one.rate, other.rate),
    places: Math.min(one.places, other.places),
  };
}
