/**
 * How instances divide one client's limits among themselves.
 *
 * Each instance has an equal part of every client's limits, and judges requests by it without asking anybody. Most clients
 * need no more than that, and nothing is stored for them. For a client that does, there is a record of who has which part; an
 * instance gives up of its own part what it does not need, and takes from what nobody has. Parts never add up to more than the
 * whole, and an instance gives up a part only when what it has admitted fits into the rest: so that together they admit what
 * one instance would.
 *
 * @module
 */

/** What one instance has of a client's limits, as recorded. */
export interface Part {
  /** Of the rate and the burst, 0 to 1. */
  readonly rate: number;
  /** Of the concurrent requests. */
  readonly places: number;
  /** The instance could use more. */
  readonly wants: boolean;
}

/** Parts by instance. */
export type Parts = ReadonlyMap<string, Part>;

/** What an instance may do with a client. */
export interface Holding {
  /** The burst that it may admit, as a part of the whole. */
  readonly burst: number;
  /** How fast what was admitted comes back, as a part of the whole rate; not below `burst`. */
  readonly rate: number;
  /** Requests that may be under way. */
  readonly places: number;
}

/** What an instance uses of a client's limits. */
export interface Use {
  /** Of the burst, 0 to 1. */
  readonly rate: number;
  /** Requests under way. */
  readonly places: number;
  /** It could use more. */
  readonly wants: boolean;
}

/**
 * What instances that lent their whole burst may still admit before they have asked, all together, as a part of the whole: a
 * client that comes back to them is not refused at once. The only way in which instances admit more than one would.
 */
const credit = 0.1;

/** Smaller changes of a part are not worth a write. */
const step = 1 / 32;

/** The part that `id` has of clients without a record; `members` are all instances, ascending. */
export function equalPart(id: string, members: readonly string[], places: number): Holding {
  const rate = 1 / members.length;
  return { burst: rate, rate, places: evenly(places, members.length, members.indexOf(id)) };
}

/** The record of a client that had none: everybody's equal part. */
export function equalParts(members: readonly string[], places: number): Parts {
  return new Map(members.map((id) => {
    const { rate, places: own } = equalPart(id, members, places);
    return [id, { rate, places: own, wants: false }];
  }));
}

/** What becomes of a record. */
export interface Division {
  /** To be stored; undefined when the parts are equal again and nobody wants more: then the record can go. */
  readonly parts: Parts | undefined;
  /** Whether `parts` differ from what was recorded. */
  readonly changed: boolean;
  /** What `id` may do once `parts` are stored. */
  readonly holding: Holding;
  /** `id` wants more than it has. */
  readonly waiting: boolean;
}

/**
 * One instance's turn with a record. It drops instances that are gone, changes its own part and nobody else's: towards all when
 * only it wants more, towards an even division among those that want more, to next to nothing when it does not and others do.
 */
export function divide(
  recorded: Parts,
  id: string,
  use: Use,
  members: readonly string[],
  places: number,
): Division {
  const parts = new Map([...recorded].filter(([member]) => members.includes(member)));
  const old = parts.get(id) ?? { rate: 0, places: 0, wants: false };
  parts.set(id, { ...old, wants: use.wants });
  const wanting = members.filter((member) => parts.get(member)?.wants === true);
  const target = targetOf(id, members, wanting, places);
  const others = [...parts].filter(([member]) => member !== id).map(([, part]) => part);
  const usedRate = Math.ceil(use.rate / step) * step;
  const mine: Part = {
    rate: approach(old.rate, target.rate, usedRate, 1 - sum(others.map(({ rate }) => rate))),
    places: approach(old.places, target.places, use.places, places - sum(others.map((part) => part.places))),
    wants: use.wants,
  };
  parts.set(id, mine);
  const isEqual = wanting.length === 0 && members.every((member) => {
    const goal = targetOf(member, members, wanting, places);
    const part = parts.get(member);
    return part !== undefined && nearly(part.rate, goal.rate) && part.places === goal.places;
  });
  const lent = Math.max(mine.rate, credit / members.length);
  return {
    parts: isEqual ? undefined : parts,
    changed: isEqual || parts.size !== recorded.size || !recorded.has(id) || !nearly(mine.rate, old.rate) ||
      mine.places !== old.places || mine.wants !== old.wants,
    holding: {
      burst: Math.min(lent, Math.max(target.rate, credit / members.length)),
      rate: lent,
      places: Math.min(mine.places, target.places),
    },
    waiting: use.wants && (mine.places < target.places || mine.rate < target.rate - step),
  };
}

/** The part that an instance should come to. */
function targetOf(
  id: string,
  members: readonly string[],
  wanting: readonly string[],
  places: number,
): { readonly rate: number; readonly places: number } {
  if (wanting.length === 0) return equalPart(id, members, places);
  // Places are lent without credit, and one is kept where there are enough: a stream can last for long.
  const kept = places >= 2 * members.length ? 1 : 0;
  if (!wanting.includes(id)) return { rate: 0, places: kept };
  const lent = places - kept * (members.length - wanting.length);
  return { rate: 1 / wanting.length, places: evenly(lent, wanting.length, wanting.indexOf(id)) };
}

/** From `own` up to `target` as far as `free` (own included) goes, or down to it as far as `used` allows. */
function approach(own: number, target: number, used: number, free: number): number {
  return own > target ? Math.min(own, Math.max(target, used)) : Math.max(own, Math.min(target, free));
}

function evenly(whole: number, among: number, rank: number): number {
  return Math.floor(whole / among) + (rank < whole % among ? 1 : 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function nearly(one: number, other: number): boolean {
  return Math.abs(one - other) < 1e-6;
}
