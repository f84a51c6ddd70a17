/**
 * The sign-in state machine: a device sign-in at a provider, carried on by whichever instance answers the client's next
 * poll.
 *
 * Three rules shape it. What the client sees never depends on a hiccup: everything that is not a decision of the person
 * or the end of the code is `pending`. What the provider sees never depends on the client: it is asked once per its own
 * interval, by one poll at a time, however many clients poll however fast. What has been achieved is stored before the
 * next step is taken, so that a relay that dies goes on where it was. One gap cannot be closed: if the process dies after
 * the provider consumed a code and before the answer was stored, that code is gone and the sign-in ends with an error.
 *
 * @module
 */
import { ulid } from "ulid";
import type { Identity } from "../crypto/identity.ts";
import { generateSessionId, isSessionId, pollKeys } from "../crypto/poll_key.ts";
import { generateKey } from "../crypto/seal.ts";
import { freshClaims, type SessionJwt } from "../crypto/session_jwt.ts";
import type { AdvanceOutcome, DeviceSignIn, Grant, Provider, ProviderId } from "../provider/provider.ts";
import type { RecordStore } from "../store/record_store.ts";
import type { PollSession, SharedState } from "../store/shared_state.ts";
import type { Observe } from "../traffic/observe.ts";
import { decodeGrant, encodeGrant } from "./grant_codec.ts";
import { recordLifeMs, sealGrant } from "./seal_grant.ts";
import { openState, type PendingSignIn, sealState, type SignInState } from "./sign_in_state.ts";

/** How starting a sign-in ended. */
export type StartResult =
  | {
    readonly kind: "started";
    /** URL-safe; whoever knows it can collect the session. */
    readonly sessionId: string;
    readonly userCode: string;
    readonly verificationUrl: string;
    readonly expiresInMs: number;
    readonly pollIntervalMs: number;
  }
  /** Too many sign-ins are open; nothing was asked of the provider. */
  | { readonly kind: "full" }
  /** The provider could not be reached or refused. */
  | { readonly kind: "failed" };

/** What a poll found. Everything but `not_found` is answered with 200 (design, section 4). */
export type PollResult =
  | { readonly kind: "pending" }
  | { readonly kind: "complete"; readonly jwt: string }
  | { readonly kind: "expired" }
  | { readonly kind: "error"; readonly message: string }
  | { readonly kind: "not_found" };

/** What the state machine works with. */
export interface SignInDependencies {
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly records: RecordStore;
  readonly shared: SharedState;
  readonly sessionJwt: SessionJwt;
  readonly identity: Identity;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly observe: Observe;
}

/** Starts and polls sign-ins. Stateless between calls: everything is in the stores. */
export interface SignIns {
  /** Starts a sign-in at `provider`. */
  start(provider: Provider): Promise<StartResult>;
  /** Answers a poll, and takes the next step at the provider when its time has come. `sessionId` is untrusted. */
  poll(sessionId: string): Promise<PollResult>;
}

/** Limits of {@linkcode createSignIns}; times in milliseconds. */
const limits = Object.freeze({
  /** Sign-ins that may be open at once, over all instances. */
  maxOpen: 10_000,
  /** No code lives longer for us; the longest that a provider is known to give is 30 minutes (facts, xai-grok section 2). */
  maxCodeLifeMs: 30 * 60_000,
  /** How long after the code's end a session can still be read. */
  afterlifeMs: 5 * 60_000,
  /** What clients are told as the least poll interval (the old client's own floor, facts: seed-authai). */
  minPollIntervalMs: 1_000,
  /** RFC 8628 section 3.5: what `slow_down` adds. */
  slowDownMs: 5_000,
  /** The longest pause that a provider in trouble can ask for. */
  maxPauseMs: 60_000,
  /** One request to the provider. */
  stepTimeoutMs: 10_000,
  /** How long one poll owns the sign-in: longer than a step, short enough that a crash is not felt. */
  ownershipMs: 12_000,
});

/** Builds the state machine. */
export function createSignIns(dependencies: SignInDependencies): SignIns {
  return new StoredSignIns(dependencies);
}

/** A pending sign-in that this poll owns, at the stored version that proves it. */
interface Owned {
  readonly storageKey: string;
  readonly sealKey: Uint8Array<ArrayBuffer>;
  readonly version: string;
  /** When the stored session ends. */
  readonly endsAtMs: number;
  readonly state: PendingSignIn;
}

class StoredSignIns implements SignIns {
  readonly #providers: ReadonlyMap<ProviderId, Provider>;
  readonly #records: RecordStore;
  readonly #shared: SharedState;
  readonly #sessionJwt: SessionJwt;
  readonly #identity: Identity;
  readonly #now: () => number;
  readonly #observe: Observe;

  constructor(dependencies: SignInDependencies) {
    this.#providers = dependencies.providers;
    this.#records = dependencies.records;
    this.#shared = dependencies.shared;
    this.#sessionJwt = dependencies.sessionJwt;
    this.#identity = dependencies.identity;
    this.#now = dependencies.now;
    this.#observe = dependencies.observe;
  }

  async start(provider: Provider): Promise<StartResult> {
    const sessionId = generateSessionId();
    const { storageKey, sealKey } = await pollKeys(sessionId);
    // The place is taken before the provider is asked, so that the bound on open sign-ins also bounds what a flood of
    // starts can send to the provider.
    const nowMs = this.#now();
    const reserved = await sealState({ status: "error", message: "The sign-in was never started." }, sealKey);
    const endsAtMs = nowMs + limits.maxCodeLifeMs + limits.afterlifeMs;
    const created = await this.#shared.createPollSession(storageKey, reserved, endsAtMs, {
      maxOpen: limits.maxOpen,
      nowMs,
    });
    if (created === "full") return { kind: "full" };

    const outcome = await withTimeout((signal) => provider.signIn.start(signal), () => timedOut);
    if (outcome.kind === "failed") {
      this.#observe({ kind: "sign_in_failed", provider: provider.id, reason: outcome.reason });
      await this.#shared.deletePollSession(storageKey);
      return { kind: "failed" };
    }
    const { signIn } = outcome;
    const state = this.#pendingState(provider, signIn);
    const session = await this.#shared.getPollSession(storageKey, this.#now());
    const stored = session !== undefined &&
      await this.#shared.replacePollSession(storageKey, session.version, await sealState(state, sealKey));
    if (!stored) {
      this.#observe({ kind: "sign_in_failed", provider: provider.id, reason: "session_lost" });
      return { kind: "failed" };
    }
    return {
      kind: "started",
      sessionId,
      userCode: signIn.userCode,
      verificationUrl: signIn.verificationUrl,
      expiresInMs: Math.min(signIn.expiresInMs, limits.maxCodeLifeMs),
      pollIntervalMs: Math.max(signIn.intervalMs, limits.minPollIntervalMs),
    };
  }

  async poll(sessionId: string): Promise<PollResult> {
    if (!isSessionId(sessionId)) return { kind: "not_found" };
    const { storageKey, sealKey } = await pollKeys(sessionId);
    const session = await this.#shared.getPollSession(storageKey, this.#now());
    const state = session === undefined ? undefined : await openState(session.sealed, sealKey);
    if (session === undefined || state === undefined) return { kind: "not_found" };
    switch (state.status) {
      case "complete":
        return await this.#readComplete(storageKey, state.recordId, state.jwt);
      case "expired":
        return { kind: "expired" };
      case "error":
        return { kind: "error", message: state.message };
      case "pending":
        return await this.#pollPending(storageKey, sealKey, session, state);
    }
  }

  #pendingState(provider: Provider, signIn: DeviceSignIn): PendingSignIn {
    const nowMs = this.#now();
    return {
      status: "pending",
      provider: provider.id,
      flow: signIn.flow,
      codeExpiresAtMs: nowMs + Math.min(signIn.expiresInMs, limits.maxCodeLifeMs),
      intervalMs: signIn.intervalMs,
      nextPollAtMs: nowMs + signIn.intervalMs,
      ownedUntilMs: 0,
      recordId: ulid(nowMs),
      recordKey: generateKey(),
    };
  }

  /** A finished session stops answering with its JWT once its record is gone: revoked, or ended by the provider. */
  async #readComplete(storageKey: string, recordId: string, jwt: string): Promise<PollResult> {
    if (await this.#records.get(recordId, this.#now()) !== undefined) return { kind: "complete", jwt };
    await this.#shared.deletePollSession(storageKey);
    return { kind: "expired" };
  }

  async #pollPending(
    storageKey: string,
    sealKey: Uint8Array<ArrayBuffer>,
    session: PollSession,
    state: PendingSignIn,
  ): Promise<PollResult> {
    const nowMs = this.#now();
    // A moment further ahead than any that we set is one of a clock that was set back since: it has passed.
    if (isAhead(state.ownedUntilMs, nowMs, limits.ownershipMs)) return { kind: "pending" };
    if (nowMs >= state.codeExpiresAtMs) return { kind: "expired" };
    const longestPauseMs = Math.max(state.intervalMs, limits.maxPauseMs);
    if (isAhead(state.nextPollAtMs, nowMs, longestPauseMs)) return { kind: "pending" };
    const found = { storageKey, sealKey, version: session.version, endsAtMs: session.expiresAtMs, state };
    const owned = await this.#own(found, {});
    // Somebody else was quicker; the answer is theirs to find.
    if (owned === undefined) return { kind: "pending" };
    // An owner that never released died on the way, perhaps after it had stored the record.
    const ownerDied = state.ownedUntilMs !== 0;
    if (ownerDied && await this.#records.get(state.recordId, nowMs) !== undefined) {
      return await this.#complete(owned);
    }
    return state.grant === undefined
      ? await this.#advance(owned)
      : await this.#storeGrant(owned, state.grant);
  }

  async #advance(start: Owned): Promise<PollResult> {
    let owned = start;
    for (;;) {
      const { state } = owned;
      const provider = this.#providers.get(state.provider);
      if (provider === undefined) {
        return await this.#end(
          owned,
          "error",
          "This provider is no longer offered here.",
          "provider_disabled",
        );
      }
      const outcome = await withTimeout(
        (signal) => provider.signIn.advance(state.flow, signal),
        (): AdvanceOutcome => ({ kind: "unavailable", reason: "timed_out" }),
      );
      switch (outcome.kind) {
        case "pending":
          return await this.#wait(owned, state.intervalMs, state.intervalMs);
        case "slow_down": {
          const intervalMs = Math.max(outcome.intervalMs ?? 0, state.intervalMs + limits.slowDownMs);
          return await this.#wait(owned, intervalMs, intervalMs);
        }
        case "unavailable": {
          this.#observe({ kind: "sign_in_delayed", provider: state.provider, reason: outcome.reason });
          const askedMs = Math.min(outcome.retryAfterMs ?? 0, limits.maxPauseMs);
          return await this.#wait(owned, state.intervalMs, Math.max(askedMs, state.intervalMs));
        }
        case "denied":
          return await this.#end(owned, "error", "The sign-in was refused on the provider's page.", "denied");
        case "expired":
          return await this.#end(owned, "expired", "", "expired");
        case "failed":
          return await this.#end(owned, "error", outcome.message, outcome.reason);
        case "granted": {
          const grant = await this.#encode(state, outcome.grant);
          // Stored before the record is: a database that is down now must not cost the grant.
          const next = await this.#own(owned, { grant, codeExpiresAtMs: owned.endsAtMs });
          return next === undefined ? { kind: "pending" } : await this.#storeGrant(next, grant);
        }
        case "advanced": {
          // From here on the person has decided, and the code's own end does not matter any more.
          const next = await this.#own(owned, { flow: outcome.flow, codeExpiresAtMs: owned.endsAtMs });
          if (next === undefined) return { kind: "pending" };
          owned = next;
        }
      }
    }
  }

  async #encode(state: PendingSignIn, grant: Grant): Promise<string> {
    const userId = await this.#identity.userId(state.provider, grant.accountId);
    return encodeGrant({ grant, userId });
  }

  async #storeGrant(owned: Owned, encodedGrant: string): Promise<PollResult> {
    const { recordId, recordKey, provider } = owned.state;
    const decoded = decodeGrant(encodedGrant);
    if (decoded === undefined) {
      return await this.#end(owned, "error", "The sign-in broke. Start again.", "grant_unreadable");
    }
    const { iv, blob } = await sealGrant(encodedGrant, { recordId, key: recordKey, providerId: provider });
    const nowMs = this.#now();
    // An owner that stood still for so long may have been followed by another one, whose session may be signed out by now.
    if (nowMs >= owned.state.ownedUntilMs) return { kind: "pending" };
    try {
      await this.#records.insert({
        id: recordId,
        iv,
        blob,
        accountIdHash: decoded.userId,
        createdAtMs: nowMs,
        updatedAtMs: nowMs,
        expiresAtMs: nowMs + recordLifeMs,
      });
    } catch (error) {
      // A former owner that was only slow may have stored it since.
      if (await this.#records.get(recordId, nowMs) === undefined) throw error;
    }
    return await this.#complete(owned);
  }

  async #complete(owned: Owned): Promise<PollResult> {
    const { recordId, recordKey, provider } = owned.state;
    const claims = freshClaims({ recordId, key: recordKey, provider }, this.#now());
    const jwt = await this.#sessionJwt.sign(claims);
    await this.#write(owned, { status: "complete", jwt, recordId });
    return { kind: "complete", jwt };
  }

  async #wait(owned: Owned, intervalMs: number, pauseMs: number): Promise<PollResult> {
    // Counted from the provider's answer, not from our request: two requests are then never closer together at the
    // provider than its interval, whatever the network does.
    await this.#write(owned, {
      ...owned.state,
      intervalMs,
      nextPollAtMs: this.#now() + pauseMs,
      ownedUntilMs: 0,
    });
    return { kind: "pending" };
  }

  async #end(
    owned: Owned,
    status: "expired" | "error",
    message: string,
    reason: string,
  ): Promise<PollResult> {
    // A process that stood still for longer than it owned the sign-in is too late: what it met is no longer the truth.
    if (await this.#write(owned, { status, message }) === undefined) return { kind: "pending" };
    this.#observe({ kind: "sign_in_failed", provider: owned.state.provider, reason });
    return status === "expired" ? { kind: "expired" } : { kind: "error", message };
  }

  /** Takes or keeps the ownership and stores `change` with it; undefined when somebody else wrote in between. */
  async #own(owned: Owned, change: Partial<PendingSignIn>): Promise<Owned | undefined> {
    const state = { ...owned.state, ...change, ownedUntilMs: this.#now() + limits.ownershipMs };
    const version = await this.#write(owned, state);
    return version === undefined ? undefined : { ...owned, state, version };
  }

  async #write(owned: Owned, state: SignInState): Promise<string | undefined> {
    const sealed = await sealState(state, owned.sealKey);
    return await this.#shared.replacePollSession(owned.storageKey, owned.version, sealed);
  }
}

function isAhead(momentMs: number, nowMs: number, atMostMs: number): boolean {
  return nowMs < momentMs && momentMs - nowMs <= atMostMs;
}

const timedOut = Object.freeze({ kind: "failed", reason: "timed_out" } as const);

/**
 * Runs one step against the clock. The client's own signal is left out on purpose: a client that goes away must not
 * interrupt an exchange whose code is used up.
 */
async function withTimeout<T>(step: (signal: AbortSignal) => Promise<T>, onTimeout: () => T): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), limits.stepTimeoutMs);
  try {
    return await step(controller.signal);
  } catch (error) {
    if (controller.signal.aborted) return onTimeout();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
