/**
 * What the guard promises: how many requests a client may make, how many at once, and when wrong credentials lock its
 * address out. {@linkcode Limiter} is built by `createLimiter`.
 *
 * @module
 */
import type { AddressSettings, ClientAddress } from "./client_address.ts";

/** The limits, and with {@linkcode AddressSettings} how a client's address is found. */
export interface LimitSettings extends AddressSettings {
  /** Requests that a client may make per minute in the long run. */
  readonly ratePerMinute: number;
  /** Requests that a client may make at once after a pause. */
  readonly rateBurst: number;
  /** Requests of one client that may be under way together; a stream is under way until it ends. */
  readonly concurrentRequests: number;
  /** How long a failed authentication counts, milliseconds. */
  readonly failedAuthWindowMs: number;
  /** The failure with this number inside the window blocks the address. */
  readonly failedAuthMaxAttempts: number;
  /** How long an address is blocked, milliseconds. */
  readonly failedAuthBlockMs: number;
}

/** The limits when nobody sets any. */
export const defaultLimitSettings: LimitSettings = Object.freeze({
  ratePerMinute: 120,
  rateBurst: 40,
  concurrentRequests: 8,
  failedAuthWindowMs: 300_000,
  failedAuthMaxAttempts: 8,
  failedAuthBlockMs: 900_000,
  trustForwardedFor: false,
  trustedProxyHops: 1,
  exemptAddresses: Object.freeze([]),
});

/**
 * Who is limited. A caller whose session JWT has a good signature is limited by its session, wherever it calls from, and is
 * never blocked; everybody else by address.
 */
export type LimitSubject =
  | { readonly kind: "address"; readonly address: ClientAddress }
  | { readonly kind: "session"; readonly recordId: string };

/** Why a request is refused: the `code` of the 429. */
export type LimitCode = "rate_limit_exceeded" | "too_many_concurrent_requests" | "ip_temporarily_blocked";

/** A request that may go on. It has a place among the concurrent ones until it has left. */
export interface Admitted {
  /** Tells it from a refused one. */
  readonly kind: "admitted";
  /** The guard's `x-ratelimit-*` headers for the answer; none for an exempt address. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Keeps the place for a stream that outlives its handler. The returned function gives it up; only its first call counts. Must
   * be called before {@linkcode leave} is.
   */
  hold(): () => void;
  /** The handler has returned. The place is free when this and every hold's release have been called. Idempotent. */
  leave(): void;
}

/** A request that gets a 429. */
export interface Refused {
  /** Tells it from an admitted one. */
  readonly kind: "refused";
  /** Which limit it was. */
  readonly code: LimitCode;
  /** When a new attempt may succeed, whole seconds, at least 1. */
  readonly retryAfterSeconds: number;
  /** `retry-after`, and the guard's `x-ratelimit-*` headers. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How a request was judged. */
export type Entered = Admitted | Refused;

/** What a failed authentication led to. */
export interface FailureCounted {
  /** The address is blocked from now on, or was already. */
  readonly blocked: boolean;
  /**
   * Set when the block was there before this failure was counted (other requests failed meanwhile): answer with this instead of
   * the 401, so that guesses sent together learn no more than guesses sent in turn.
   */
  readonly refused?: Refused;
}

/** The limiter's figures, of this instance. */
export interface LimiterState {
  /** Addresses and sessions in the table. */
  readonly trackedClients: number;
  /** Addresses that are blocked, by any instance. */
  readonly blockedClients: number;
  /** Addresses and sessions with a request under way. */
  readonly activeClients: number;
  /** How the address that was asked for stands; absent when none was, and for an exempt one. */
  readonly client?: ClientState;
}

/** How one address stands. */
export interface ClientState {
  /** Its key: the address, or the /64 of an IPv6 address. */
  readonly address: string;
  /** Requests that it may make at once. */
  readonly allowanceRemaining: number;
  /** Its requests under way. */
  readonly activeRequests: number;
  /** Its failed authentications inside the window, as far as this instance knows. */
  readonly failedAuthAttempts: number;
  /** 0 when it is not blocked. */
  readonly blockedForSeconds: number;
}

/**
 * Limits requests, in company with all instances on the same shared state.
 *
 * No judgement waits for the shared state. Together, instances admit no more than one would; only while an instance starts, is
 * killed or cannot reach the shared state can it be more for a moment. What one instance may admit is at first its equal part
 * of the limits; instances that do not need theirs lend it within about a second.
 */
export interface Limiter {
  /**
   * Resolves when the blocks are loaded and the other instances know of this one: await it before the first request. Needs a
   * moment more while another instance does not answer. Never rejects: without the shared state each instance limits by itself.
   */
  readonly ready: Promise<void>;
  /** The client's address, from the socket's, or from `X-Forwarded-For` when that is trusted. */
  addressOf(headers: Headers, socketHostname: string | undefined): ClientAddress;
  /** Judges a request: block, then concurrency, then rate. A refused one costs the client nothing. */
  enter(subject: LimitSubject): Entered;
  /** Judges a sign-in's start, by address: rate only, from an allowance of its own. */
  admitStart(address: ClientAddress): Entered;
  /**
   * Counts a wrong credential; call it before its 401 is sent. This instance knows of it at once; the promise resolves when the
   * shared state does too, or could not be reached. Never rejects. Exempt addresses are not counted.
   */
  authenticationFailed(address: ClientAddress): Promise<FailureCounted>;
  /** The figures for the status route, and how `address` stands. */
  state(address?: ClientAddress): LimiterState;
  /** Leaves its counts for the next instance and takes its leave of the others. Idempotent; never rejects. */
  close(): Promise<void>;
}
