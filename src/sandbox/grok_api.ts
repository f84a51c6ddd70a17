/**
 * The simulated xAI API on its two rails: the CLI's proxy, which bills the subscription and wants the CLI's headers, and
 * api.x.ai, which wants none and bills API credits.
 *
 * Source: facts page xai-grok, sections 5 to 7 and 9.
 *
 * @module
 */
import type { SandboxContext, SandboxUser, SimulatedUpstream } from "./contract.ts";
import { mediaType } from "./form_body.ts";
import { answerGrokChat, answerGrokResponses } from "./grok_call.ts";
import type { GrokState } from "./grok_auth.ts";
import {
  badCredentials,
  chatDenied,
  grokError,
  type GrokRail,
  outdatedClient,
  spendingLimit,
  typicalGrokFailure,
  unknownModel,
} from "./grok_errors.ts";
import { apiModel, apiModelList, findGrokModel, proxyModelList } from "./grok_models.ts";
import { membersOf, parseJson } from "./members.ts";
import { beginStep } from "./step.ts";

/** The oldest CLI version that the proxy serves. */
const LEAST_CLIENT_VERSION = Object.freeze([0, 1, 202]);

/** Names of the plans by the access token's `tier`: as `/user` spells them, and as people know them. */
const PLANS: Readonly<Record<number, readonly [string, string]>> = Object.freeze({
  1: ["GrokPro", "SuperGrok"],
  2: ["XBasic", "X Basic"],
  3: ["XPremium", "X Premium"],
  4: ["XPremiumPlus", "X Premium+"],
  5: ["SuperGrokPro", "SuperGrok Heavy"],
  6: ["SuperGrokLite", "SuperGrok Lite"],
  7: ["SuperGrokPlus", "SuperGrok Plus"],
});

/** One rail of the API; its mount prefix takes the place of `https://<host>/v1`. */
export function createGrokApi(ctx: SandboxContext, state: GrokState, rail: GrokRail): SimulatedUpstream {
  return {
    async handle(request, path, record) {
      const on = stepOf(rail, path);
      if (on === undefined) return grokError(404, "not-found", "The requested resource was not found.");
      const method = on === "call" ? "POST" : "GET";
      if (request.method !== method) return new Response(null, { status: 405, headers: { allow: method } });
      const step = await beginStep(ctx, request, record, on, (status) => typicalGrokFailure(rail, status));
      if (step.kind === "answered") return step.response;
      const user = admit(ctx, state, rail, request);
      const response = user instanceof Response
        ? user
        : on === "call"
        ? await answerCall(ctx, state, rail, request, path, user, step.fault)
        : on === "models"
        ? answerModels(rail, path)
        : answerAccount(ctx, path, new URL(request.url).searchParams, user);
      return withRateLimits(ctx, user instanceof Response ? undefined : user, response);
    },
  };
}

/** The person who calls, or the refusal. */
function admit(
  ctx: SandboxContext,
  state: GrokState,
  rail: GrokRail,
  request: Request,
): SandboxUser | Response {
  if (rail === "proxy") {
    const { requireClientVersion, requireTokenAuth } = ctx.switches().grok;
    const version = request.headers.get("x-grok-client-version");
    if (requireClientVersion && !isRecentVersion(version)) return outdatedClient(version);
    if (requireTokenAuth && request.headers.get("x-xai-token-auth") !== "xai-grok-cli") return chatDenied();
  }
  const token = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (rail === "api" && token === undefined) {
    return grokError(401, "unauthenticated", "No credentials were provided.");
  }
  if (rail === "api" && token?.startsWith("xai-")) {
    return grokError(400, "Client specified an invalid argument", "Incorrect API key provided.");
  }
  return (token === undefined ? undefined : state.tokens.userOf(token)) ?? badCredentials(rail);
}

async function answerCall(
  ctx: SandboxContext,
  state: GrokState,
  rail: GrokRail,
  request: Request,
  path: string,
  user: SandboxUser,
  fault: Parameters<typeof answerGrokChat>[1]["fault"],
): Promise<Response> {
  if (mediaType(request) !== "application/json") {
    return new Response("Expected request with `Content-Type: application/json`", { status: 415 });
  }
  const body = parseJson(await request.text());
  if (body === undefined) {
    return new Response("Failed to parse the request body as JSON", { status: 400 });
  }
  // Free plans have a pool on the proxy, but no credits for api.x.ai.
  if (user.exhausted === true || (rail === "api" && user.xaiTier === 0)) return spendingLimit();
  const override = rail === "proxy" ? request.headers.get("x-grok-model-override") : null;
  const call = {
    user,
    body,
    model: override ?? membersOf(body)["model"],
    fault,
    signal: request.signal,
    conversation: request.headers.get("x-grok-conv-id"),
    freeTokensUsed: state.freeTokensUsed,
    promptCache: state.promptCache,
  };
  return path === "/responses" ? answerGrokResponses(ctx, call) : answerGrokChat(ctx, call);
}

function answerModels(rail: GrokRail, path: string): Response {
  if (path === "/models") return Response.json(rail === "proxy" ? proxyModelList() : apiModelList());
  const id = path.slice("/models/".length);
  const model = findGrokModel(id);
  return model === undefined ? unknownModel(id) : Response.json(apiModel(model));
}

/** What the CLI asks about the account: who, which plan, how much of the week's pool is left. */
function answerAccount(
  ctx: SandboxContext,
  path: string,
  query: URLSearchParams,
  user: SandboxUser,
): Response {
  const plan = PLANS[user.xaiTier];
  const [firstName = "", lastName = ""] = user.displayName.split(" ");
  switch (path) {
    case "/user":
      return Response.json({
        userId: user.xaiSubject,
        email: user.email,
        firstName,
        lastName,
        principalType: "User",
        principalId: user.xaiSubject,
        userBlockedReason: null,
        teamBlockedReasons: [],
        codingDataRetentionOptOut: false,
        subscriptionTier: plan?.[0] ?? null,
      });
    case "/settings":
      return Response.json({ allow_access: true, subscription_tier_display: plan?.[1] ?? "Free" });
    default:
      return query.get("format") === "credits"
        ? Response.json(weeklyBilling(ctx.now(), user))
        : Response.json({ monthlyLimit: { val: 0 }, used: {}, history: [] });
  }
}

/** The pool of the running week, which starts on Monday. */
function weeklyBilling(nowMs: number, user: SandboxUser): Readonly<Record<string, unknown>> {
  const now = new Date(nowMs);
  const daysSinceMonday = (now.getUTCDay() + 6) % 7;
  const start = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() - daysSinceMonday);
  const period = {
    start: new Date(start).toISOString(),
    end: new Date(start + 7 * 24 * 3600 * 1000).toISOString(),
  };
  const usedPercent = user.exhausted === true ? 100 : 4;
  return {
    config: {
      currentPeriod: { type: "USAGE_PERIOD_TYPE_WEEKLY", ...period },
      creditUsagePercent: usedPercent,
      onDemandCap: { val: 0 },
      onDemandUsed: {},
      productUsage: [{ product: "GrokBuild", usagePercent: usedPercent }, {
        product: "GrokChat",
        usagePercent: null,
      }],
      isUnifiedBillingUser: true,
      prepaidBalance: { val: 0 },
      topUpMethod: "TOP_UP_METHOD_SAVED_PAYMENT_METHOD",
      billingPeriodStart: period.start,
      billingPeriodEnd: period.end,
    },
    ...(PLANS[user.xaiTier] === undefined ? {} : { subscriptionTier: PLANS[user.xaiTier]?.[0] }),
  };
}

/** The limits do not count down between calls, as captured. */
function withRateLimits(ctx: SandboxContext, user: SandboxUser | undefined, response: Response): Response {
  const [requests, tokens] = user?.xaiTier === 0 ? ["21", "1000000"] : ["8300", "53000000"];
  const { headers } = response;
  headers.set("x-request-id", ctx.token("", "grok request id"));
  if (user === undefined) return response;
  headers.set("x-ratelimit-limit-requests", requests);
  headers.set("x-ratelimit-remaining-requests", requests);
  headers.set("x-ratelimit-limit-tokens", tokens);
  headers.set("x-ratelimit-remaining-tokens", tokens);
  return response;
}

/** Which step a path is; undefined for paths that the rail does not have. */
function stepOf(rail: GrokRail, path: string): "call" | "models" | "user" | undefined {
  if (path === "/responses" || path === "/chat/completions") return "call";
  if (path === "/models" || (rail === "api" && path.startsWith("/models/"))) return "models";
  return rail === "proxy" && ["/user", "/settings", "/billing"].includes(path) ? "user" : undefined;
}

/** A semantic version that is not older than the least one. */
function isRecentVersion(version: string | null): boolean {
  const parts = /^(\d+)\.(\d+)\.(\d+)(?:-[\w.-]+)?$/.exec(version ?? "")?.slice(1).map(Number);
  if (parts === undefined) return false;
  for (const [index, least] of LEAST_CLIENT_VERSION.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
