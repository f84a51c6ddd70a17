/**
 * The one interface behind which ChatGPT, Grok and GitHub Copilot stand. Above it nobody compares provider ids; below
 * it nobody knows the client's dialect, the session JWT or the store.
 *
 * Expected outcomes (pending, denied, refused, rate limited, unreachable) are values; a rejected promise is a bug or an
 * abort by the caller's signal.
 *
 * @module
 */
import type { UpstreamBody } from "../wire/byte_source.ts";
import type { Dialect } from "../wire/dialect.ts";
import type { JsonObject } from "../wire/json.ts";
import type { Quota } from "./quota.ts";

/** The three ids of the contract, in the order in which they are offered. */
export type ProviderId = "openai" | "xai" | "github";

/** A signed-in account at a provider: the plaintext of a sealed record. Never logged, never in an error. */
export interface Grant {
  /** What a call carries as its bearer. For Copilot the short-lived exchanged token. */
  readonly accessToken: string;
  /** When `accessToken` ends, milliseconds since the epoch. */
  readonly accessExpiresAtMs: number;
  /** What renews `accessToken`; absent when the provider gave none. For Copilot the GitHub OAuth token. */
  readonly refreshToken?: string;
  /** The person at the provider, stable over sign-ins. For ChatGPT the user, not the shared workspace. */
  readonly accountId: string;
  /** Facts without secrecy that each call needs, e.g. the ChatGPT workspace or the Copilot API base. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A device sign-in as started at the provider. */
export interface DeviceSignIn {
  /** What {@linkcode SignIn.advance} needs; secret (it holds the device code), plain JSON, at most 16 KiB. */
  readonly flow: JsonObject;
  /** The code that the person types, as the provider formats it. */
  readonly userCode: string;
  /** The page that the person opens; already contains the code where the provider offers that. */
  readonly verificationUrl: string;
  /** How long the code lives, milliseconds from now. */
  readonly expiresInMs: number;
  /** The least time between two polls towards the provider, milliseconds. */
  readonly intervalMs: number;
}

/** How starting a sign-in ended. */
export type StartOutcome =
  | { readonly kind: "started"; readonly signIn: DeviceSignIn }
  /** `reason` is for the log: our own words and safe fields, no upstream body. */
  | { readonly kind: "failed"; readonly reason: string };

/** How one step of a sign-in ended. */
export type AdvanceOutcome =
  /** The person has not decided yet. */
  | { readonly kind: "pending" }
  /** RFC 8628 section 3.5: poll less often from now on; `intervalMs` when the provider named the new interval. */
  | { readonly kind: "slow_down"; readonly intervalMs?: number }
  /** A hiccup (network, 5xx, 429, challenge page): nothing was decided, the same step may be tried again. */
  | { readonly kind: "unavailable"; readonly reason: string; readonly retryAfterMs?: number }
  /**
   * Progress that must not be lost (an authorization code, a token): the caller stores `flow` durably and calls
   * `advance` with it at once.
   */
  | { readonly kind: "advanced"; readonly flow: JsonObject }
  /** The sign-in is complete. */
  | { readonly kind: "granted"; readonly grant: Grant }
  /** The person refused. */
  | { readonly kind: "denied" }
  /** The code's time is over. */
  | { readonly kind: "expired" }
  /** Final for another cause, e.g. no Copilot seat; `message` is a sentence for the person, without secrets. */
  | { readonly kind: "failed"; readonly message: string; readonly reason: string };

/** The device sign-in of one provider: a chain of steps over a flow that the caller keeps between them. */
export interface SignIn {
  /** Asks the provider for a user code. `originator` is the app's name, for consent screens that show one. */
  start(signal: AbortSignal): Promise<StartOutcome>;
  /** Takes the next step. Sends at most one request that consumes something at the provider. */
  advance(flow: JsonObject, signal: AbortSignal): Promise<AdvanceOutcome>;
}

/** How renewing the access token ended. */
export type RefreshOutcome =
  /** The new grant; the caller stores it durably before it uses it. */
  | { readonly kind: "refreshed"; readonly grant: Grant }
  /** The provider has ended the grant for good: the person must sign in again. `reason` is a safe code. */
  | { readonly kind: "ended"; readonly reason: string }
  /** Nothing was decided; the old access token stays usable while it lives. */
  | { readonly kind: "unavailable"; readonly reason: string };

/** What went wrong at the upstream, in terms that a client can be told. Carries no secret and no raw body. */
export interface UpstreamError {
  /** The status for the client: the upstream's own, 502 when it could not be reached or made no sense, 504 on time-out. */
  readonly status: number;
  /** OpenAI's `error.type`, e.g. `rate_limit_error`. */
  readonly type: string;
  /** OpenAI's `error.code`: the upstream's when it has one. */
  readonly code: string | null;
  /** OpenAI's `error.param`: the upstream's when it has one. */
  readonly param: string | null;
  /** A sentence: the upstream's own words when it carried any, else ours. */
  readonly message: string;
  /** Seconds until a retry makes sense, when the upstream told. */
  readonly retryAfterSeconds?: number;
  /** True when the access token was refused, so that a refreshed one may succeed. */
  readonly accessRejected: boolean;
  /** True for a passing trouble that the upstream's own clients try again at once: 5xx and broken connections. */
  readonly transient: boolean;
}

/** A model of the caller's live list. */
export interface Model {
  readonly id: string;
  readonly displayName: string;
  /** Unix seconds; 0 where the provider tells none. */
  readonly created: number;
  readonly ownedBy: string;
  /** The upstream dialects that the model answers. */
  readonly dialects: readonly Dialect[];
  /** Capabilities where the provider tells them; absent means unknown, not false. */
  readonly contextWindowTokens?: number;
  readonly maxOutputTokens?: number;
  readonly inputModalities?: readonly string[];
  readonly reasoningEfforts?: readonly string[];
  readonly defaultReasoningEffort?: string;
  readonly toolCalls?: boolean;
  readonly parallelToolCalls?: boolean;
  readonly structuredOutputs?: boolean;
}

/** How reading the model list ended. */
export type ModelsOutcome =
  | { readonly kind: "models"; readonly models: readonly Model[] }
  | { readonly kind: "refused"; readonly error: UpstreamError };

/** How reading the quota ended. */
export type QuotaOutcome =
  | { readonly kind: "quota"; readonly quota: Quota }
  | { readonly kind: "refused"; readonly error: UpstreamError };

/** A request body made fit for one upstream, or the reason why it cannot be. */
export type PreparedRequest =
  | {
    readonly kind: "ready";
    /** The body to send. The same object as was passed in when nothing had to change. */
    readonly body: JsonObject;
    /** Names of the parameters that were dropped because this upstream refuses them. */
    readonly ignored: readonly string[];
  }
  | {
    readonly kind: "refused";
    readonly message: string;
    readonly param: string | null;
    readonly code: string;
  };

/** One model call in the upstream's dialect. */
export interface UpstreamCall {
  readonly dialect: Dialect;
  readonly model: string;
  /** The prepared body. */
  readonly body: JsonObject;
  /** The client's own bytes when nothing had to change: sent as they are instead of `body`. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

/** The upstream's answer to a call. */
export type UpstreamReply =
  /** 2xx with an event stream; the caller reads or cancels `body`. */
  | {
    readonly kind: "stream";
    readonly body: UpstreamBody;
    readonly headers: Headers;
  }
  /** 2xx with one JSON document, read already if it is short; the caller reads or cancels a `body` that is a stream. */
  | {
    readonly kind: "json";
    readonly body: Uint8Array<ArrayBuffer> | UpstreamBody;
    readonly headers: Headers;
  }
  | {
    readonly kind: "refused";
    readonly error: UpstreamError;
    /** The headers of the answer that refused; absent when none came. */
    readonly headers?: Headers;
  };

/** A provider: sign-in, credential life and model calls of one upstream. */
export interface Provider {
  readonly id: ProviderId;
  /** The name that people know, e.g. `Grok`. */
  readonly displayName: string;
  readonly signIn: SignIn;
  /** Renews the access token with one request; never repeats it by itself (refresh tokens are single use). */
  refresh(grant: Grant, signal: AbortSignal): Promise<RefreshOutcome>;
  /** Ends the grant at the provider where that exists; resolves in any case. */
  revoke(grant: Grant, signal: AbortSignal): Promise<void>;
  /** The live model list of the account. */
  listModels(grant: Grant, signal: AbortSignal): Promise<ModelsOutcome>;
  /** What is left of the account's subscription. What the provider does not tell is missing from it, and may be all of it. */
  readQuota(grant: Grant, signal: AbortSignal): Promise<QuotaOutcome>;
  /**
   * What the headers of an answer to a call tell of the limits, as OpenAI's `x-ratelimit-*` headers; empty when they tell
   * nothing. For refusals too: they tell when to come back.
   */
  quotaHeaders(headers: Headers): Readonly<Record<string, string>>;
  /** The dialect in which `model` has to be asked when the client speaks `preferred`. */
  dialectFor(preferred: Dialect, model: string, grant: Grant, signal: AbortSignal): Promise<Dialect>;
  /**
   * The dialects in which the upstream's answers stray so far from OpenAI's reference that clients of the same dialect
   * break: choices that are split or missing, ids that change with every event.
   */
  readonly straysIn: readonly Dialect[];
  /** Whether the upstream is known to take documents, PDF for instance, as `file_data`. All take texts and pictures. */
  readonly takesDocuments: boolean;
  /** Makes a body in `dialect` fit for this upstream. Pure. */
  prepare(dialect: Dialect, body: JsonObject): PreparedRequest;
  /**
   * Sends one call. `signal` ends the upstream request until it has answered. A body that streams is ended by cancelling it:
   * once its Response was collected, Deno 2.9.6 no longer passes the signal on to it.
   */
  send(call: UpstreamCall, grant: Grant, signal: AbortSignal): Promise<UpstreamReply>;
}
