/**
 * The relay as one function from request to response: what is composed here, and in which order, is the whole server.
 *
 * @module
 */
import { Hono, type MiddlewareHandler } from "hono";
import { createRefresher } from "../credential/refresh.ts";
import { createSessions } from "../credential/session.ts";
import { createSignIns } from "../credential/sign_in.ts";
import { createIdentity } from "../crypto/identity.ts";
import { parseSecret, secretsDiffer } from "../crypto/secret.ts";
import { createJwtKeyRing, createSessionJwt } from "../crypto/session_jwt.ts";
import { corsFor } from "../guard/cors.ts";
import { chatGptDefaults, type ChatGptSettings } from "../provider/chatgpt_settings.ts";
import { copilotDefaults, type CopilotSettings } from "../provider/copilot_settings.ts";
import { grokDefaults, type GrokSettings } from "../provider/grok_settings.ts";
import { createHttpSender, sendByFetch } from "../provider/http_sender.ts";
import type { ProviderId } from "../provider/provider.ts";
import { createProviders } from "../provider/registry.ts";
import type { Store } from "../store/store.ts";
import type { Observe } from "../traffic/observe.ts";
import { addAuthRoutes, faultMessage } from "./auth_routes.ts";
import { errorResponse, sentenceResponse } from "./errors.ts";
import { addModelRoutes } from "./model_routes.ts";
import { addPageRoutes } from "./page_routes.ts";
import { addProbeRoutes } from "./probe_routes.ts";
import { defaultStreamTiming, type StreamTiming } from "./stream_timing.ts";
import { realTimers, type Timers } from "./timers.ts";
import { createWorkInFlight } from "./work_in_flight.ts";

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

/** What {@linkcode createRelayApp} takes. */
export interface RelayAppOptions {
  /** Where records and sign-ins live: see `openStore`. The caller closes it, after the last request. */
  readonly store: Store;
  /** Signs the session JWTs: at least 32 bytes in hexadecimal. */
  readonly jwtSecret: string;
  /** Older JWT secrets whose sessions are still accepted. */
  readonly previousJwtSecrets?: readonly string[];
  /** Keys the opaque user ids: at least 32 bytes in hexadecimal, another than `jwtSecret`. Changing it changes every id. */
  readonly identitySecret: string;
  /** The app's name, as consent screens show it where the provider does. */
  readonly originator: string;
  /** Where the upstreams are, and which of them are offered; default: all three, the real ones. */
  readonly providers?: RelayProviders;
  /** Origins of web pages that may call the relay; default `["*"]`. */
  readonly corsOrigins?: readonly string[];
  /** The largest request body of a model call, bytes; default 32 MiB. Larger ones are answered with 413. */
  readonly maxBodyBytes?: number;
  /** How patient the relay is with upstreams; what is absent stays at its default. */
  readonly timing?: Partial<StreamTiming>;
  /** Runs in array order before everything else. */
  readonly middleware?: readonly RelayMiddleware[];
  /** Takes what an operator may want to know; default: nobody does. */
  readonly observe?: Observe;
  /** Sends the upstream requests; default: the global `fetch`. */
  readonly fetch?: typeof fetch;
  /** The clock, milliseconds since the epoch; default `Date.now`. */
  readonly now?: () => number;
  /** The timers of model calls; default: the runtime's. */
  readonly timers?: Timers;
}

/** A relay, ready for `Deno.serve(app.fetch)` or for mounting below another server. */
export interface RelayApp {
  /** Answers one request. Never rejects. */
  fetch(request: Request): Response | Promise<Response>;
  /**
   * Resolves when no sign-in step and no renewal of tokens is under way. Await it after the last request and before the store
   * is closed: a provider's answer that cannot be stored is a grant that is lost.
   */
  settled(): Promise<void>;
}

const defaultMaxBodyBytes = 32 * 1024 * 1024;

/** nginx's status for a client that closed the request; nobody reads it. */
const clientClosedRequest = 499;

const failedSentence = "The relay failed to answer this request. Its log has the cause.";

/**
 * Builds the relay.
 *
 * @throws {TypeError} at once, when a secret is too short, not hexadecimal, or the same as the other one, when a limit is no
 * positive number, or when no provider is left.
 */
export function createRelayApp(options: RelayAppOptions): RelayApp {
  const jwtSecret = secret("jwtSecret", options.jwtSecret);
  const identitySecret = secret("identitySecret", options.identitySecret);
  if (!secretsDiffer(jwtSecret, identitySecret)) {
    throw new TypeError("The identitySecret must be another than the jwtSecret.");
  }
  checkLimits(options);
  const { store, now = Date.now } = options;
  const observe = harmless(options.observe ?? (() => undefined));
  const work = createWorkInFlight();
  const sender = createHttpSender();
  const enabled = options.providers?.enabled;
  const providers = new Map(
    createProviders(
      {
        originator: options.originator,
        openai: { ...chatGptDefaults, ...options.providers?.openai },
        xai: { ...grokDefaults, ...options.providers?.xai },
        github: { ...copilotDefaults, ...options.providers?.github },
        ...(enabled === undefined ? {} : { enabled }),
      },
      {
        send: options.fetch === undefined ? sender.send : sendByFetch(options.fetch),
        fetch: options.fetch ?? fetch,
        now,
        randomUuid: () => crypto.randomUUID(),
      },
    ).map((provider) => [provider.id, provider]),
  );
  const sessionJwt = createSessionJwt(createJwtKeyRing({
    current: jwtSecret,
    previous: (options.previousJwtSecrets ?? []).map((text) => secret("previousJwtSecrets", text)),
  }));
  const sessions = createSessions({ providers, records: store.records, sessionJwt, now });
  const refresher = work.aroundRefresher(createRefresher({ sessions, now, observe }));
  const signIns = work.aroundSignIns(createSignIns({
    providers,
    records: store.records,
    shared: store.shared,
    sessionJwt,
    identity: createIdentity(identitySecret),
    now,
    observe,
  }));

  const app = new Hono();
  for (const middleware of options.middleware ?? []) app.use(middleware as MiddlewareHandler);
  app.use(corsFor(options.corsOrigins ?? ["*"]));
  addProbeRoutes(app, store);
  addAuthRoutes(app, { providers, signIns, sessions, observe });
  addPageRoutes(app);
  addModelRoutes(app, {
    sessions,
    refresher,
    observe,
    now,
    random: Math.random,
    timers: options.timers ?? realTimers,
    timing: { ...defaultStreamTiming, ...options.timing },
    maxBodyBytes: options.maxBodyBytes ?? defaultMaxBodyBytes,
  });
  // The path is not repeated: people paste credentials into addresses, and an answer may end up in somebody's log.
  app.notFound(() => errorResponse("not_found", "There is nothing at this path."));
  app.onError((error, context) => {
    // A client that left has no use for an answer, and it is nobody's fault.
    if (context.req.raw.signal.aborted) return new Response(null, { status: clientClosedRequest });
    observe({ kind: "fault", route: context.req.routePath, message: faultMessage(error) });
    return context.req.path.startsWith("/auth/")
      ? sentenceResponse(503, "The relay cannot do this at the moment. Try again in a moment.")
      : errorResponse("internal_error", failedSentence);
  });
  return {
    async fetch(request) {
      try {
        return await app.fetch(request);
      } catch (error) {
        // Hono hands on what a middleware throws that is no Error.
        observe({ kind: "fault", route: "*", message: faultMessage(error) });
        return errorResponse("internal_error", failedSentence);
      }
    },
    settled: () => work.settled(),
  };
}

function checkLimits({ maxBodyBytes, timing, providers, originator }: RelayAppOptions): void {
  for (const [name, value] of Object.entries({ maxBodyBytes, ...timing })) {
    if (value !== undefined && !(value > 0)) {
      throw new TypeError(`The option ${name} must be a number above 0.`);
    }
  }
  if (providers?.enabled?.length === 0) {
    throw new TypeError("The option providers.enabled must name a provider.");
  }
  if (!/^[\x20-\x7e]+$/.test(originator)) {
    throw new TypeError("The option originator must be a name of printable ASCII characters.");
  }
}

/** An observer that cannot take a request down. */
function harmless(observe: Observe): Observe {
  return (event) => {
    try {
      observe(event);
    } catch {
      // Who watches the log has to find out there.
    }
  };
}

function secret(name: string, hex: string): Uint8Array<ArrayBuffer> {
  const parsed = parseSecret(hex);
  if (parsed.kind === "rejected") throw new TypeError(`The ${name} ${parsed.rule}.`);
  return parsed.bytes;
}
