/**
 * What a relay is built from, and whether it can be.
 *
 * @module
 */
import type { OwnerSessions } from "../credential/owner_sessions.ts";
import type { RelayToken } from "../credential/relay_token.ts";
import { parseSecret, secretsDiffer } from "../crypto/secret.ts";
import type { UploadLimits } from "../files/file_vault.ts";
import type { Limiter } from "../guard/limits.ts";
import type { ChatGptSettings } from "../provider/chatgpt_settings.ts";
import type { CopilotSettings } from "../provider/copilot_settings.ts";
import type { GrokSettings } from "../provider/grok_settings.ts";
import type { ProviderId } from "../provider/provider.ts";
import type { Store } from "../store/store.ts";
import type { Observe } from "../traffic/observe.ts";
import type { StreamTiming } from "./stream_timing.ts";
import type { Timers } from "./timers.ts";

/**
 * What a middleware is given: the part of Hono's `Context` that is promised here. Any Hono middleware fits
 * {@linkcode RelayMiddleware}.
 */
export interface RelayContext {
  /** The request; `raw` is the standard object. */
  readonly req: { readonly raw: Request; readonly path: string; readonly method: string };
  /** The response, once `next` has resolved. */
  res: Response;
}

/**
 * Runs around every request, before everything that the relay itself does. Either answers with a `Response`, or awaits
 * `next` and lets the relay answer.
 */
export type RelayMiddleware = {
  // A method signature on purpose: it lets a handler that asks for Hono's whole Context be passed.
  bivariant(context: RelayContext, next: () => Promise<void>): Promise<Response | void>;
}["bivariant"];

/** What differs from the real upstreams. */
export interface RelayProviders {
  /** ChatGPT. */
  readonly openai?: Partial<ChatGptSettings>;
  /** Grok. */
  readonly xai?: Partial<GrokSettings>;
  /** GitHub Copilot. */
  readonly github?: Partial<CopilotSettings>;
  /** The providers on offer; all three when absent. */
  readonly enabled?: readonly ProviderId[] | undefined;
}

/** How the relay's owner calls. */
export interface PersonalOptions {
  /** The owner's logins: see `openOwnerSessions`. */
  readonly logins: OwnerSessions;
  /** The owner's credential: see `openRelayToken`. */
  readonly relayToken?: RelayToken | undefined;
  /**
   * False: whoever can reach the relay is its owner; default true. Web pages are still refused unless `corsOrigins` names
   * their origin, `*` does not.
   */
  readonly requireBearerAuth?: boolean;
  /** With `requireBearerAuth` false: whether requests that a proxy has passed on are answered too; default false. */
  readonly allowProxied?: boolean;
}

/** What `createRelayApp` takes. */
export interface RelayAppOptions {
  /** Where records and sign-ins live: see `openStore`. The caller closes it, after the last request. */
  readonly store: Store;
  /** Signs the session JWTs: at least 32 bytes in hexadecimal. */
  readonly jwtSecret: string;
  /** Older JWT secrets whose sessions are still accepted. */
  readonly previousJwtSecrets?: readonly string[];
  /** Keys the opaque user ids: at least 32 bytes in hexadecimal, another than `jwtSecret`. Changing it changes every id. */
  readonly identitySecret: string;
  /**
   * The app's name, as consent screens show it where the provider does. Absent: this relay has no app; nobody can sign in over
   * HTTP, and session JWTs open nothing. Then `personal` must be given.
   */
  readonly originator?: string | undefined;
  /** Lets the relay's owner call with the owner's own logins. Absent: nobody is the owner. */
  readonly personal?: PersonalOptions | undefined;
  /**
   * How much a client may do: see `createLimiter`. The caller awaits its `ready` before the first request and closes it after
   * the last one. Absent: no limits.
   */
  readonly limiter?: Limiter | undefined;
  /** Where the upstreams are, and which of them are offered; default: all three, the real ones. */
  readonly providers?: RelayProviders;
  /** The configuration as the status tells it to the owner, without secrets. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** Origins of web pages that may call the relay; default `["*"]`. */
  readonly corsOrigins?: readonly string[];
  /** The largest request body of a model call, bytes; default 32 MiB. Larger ones are answered with 413. */
  readonly maxBodyBytes?: number;
  /** How long each 256 KiB of a request body may take, milliseconds; default 30 s. Slower ones are answered with 408. */
  readonly bodyTimeoutMs?: number;
  /** How much may be uploaded; default: 32 MiB per file, 256 MiB per account. More is answered with 413. */
  readonly uploads?: Partial<UploadLimits>;
  /** How patient the relay is with upstreams; what is absent stays at its default. */
  readonly timing?: Partial<StreamTiming>;
  /** Runs in array order before everything else. */
  readonly middleware?: readonly RelayMiddleware[];
  /** Takes what an operator may want to know; default: nobody does. */
  readonly observe?: Observe;
  /**
   * Whether model calls raise `body` events: prompts and answers, without what looks like a credential; default false.
   */
  readonly logBodies?: boolean;
  /**
   * Sends all upstream requests. Default: the global `fetch` for sign-ins, and for model calls connections of the relay's own,
   * which cost less than half but know no HTTP proxy: who needs one hands `fetch` in here.
   */
  readonly fetch?: typeof fetch;
  /** The clock, milliseconds since the epoch; default `Date.now`. */
  readonly now?: () => number;
  /** The timers of model calls; default: the runtime's. */
  readonly timers?: Timers;
}

/** The secrets of a relay, judged. */
export interface RelaySecrets {
  readonly jwtSecret: Uint8Array<ArrayBuffer>;
  readonly previousJwtSecrets: readonly Uint8Array<ArrayBuffer>[];
  readonly identitySecret: Uint8Array<ArrayBuffer>;
}

/**
 * Judges the options and reads the secrets.
 *
 * @throws {TypeError} as `createRelayApp` says.
 */
export function checkOptions(options: RelayAppOptions): RelaySecrets {
  const jwtSecret = secret("jwtSecret", options.jwtSecret);
  const identitySecret = secret("identitySecret", options.identitySecret);
  if (!secretsDiffer(jwtSecret, identitySecret)) {
    throw new TypeError("The identitySecret must be another than the jwtSecret.");
  }
  checkLimits(options);
  checkHalves(options);
  return {
    jwtSecret,
    identitySecret,
    previousJwtSecrets: (options.previousJwtSecrets ?? []).map((text) => secret("previousJwtSecrets", text)),
  };
}

function checkLimits({ maxBodyBytes, bodyTimeoutMs, uploads, timing, providers }: RelayAppOptions): void {
  for (const [name, value] of Object.entries({ maxBodyBytes, bodyTimeoutMs, ...uploads, ...timing })) {
    if (value !== undefined && !(value > 0)) {
      throw new TypeError(`The option ${name} must be a number above 0.`);
    }
  }
  if (providers?.enabled?.length === 0) {
    throw new TypeError("The option providers.enabled must name a provider.");
  }
}

function checkHalves({ originator, personal }: RelayAppOptions): void {
  if (originator === undefined && personal === undefined) {
    throw new TypeError(
      "A relay needs the option originator, for an app, or personal, for its owner, or both.",
    );
  }
  if (originator !== undefined && !/^[\x20-\x7e]+$/.test(originator)) {
    throw new TypeError("The option originator must be a name of printable ASCII characters.");
  }
  if (personal?.requireBearerAuth !== false && personal?.relayToken === undefined && personal !== undefined) {
    throw new TypeError("The option personal needs a relayToken, or requireBearerAuth: false.");
  }
}

function secret(name: string, hex: string): Uint8Array<ArrayBuffer> {
  const parsed = parseSecret(hex);
  if (parsed.kind === "rejected") throw new TypeError(`The ${name} ${parsed.rule}.`);
  return parsed.bytes;
}
