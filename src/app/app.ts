/**
 * The relay as one function from request to response: what is composed here, and in which order, is the whole server.
 *
 * @module
 */
import { Hono, type MiddlewareHandler } from "hono";
import { createFileVault, defaultUploadLimits, type UploadLimits } from "../files/file_vault.ts";
import type { BodyLimits } from "../guard/body_pieces.ts";
import { corsFor } from "../guard/cors.ts";
import { chatGptDefaults } from "../provider/chatgpt_settings.ts";
import { copilotDefaults } from "../provider/copilot_settings.ts";
import { grokDefaults } from "../provider/grok_settings.ts";
import { createHttpSender, sendByFetch } from "../provider/http_sender.ts";
import { unnamedOriginator } from "../provider/registry.ts";
import { createTrafficCounter } from "../traffic/counts.ts";
import type { Observe } from "../traffic/observe.ts";
import { addAuthRoutes } from "./auth_routes.ts";
import { errorResponse, sentenceResponse } from "./errors.ts";
import { faultMessage } from "./fault_message.ts";
import { addModelRoutes } from "./model_routes.ts";
import { checkOptions, type RelayAppOptions } from "./options.ts";
import { addPageRoutes } from "./page_routes.ts";
import { addProbeRoutes } from "./probe_routes.ts";
import { createRelayCore } from "./relay_core.ts";
import type { RelayBindings, RelayEnv } from "./relay_env.ts";
import { createRequestEvents } from "./request_events.ts";
import { createRequestIds, withRequestId } from "./request_id.ts";
import { defaultStreamTiming } from "./stream_timing.ts";
import { realTimers } from "./timers.ts";

/** Of what `Deno.serve` tells of a request, what the relay uses. */
export interface ConnectionInfo {
  /** The other end of the socket: an IP address, where there is one. */
  readonly remoteAddr?: { readonly hostname?: string };
}

/** A relay, ready for `Deno.serve(app.fetch)` or for mounting below another server. */
export interface RelayApp {
  /**
   * Answers one request. Never rejects. `info` is what `Deno.serve` hands over; without it the address of the client is
   * unknown.
   */
  fetch(request: Request, info?: ConnectionInfo): Response | Promise<Response>;
  /**
   * Resolves when no sign-in step and no renewal of tokens is under way. Await it after the last request and before the store
   * is closed: a provider's answer that cannot be stored is a grant that is lost.
   */
  settled(): Promise<void>;
  /** Ends the connections to upstreams that wait for a next call. They end by themselves within a minute, too. */
  close(): void;
}

const defaultMaxBodyBytes = 32 * 1024 * 1024;

const defaultBodyTimeoutMs = 30_000;

/** nginx's status for a client that closed the request; nobody reads it. */
const clientClosedRequest = 499;

const failedSentence = "The relay failed to answer this request. Its log has the cause.";

/**
 * Builds the relay.
 *
 * @throws {TypeError} at once, when a secret is too short, not hexadecimal, or the same as the other one, when a limit is no
 * positive number, when no provider is left, or when neither an app nor an owner could use it.
 */
export function createRelayApp(options: RelayAppOptions): RelayApp {
  const secrets = checkOptions(options);
  const { store, originator, limiter, personal, corsOrigins = ["*"], now = Date.now } = options;
  const counter = createTrafficCounter(now());
  const events = createRequestEvents({
    observe: harmless((event) => {
      counter.observe(event);
      options.observe?.(event);
    }),
    limiter,
    now,
  });
  const { observe } = events;
  const sender = createHttpSender();
  const nextRequestId = createRequestIds(now);
  const enabled = options.providers?.enabled;
  const core = createRelayCore({
    store,
    secrets,
    providers: {
      originator: originator ?? unnamedOriginator,
      openai: { ...chatGptDefaults, ...options.providers?.openai },
      xai: { ...grokDefaults, ...options.providers?.xai },
      github: { ...copilotDefaults, ...options.providers?.github },
      ...(enabled === undefined ? {} : { enabled }),
    },
    runtime: {
      send: options.fetch === undefined ? sender.send : sendByFetch(options.fetch),
      fetch: options.fetch ?? fetch,
      now,
      randomUuid: () => crypto.randomUUID(),
    },
    observe,
  });
  const { providers, sessions, refresher } = core;

  const timers = options.timers ?? realTimers;
  const bodyLimits: BodyLimits = {
    maxBytes: options.maxBodyBytes ?? defaultMaxBodyBytes,
    timeoutMs: options.bodyTimeoutMs ?? defaultBodyTimeoutMs,
    after: (delayMs, callback) => timers.after(delayMs, callback),
  };

  const uploads: UploadLimits = { ...defaultUploadLimits, ...options.uploads };

  const app = new Hono<RelayEnv>();
  app.use(events.middleware);
  for (const middleware of options.middleware ?? []) app.use(middleware as MiddlewareHandler);
  app.use(corsFor(corsOrigins));
  addProbeRoutes(app, store);
  if (originator !== undefined) {
    addAuthRoutes(app, { providers, signIns: core.signIns, sessions, limiter, bodyLimits, observe });
    addPageRoutes(app);
  }
  const owner = personal && core.owner(personal.logins);
  const access = personal && owner && {
    owner,
    relayToken: personal.relayToken,
    requireBearerAuth: personal.requireBearerAuth ?? true,
    allowProxied: personal.allowProxied ?? false,
  };
  addModelRoutes(app, {
    sessions,
    appUsers: originator !== undefined,
    personal: access && { ...access, origins: corsOrigins },
    limiter,
    status: access && {
      ...access,
      limiter,
      files: store.files,
      counts: counter.read,
      configuration: options.configuration ?? {},
      now,
    },
    refresher,
    observe,
    logBodies: options.logBodies ?? false,
    now,
    random: Math.random,
    timers,
    timing: { ...defaultStreamTiming, ...options.timing },
    bodyLimits,
    vault: createFileVault({ files: store.files, limits: uploads, now }),
    uploads,
  });
  // The path is not repeated: people paste credentials into addresses, and an answer may end up in somebody's log.
  app.notFound(() => errorResponse("not_found", "There is nothing at this path."));
  app.onError((error, context) => {
    // A client that left has no use for an answer, and it is nobody's fault.
    if (context.req.raw.signal.aborted) return new Response(null, { status: clientClosedRequest });
    const { env: { requestId }, req: { routePath } } = context;
    observe({ kind: "fault", requestId, route: routePath, message: faultMessage(error) });
    return context.req.path.startsWith("/auth/")
      ? sentenceResponse(503, "The relay cannot do this at the moment. Try again in a moment.")
      : errorResponse("internal_error", failedSentence);
  });
  return {
    async fetch(request, info) {
      const requestId = nextRequestId();
      let response: Response;
      try {
        const socketHostname = info?.remoteAddr?.hostname;
        response = await app.fetch(request, { requestId, socketHostname } satisfies RelayBindings);
      } catch (error) {
        // Hono hands on what a middleware throws that is no Error.
        observe({ kind: "fault", requestId, route: "*", message: faultMessage(error) });
        response = errorResponse("internal_error", failedSentence);
      }
      return withRequestId(response, requestId);
    },
    settled: () => core.settled(),
    close: () => sender.close(),
  };
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
