/**
 * What is left of the caller's subscription, in one shape for the three providers. Described for apps in
 * docs/integration.md.
 *
 * @module
 */
import type { Hono } from "hono";
import type { Refresher } from "../credential/refresh.ts";
import type { ProviderId } from "../provider/provider.ts";
import type { Quota, QuotaLimit, QuotaWindow } from "../provider/quota.ts";
import type { Observe } from "../traffic/observe.ts";
import { errorResponse, noLoginResponse, notFreshResponse, upstreamErrorResponse } from "./errors.ts";
import type { CallerEnv } from "./relay_env.ts";
import { askUpstream } from "./request_trace.ts";
import { withFreshGrant } from "./with_fresh_grant.ts";

/** What the quota routes work with. */
export interface QuotaDependencies {
  readonly refresher: Refresher;
  readonly observe: Observe;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** The status and its alias; each request reads it anew at the provider. */
const paths = Object.freeze(["/subscription/status", "/account/rate_limits"]);

/**
 * Adds the quota routes to the routes below `/v1`, which have put the caller into the context. An owner with several logins
 * chooses one with `?provider=`; without it the first one is told.
 */
export function addQuotaRoutes(
  models: Hono<CallerEnv>,
  { refresher, observe, now }: QuotaDependencies,
): void {
  models.on("GET", [...paths], async (context) => {
    const { caller } = context.var;
    const sessions = await caller.sessions();
    const asked = context.req.query("provider");
    const session = sessions.find(({ provider }) => asked === undefined || provider.id === asked);
    if (session === undefined && sessions.length > 0) {
      const known = sessions.map(({ provider }) => provider.id).join(", ");
      return errorResponse(
        "invalid_request",
        `'provider' must be one that is signed in: ${known}.`,
        "provider",
      );
    }
    if (session === undefined) return noLoginResponse();
    const outcome = await withFreshGrant(
      session,
      refresher,
      ({ provider, grant }) =>
        askUpstream(
          { requestId: context.env.requestId, observe, now },
          "quota",
          provider.id,
          () => provider.readQuota(grant, context.req.raw.signal),
        ),
    );
    const { id } = session.provider;
    switch (outcome.kind) {
      case "quota":
        context.header("cache-control", "no-store");
        return context.json(describeQuota(outcome.quota, id, now()));
      case "refused":
        return upstreamErrorResponse(outcome.error);
      default:
        return notFreshResponse(outcome, session.provider, caller);
    }
  });
}

/** The status object; members that the provider did not tell are left out of its JSON. */
export function describeQuota(quota: Quota, provider: ProviderId, nowMs: number): Record<string, unknown> {
  const { plan, main, additional, reachedType, credits } = quota;
  return {
    object: "subscription_status",
    captured_at: Math.floor(nowMs / 1000),
    provider,
    plan,
    rate_limits: {
      default: main === undefined ? null : describeLimit(main, nowMs),
      additional: additional.map((limit) => describeLimit(limit, nowMs)),
    },
    rate_limit_reached_type: reachedType,
    credits: credits === undefined ? undefined : {
      unit: credits.unit,
      balance: credits.balance,
      unlimited: credits.unlimited,
      on_demand_limit: credits.onDemandLimit,
      on_demand_used: credits.onDemandUsed,
    },
  };
}

function describeLimit(limit: QuotaLimit, nowMs: number): Record<string, unknown> {
  return {
    name: limit.name,
    allowed: limit.allowed,
    limit_reached: limit.reached,
    unlimited: limit.unlimited,
    overage_permitted: limit.overagePermitted,
    windows: limit.windows.map((window) => describeWindow(window, nowMs)),
  };
}

function describeWindow(window: QuotaWindow, nowMs: number): Record<string, unknown> {
  const { label, usedPercent, windowSeconds, resetsAtMs, requestLimit, requestsRemaining } = window;
  return {
    window_label: label,
    window_seconds: windowSeconds,
    used_percent: rounded(usedPercent),
    remaining_percent: usedPercent === undefined ? undefined : rounded(100 - usedPercent),
    request_limit: requestLimit,
    requests_remaining: rounded(requestsRemaining),
    reset_at: resetsAtMs === undefined ? undefined : Math.floor(resetsAtMs / 1000),
    reset_after_seconds: resetsAtMs === undefined
      ? undefined
      : Math.max(0, Math.ceil((resetsAtMs - nowMs) / 1000)),
  };
}

/** Two decimals: providers count in fractions, and 100 minus a fraction has a tail. */
function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 100) / 100;
}
