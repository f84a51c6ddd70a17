/**
 * What the accounts of the relay's owner offer, remembered for a few minutes: choosing a provider must not cost each call a
 * request to all of them.
 *
 * @module
 */
import type { Refresher } from "../credential/refresh.ts";
import type { Session } from "../credential/session.ts";
import type { ProviderId } from "../provider/provider.ts";
import { withFreshGrant } from "./with_fresh_grant.ts";

/** A remembered list. */
export interface RememberedList {
  readonly readAtMs: number;
  readonly expiresAtMs: number;
  /** Undefined when the provider did not tell its models. */
  readonly modelCount: number | undefined;
}

/** The remembered lists. */
export interface OwnerModels {
  /**
   * Whether the account behind a login has a model; undefined when its list cannot be read now. `jwt` tells one login from
   * the next, `open` is called only when the list has to be read; a login that does not open has no models.
   */
  offers(
    provider: ProviderId,
    jwt: string,
    open: () => Promise<Session | undefined>,
    model: string,
  ): Promise<boolean | undefined>;
  /** The list that is remembered of a provider, for the status; it may be over. */
  remembered(provider: ProviderId): RememberedList | undefined;
}

/** How long a list is remembered, milliseconds. */
export const listLifeMs = 300_000;

/** A provider that did not tell is asked again after this long, milliseconds. */
const failureLifeMs = 30_000;

/** The longest that a call waits for a list that it is only routed by, milliseconds. */
const readLimitMs = 10_000;

interface Entry {
  readonly jwt: string;
  readonly ids: Promise<ReadonlySet<string> | undefined>;
  list: RememberedList;
}

/** Builds {@linkcode OwnerModels}. `now` is the clock, milliseconds since the epoch. */
export function createOwnerModels(
  { refresher, now }: { readonly refresher: Refresher; readonly now: () => number },
): OwnerModels {
  /** One entry per provider, so that it never has more than three. */
  const entries = new Map<ProviderId, Entry>();

  function remember(provider: ProviderId, jwt: string, open: () => Promise<Session | undefined>): Entry {
    const found = entries.get(provider);
    const nowMs = now();
    if (found !== undefined && found.jwt === jwt && found.list.expiresAtMs > nowMs) return found;
    const entry: Entry = {
      jwt,
      ids: readIds(open, refresher),
      list: { readAtMs: nowMs, expiresAtMs: nowMs + listLifeMs, modelCount: undefined },
    };
    entries.set(provider, entry);
    void entry.ids.then((ids) => {
      entry.list = {
        readAtMs: nowMs,
        expiresAtMs: nowMs + (ids === undefined ? failureLifeMs : listLifeMs),
        modelCount: ids?.size,
      };
    });
    return entry;
  }

  return {
    async offers(provider, jwt, open, model) {
      return (await remember(provider, jwt, open).ids)?.has(model);
    },
    remembered: (provider) => entries.get(provider)?.list,
  };
}

/** The ids of a login's models; undefined when they cannot be read. Does not reject. */
async function readIds(
  open: () => Promise<Session | undefined>,
  refresher: Refresher,
): Promise<ReadonlySet<string> | undefined> {
  try {
    const session = await open();
    if (session === undefined) return new Set();
    const listed = await withFreshGrant(
      session,
      refresher,
      // Not the signal of one client: others may wait for the same list.
      ({ provider, grant }) => provider.listModels(grant, AbortSignal.timeout(readLimitMs)),
    );
    if (listed.kind === "models") return new Set(listed.models.map(({ id }) => id));
    return listed.kind === "signed_out" ? new Set() : undefined;
  } catch {
    // A list is only a hint here: the call itself meets the same trouble and tells it.
    return undefined;
  }
}
