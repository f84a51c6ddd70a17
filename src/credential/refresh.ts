/**
 * Keeping the access token of a session alive.
 *
 * Refresh tokens are single use at ChatGPT and Grok, and a second redemption can end the whole grant. So all requests of
 * one session in this process share one flight, the flight looks first whether the record was renewed meanwhile, and the
 * new tokens are stored durably before anybody uses them.
 *
 * @module
 */
import type { Grant, Provider } from "../provider/provider.ts";
import type { UpdateOutcome } from "../store/record_store.ts";
import type { Observe } from "../traffic/observe.ts";
import type { Session, Sessions } from "./session.ts";

/** How making a session usable ended. */
export type FreshResult =
  | { readonly kind: "fresh"; readonly session: Session }
  /** The provider ended the grant, or the session was revoked meanwhile: the caller is signed out. */
  | { readonly kind: "ended" }
  /** The token is over and cannot be renewed at this moment; a later try may succeed. */
  | { readonly kind: "unavailable" };

/** Renews access tokens. */
export interface Refresher {
  /** The session with an access token that lives, renewed ahead of its end. Costs nothing while the token is young. */
  ensureFresh(session: Session): Promise<FreshResult>;
  /** The same after the upstream refused the session's access token although its time was not over. */
  renewRejected(session: Session): Promise<FreshResult>;
}

/** Renewed this long before the end, so that a call that starts now does not lose its token on the way. */
const aheadMs = 5 * 60_000;

/** A token with a short life is renewed in the last part of it only: else every call would renew it. */
const shortLifeShare = 0.2;

function renewalDue({ grant, storedAtMs }: Session, nowMs: number): boolean {
  const lifeMs = grant.accessExpiresAtMs - storedAtMs;
  return grant.accessExpiresAtMs - nowMs <= Math.min(aheadMs, lifeMs * shortLifeShare);
}

/** A refresh is given this long at the provider; it is not cut short when the caller leaves. */
const timeoutMs = 30_000;

/** What {@linkcode createRefresher} works with. */
export interface RefreshDependencies {
  readonly sessions: Sessions;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly observe: Observe;
  /** Resolves after so many milliseconds; a timer when absent. */
  readonly pause?: (delayMs: number) => Promise<void>;
}

/** Builds a {@linkcode Refresher}. */
export function createRefresher({ sessions, now, observe, pause = timer }: RefreshDependencies): Refresher {
  /** One flight per record. Entries leave with their flight, so the map is as large as the work in progress. */
  const flights = new Map<string, Promise<FreshResult>>();

  function share(session: Session, fly: () => Promise<FreshResult>): Promise<FreshResult> {
    const running = flights.get(session.recordId);
    if (running !== undefined) return running;
    const flight = fly().finally(() => flights.delete(session.recordId));
    flights.set(session.recordId, flight);
    return flight;
  }

  /** Redeems the refresh token once, unless the stored access token is another than the `stale` one already. */
  async function redeem(session: Session): Promise<FreshResult> {
    const stale = session.grant.accessToken;
    const current = await sessions.reopen(session);
    if (current.kind === "refused") return { kind: "ended" };
    if (current.session.grant.accessToken !== stale) return { kind: "fresh", session: current.session };
    const { provider, grant } = current.session;
    const outcome = await provider.refresh(grant, AbortSignal.timeout(timeoutMs)).catch(timeoutAsOutcome);
    switch (outcome.kind) {
      case "refreshed": {
        const stored = await storePatiently(
          () => sessions.replaceGrant(current.session, outcome.grant),
          pause,
        );
        if (stored === "updated") {
          const { version } = current.session;
          return {
            kind: "fresh",
            session: { ...current.session, grant: outcome.grant, version: version + 1 },
          };
        }
        // Signed out meanwhile: what the provider has just given out must not outlive that.
        if (stored === "missing") await revokeUnused(provider, outcome.grant);
        return await reread(session);
      }
      case "ended": {
        // Another process may have redeemed the same token a moment ago; then its result is stored, or soon will be.
        const latest = await sessions.reopen(session);
        if (latest.kind === "open" && latest.session.version !== current.session.version) {
          return { kind: "fresh", session: latest.session };
        }
        observe({ kind: "refresh_failed", provider: provider.id, ended: true, reason: outcome.reason });
        await sessions.delete(session);
        return { kind: "ended" };
      }
      case "unavailable":
        observe({ kind: "refresh_failed", provider: provider.id, ended: false, reason: outcome.reason });
        return { kind: "unavailable" };
    }
  }

  async function reread(session: Session): Promise<FreshResult> {
    const latest = await sessions.reopen(session);
    return latest.kind === "open" ? { kind: "fresh", session: latest.session } : { kind: "ended" };
  }

  return {
    async ensureFresh(session) {
      if (!renewalDue(session, now())) return { kind: "fresh", session };
      const result = await share(session, () => redeem(session));
      // The old token is used while it lives: a provider that is down for a minute signs nobody out.
      const lives = session.grant.accessExpiresAtMs > now();
      return result.kind === "unavailable" && lives ? { kind: "fresh", session } : result;
    },

    renewRejected(session) {
      return share(session, () => redeem(session));
    },
  };
}

/** The pauses before the tokens are written again, milliseconds; 9 s in all. */
const storePausesMs: readonly number[] = Object.freeze([100, 400, 1_600, 6_400]);

/**
 * Writes until it is written. The provider has used up the old refresh token by now: a database that is locked or full for a
 * moment must not cost the grant.
 */
async function storePatiently(
  store: () => Promise<UpdateOutcome>,
  pause: (delayMs: number) => Promise<void>,
): Promise<UpdateOutcome> {
  for (const delayMs of storePausesMs) {
    try {
      return await store();
    } catch {
      await pause(delayMs);
    }
  }
  return await store();
}

async function revokeUnused(provider: Provider, grant: Grant): Promise<void> {
  await provider.revoke(grant, AbortSignal.timeout(revokeTimeoutMs)).catch(() => undefined);
}

const revokeTimeoutMs = 5_000;

/** A time-out decides nothing: the provider may have rotated the token or not. */
function timeoutAsOutcome(error: unknown): Awaited<ReturnType<Provider["refresh"]>> {
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return { kind: "unavailable", reason: "timed_out" };
  }
  throw error;
}

function timer(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
