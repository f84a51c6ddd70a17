/**
 * The guard for other people's Hono apps.
 *
 * @module
 */
import { openBody, streamOf, withEnd } from "../wire/byte_source.ts";
import { limitedResponse } from "./limited_response.ts";
import type { Admitted, Limiter, LimitSubject } from "./limits.ts";

/** What the middleware needs of Hono's `Context`. */
export interface GuardContext {
  /** The request; `raw` is the standard object. */
  readonly req: { readonly raw: Request };
  /** What the app's `fetch` got beside the request: the info of `Deno.serve` when it is called with that. */
  readonly env?: unknown;
  /** The response, once `next` has resolved. */
  res: Response;
}

/** A middleware for `app.use`. */
export type GuardMiddleware = {
  // A method signature on purpose: it lets Hono pass its whole Context.
  bivariant(context: GuardContext, next: () => Promise<void>): Promise<Response | void>;
}["bivariant"];

/** What {@linkcode createGuardMiddleware} takes. */
export interface GuardOptions {
  /** Judges the requests. */
  readonly limiter: Limiter;
  /**
   * The id of a caller that nobody can pose as, for instance of a signed token whose signature holds. It is limited by this id and
   * not by its address, and never blocked. Default: nobody is.
   */
  readonly sessionOf?: (request: Request) => string | undefined | Promise<string | undefined>;
  /** Whether an answer tells of a wrong credential. Default: its status is 401. */
  readonly isFailedAuthentication?: (response: Response) => boolean;
}

/**
 * Builds a middleware that limits requests and answers with 429 beyond, that keeps a place until a streamed answer has been sent,
 * and that blocks addresses for wrong credentials. Put it before what checks the credentials.
 *
 * The address of the client comes from the second argument of the app's `fetch`, so that this is the way to serve:
 *
 * ```ts
 * const limiter = createLimiter({ settings: defaultLimitSettings, shared: store.shared });
 * await limiter.ready;
 * app.use("/v1/*", createGuardMiddleware({ limiter }));
 * Deno.serve((request, info) => app.fetch(request, info));
 * ```
 */
export function createGuardMiddleware(options: GuardOptions): GuardMiddleware {
  const { limiter, sessionOf = () => undefined, isFailedAuthentication = isUnauthorized } = options;
  return async (context, next) => {
    const request = context.req.raw;
    const recordId = await sessionOf(request);
    const address = limiter.addressOf(request.headers, readHostname(context.env));
    const subject: LimitSubject = recordId === undefined
      ? { kind: "address", address }
      : { kind: "session", recordId };
    const entered = limiter.enter(subject);
    if (entered.kind === "refused") return limitedResponse(entered);
    try {
      await next();
      if (subject.kind === "address" && isFailedAuthentication(context.res)) {
        const { refused } = await limiter.authenticationFailed(address);
        if (refused !== undefined) return limitedResponse(refused);
      } else {
        for (const [name, value] of Object.entries(entered.headers)) context.res.headers.set(name, value);
      }
      holdUntilSent(context, entered);
      return undefined;
    } finally {
      entered.leave();
    }
  };
}

function isUnauthorized({ status }: Response): boolean {
  return status === 401;
}

/** `info.remoteAddr.hostname`, as `Deno.serve` tells it. */
function readHostname(info: unknown): string | undefined {
  const address = memberOf(info, "remoteAddr");
  const hostname = memberOf(address, "hostname");
  return typeof hostname === "string" ? hostname : undefined;
}

/** Keeps the place until the answer has been sent, or its client has left. */
function holdUntilSent(context: GuardContext, admitted: Admitted): void {
  const { res, env } = context;
  if (res.body === null) return;
  const release = admitted.hold();
  const completed = memberOf(env, "completed");
  if (completed instanceof Promise) {
    // Deno tells when a response has gone out; watching the body would cost something for every chunk.
    void completed.then(release, release);
  } else {
    const body = streamOf(withEnd(openBody(res.body), release));
    // Hono keeps headers that were set before when a response takes another's place.
    context.res = new Response(body, res);
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && name in value
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
