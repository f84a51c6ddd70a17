/**
 * What stands before every route that needs a credential: limits first, then who calls. The order is the one of the guard:
 * whose credential (by its signature alone), block, concurrency, rate; only then is a record read.
 *
 * @module
 */
import type { Context, MiddlewareHandler } from "hono";
import { fingerprint } from "../crypto/secret.ts";
import { bearerToken } from "../guard/bearer.ts";
import type { ClientAddress } from "../guard/client_address.ts";
import { limitedResponse } from "../guard/limited_response.ts";
import type { Limiter, LimitSubject, Refused } from "../guard/limits.ts";
import type { Observe } from "../traffic/observe.ts";
import { proxiedResponse, unauthorizedResponse, webPageResponse } from "./errors.ts";
import { type CallerDependencies, isGenuine, recognizeCaller } from "./recognize_caller.ts";
import type { CallerEnv, RelayEnv } from "./relay_env.ts";

/** What admitting works with. */
export interface AdmitDependencies extends CallerDependencies {
  /** Absent: no limits. */
  readonly limiter?: Limiter | undefined;
  readonly observe: Observe;
}

/** The middleware for the routes below `route`. Puts the caller into the context, or answers with 401 or 429. */
export function admitCaller(route: string, dependencies: AdmitDependencies): MiddlewareHandler<CallerEnv> {
  const { sessions, limiter } = dependencies;

  return async (context, next) => {
    const { headers } = context.req.raw;
    const token = bearerToken(headers);
    const verdict = await sessions.verify(token);
    const address = addressOf(context, limiter);
    const subject: LimitSubject = isGenuine(verdict)
      ? { kind: "session", recordId: verdict.claims.recordId }
      : { kind: "address", address };
    const entered = limiter?.enter(subject);
    if (entered?.kind === "refused") return refuse(context, route, address, entered, dependencies);
    try {
      const recognized = await recognizeCaller(context.req.raw, token, verdict, dependencies);
      switch (recognized.kind) {
        case "web_page":
          return webPageResponse();
        case "proxied":
          return proxiedResponse();
        case "unknown":
          return await fail(context, route, address, recognized, token, dependencies);
        case "caller":
          context.set("caller", recognized.caller);
          context.set("address", address);
          context.set("hold", entered === undefined ? holdNothing : () => entered.hold());
          await next();
          if (entered !== undefined) tellLimits(context.res.headers, entered.headers);
          return undefined;
      }
    } finally {
      entered?.leave();
    }
  };
}

/** The client's address. Without a limiter there are no settings of proxies either, and the socket's counts. */
export function addressOf(
  { req, env }: Pick<Context<RelayEnv>, "req" | "env">,
  limiter: Limiter | undefined,
): ClientAddress {
  return limiter?.addressOf(req.raw.headers, env.socketHostname) ??
    { key: env.socketHostname ?? "unknown", exempt: false };
}

/** Tells the guard's limits, unless the upstream has told its own: those are the ones that a client runs into first. */
function tellLimits(headers: Headers, limits: Readonly<Record<string, string>>): void {
  if (headers.has("x-ratelimit-remaining-requests") || headers.has("x-ratelimit-limit-requests")) return;
  for (const [name, value] of Object.entries(limits)) headers.set(name, value);
}

function refuse(
  { env: { requestId } }: Context<CallerEnv>,
  route: string,
  address: ClientAddress,
  refused: Refused,
  { observe }: AdmitDependencies,
): Response {
  const { code, retryAfterSeconds } = refused;
  observe({ kind: "rejected", requestId, route, address: address.key, code, retryAfterSeconds });
  return limitedResponse(refused);
}

/** The uniform 401, without any limits in its headers: their figures would tell whose credential it almost was. */
async function fail(
  context: Context<CallerEnv>,
  route: string,
  address: ClientAddress,
  { reason, guessed }: { readonly reason: string; readonly guessed: boolean },
  token: string | undefined,
  dependencies: AdmitDependencies,
): Promise<Response> {
  const { limiter, observe } = dependencies;
  const counted = guessed ? await limiter?.authenticationFailed(address) : undefined;
  observe({
    kind: "authentication_failed",
    requestId: context.env.requestId,
    route,
    reason,
    address: address.key,
    fingerprint: token === undefined ? null : await fingerprint(token),
    blocked: counted?.blocked ?? false,
  });
  return counted?.refused === undefined
    ? unauthorizedResponse()
    : refuse(context, route, address, counted.refused, dependencies);
}

function holdNothing(): () => void {
  return () => {};
}
