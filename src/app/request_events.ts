/**
 * The first and the last line of every request in the traffic log, and the request's id in those between them.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Context, MiddlewareHandler } from "hono";
import { matchedRoutes } from "hono/route";
import type { Limiter } from "../guard/limits.ts";
import type { Observe } from "../traffic/observe.ts";
import { addressOf } from "./admit_caller.ts";
import type { RelayEnv } from "./relay_env.ts";

/** What the log is told of requests. */
export interface RequestEvents {
  /**
   * Hands events on. Those that were raised on the way of a request by somebody who does not know of requests, such as the
   * renewal of a token, get its id.
   */
  readonly observe: Observe;
  /** Runs around everything else, and tells that a request came and how it was answered. */
  readonly middleware: MiddlewareHandler<RelayEnv>;
}

/** What {@linkcode createRequestEvents} takes. */
export interface RequestEventOptions {
  /** Must not throw. */
  readonly observe: Observe;
  readonly limiter?: Limiter | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Asked every few seconds by whoever keeps the relay running, with the same answer: not worth a line. */
const unlogged: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/** Builds the log's view of requests. */
export function createRequestEvents({ observe, limiter, now }: RequestEventOptions): RequestEvents {
  const requestIds = new AsyncLocalStorage<string>();

  return {
    observe(event) {
      const requestId = requestIds.getStore();
      switch (event.kind) {
        case "sign_in_failed":
        case "sign_in_delayed":
        case "refresh_failed":
        case "fault":
          return observe(requestId === undefined ? event : { requestId, ...event });
        default:
          return observe(event);
      }
    },

    async middleware(context, next) {
      const route = routeOf(context);
      if (unlogged.has(route)) return await next();
      const { env: { requestId }, req: { method } } = context;
      const startedAtMs = now();
      observe({ kind: "request", requestId, method, route, address: addressOf(context, limiter).key });
      // What is thrown through here is answered with this.
      let status = 500;
      try {
        await requestIds.run(requestId, next);
        ({ status } = context.res);
      } finally {
        observe({ kind: "response", requestId, route, status, durationMs: now() - startedAtMs });
      }
    },
  };
}

/** The pattern of the route that will answer; its middleware is for all methods. */
function routeOf(context: Context<RelayEnv>): string {
  const routes = matchedRoutes(context);
  return (routes.find(({ method }) => method !== "ALL") ?? routes.at(-1))?.path ?? "*";
}
