/**
 * The simulated api.github.com, as far as Copilot clients use it: who am I, the token exchange, and the quota.
 *
 * The first exchange of an OAuth token is the step `exchange`, every later one the step `refresh`, so that faults can hit
 * sign-in and renewal apart.
 *
 * Source: facts page github-copilot, sections 2, 3 and 8.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Fault, SandboxContext, SandboxUser, SimulatedUpstream } from "./contract.ts";
import { nextMonthMs, remainingOf } from "./copilot_quota.ts";
import { type CopilotSeat, seatOf } from "./copilot_seats.ts";
import type { GithubState, OauthToken } from "./github_site.ts";
import { beginStep } from "./step.ts";

/** api.github.com, mounted under its own prefix. */
export function createGithubApi(ctx: SandboxContext, state: GithubState): SimulatedUpstream {
  return {
    async handle(request, path, record) {
      const token = bearerOf(request);
      const known = state.oauthTokens.get(token);
      const on: Fault["on"] | undefined = path === "/user" || path === "/copilot_internal/user"
        ? "user"
        : path === "/copilot_internal/v2/token"
        ? (known?.exchanges ?? 0) === 0 ? "exchange" : "refresh"
        : undefined;
      if (on === undefined || request.method !== "GET") return restError(404, "Not Found");
      const step = await beginStep(ctx, request, record, on, typicalFailure);
      if (step.kind === "answered") return step.response;
      if (known === undefined) return refuseToken(token, path);
      if (path === "/user") return answerUser(known.user);
      if (path === "/copilot_internal/user") return answerQuota(ctx, state, known.user);
      return exchange(ctx, state, known);
    },
  };
}

/** `token x`, `Token x` and `Bearer x` are the same here. */
function bearerOf(request: Request): string {
  return /^(?:token|bearer) +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
}

function refuseToken(token: string, path: string): Response {
  const isPersonal = token.startsWith("ghp_") || token.startsWith("github_pat_");
  return isPersonal && path.startsWith("/copilot_internal/")
    ? restError(403, "Resource not accessible by personal access token")
    : restError(401, "Bad credentials");
}

function answerUser(user: SandboxUser): Response {
  return Response.json({
    login: user.name,
    id: user.githubId,
    node_id: `U_${user.githubId}`,
    type: "User",
    name: user.displayName,
    email: null,
  });
}

function exchange(ctx: SandboxContext, state: GithubState, oauth: OauthToken): Response {
  const { user } = oauth;
  // Tokens of other OAuth apps are told that the endpoint does not exist.
  if (!oauth.exchangeable) return restError(404, "Not Found");
  const seat = seatOf(user);
  if (seat === null) return refuseSeat(user);
  oauth.exchanges += 1;
  forgetOldTokens(ctx, state);
  const now = ctx.now();
  const expiresAt = Math.floor(now / 1000) + ctx.accessTokenSeconds;
  const token = printCopilotToken(ctx, user, seat, expiresAt);
  state.copilotTokens.set(token, { user, expiresAtMs: expiresAt * 1000 });
  const isFree = seat.plan === "free";
  return Response.json({
    annotations_enabled: true,
    chat_enabled: true,
    code_quote_enabled: true,
    copilotignore_enabled: false,
    endpoints: endpointsOf(ctx, seat),
    expires_at: expiresAt,
    individual: seat.plan !== "business",
    limited_user_quotas: isFree
      ? { chat: remainingOf(state.premiumSpent, user, seat), completions: 4000 }
      : null,
    limited_user_reset_date: isFree ? Math.floor(nextMonthMs(now) / 1000) : null,
    organization_list: seat.plan === "business" ? ["7ea0000000000000000000000000000e"] : null,
    prompt_8k: true,
    public_suggestions: "disabled",
    // The real server says 1500 for a token of 1800 seconds.
    refresh_in: Math.floor(ctx.accessTokenSeconds * 5 / 6),
    sku: seat.sku,
    telemetry: "disabled",
    token,
    tracking_id: trackingIdOf(user),
  });
}

function refuseSeat(user: SandboxUser): Response {
  const suspended = user.copilotSeat === "suspended";
  const message = suspended
    ? `Contact Support. You are currently logged in as ${user.name}.`
    : `No access to GitHub Copilot found. You are currently logged in as ${user.name}.`;
  return Response.json({
    can_signup_for_limited: false,
    error_details: {
      url: suspended
        ? "https://support.github.com"
        : "https://github.com/github-copilot/signup?editor={EDITOR}",
      message,
      title: suspended ? "Contact Support" : "Signup for GitHub Copilot",
      notification_id: suspended ? "spammy_user" : "no_copilot_access",
    },
    message: "Resource not accessible by integration",
  }, { status: 403 });
}

/** Tokens that expired over a day ago are nobody's any more. */
function forgetOldTokens(ctx: SandboxContext, state: GithubState): void {
  const limit = ctx.now() - 24 * 3600 * 1000;
  for (const [token, { expiresAtMs }] of state.copilotTokens) {
    if (expiresAtMs < limit) state.copilotTokens.delete(token);
  }
}

function printCopilotToken(
  ctx: SandboxContext,
  user: SandboxUser,
  seat: CopilotSeat,
  expiresAt: number,
): string {
  const claims = [
    `tid=${trackingIdOf(user)}`,
    `exp=${expiresAt}`,
    `sku=${seat.sku}`,
    `proxy-ep=proxy.${seat.host}.githubcopilot.invalid`,
    "st=dotcom",
    "ssc=1",
    "chat=1",
    "cit=1",
    "malfil=1",
    "agent_mode=1",
    "mcp=1",
    "8kp=1",
    "ip=127.0.0.1",
    "asn=AS0",
  ];
  return `${claims.join(";")}:${hexDigest(ctx.token("", "copilot token"))}`;
}

function answerQuota(ctx: SandboxContext, state: GithubState, user: SandboxUser): Response {
  const seat = seatOf(user);
  if (seat === null) {
    return Response.json({ copilot_plan: "free", chat_enabled: false, can_signup_for_limited: false });
  }
  const reset = new Date(nextMonthMs(ctx.now())).toISOString();
  const remaining = remainingOf(state.premiumSpent, user, seat);
  const common = {
    access_type_sku: seat.sku,
    analytics_tracking_id: trackingIdOf(user),
    assigned_date: "2026-01-05T09:00:00Z",
    can_signup_for_limited: false,
    chat_enabled: true,
    cli_enabled: true,
    copilot_plan: seat.plan,
    organization_login_list: seat.plan === "business" ? ["example-team"] : [],
    endpoints: endpointsOf(ctx, seat),
  };
  if (seat.plan === "free") {
    return Response.json({
      ...common,
      monthly_quotas: { chat: seat.entitlement, completions: 4000 },
      limited_user_quotas: { chat: remaining, completions: 4000 },
      limited_user_reset_date: reset.slice(0, 10),
    });
  }
  const snapshot = (id: string, members: Readonly<Record<string, unknown>>) => ({
    quota_id: id,
    overage_count: 0,
    overage_permitted: false,
    timestamp_utc: new Date(ctx.now()).toISOString(),
    ...members,
  });
  const unlimited = {
    entitlement: -1,
    remaining: -1,
    quota_remaining: -1,
    percent_remaining: 100,
    unlimited: true,
  };
  return Response.json({
    ...common,
    quota_reset_date: reset.slice(0, 10),
    quota_reset_date_utc: reset,
    quota_snapshots: {
      chat: snapshot("chat", unlimited),
      completions: snapshot("completions", unlimited),
      premium_interactions: snapshot("premium_interactions", {
        entitlement: seat.entitlement,
        remaining,
        quota_remaining: remaining,
        percent_remaining: remaining / seat.entitlement * 100,
        unlimited: false,
      }),
    },
  });
}

function endpointsOf(ctx: SandboxContext, seat: CopilotSeat): Readonly<Record<string, string>> {
  const host = (name: string) => `https://${name}.${seat.host}.githubcopilot.invalid`;
  return {
    api: `${ctx.origin()}/copilot/${seat.host}`,
    "origin-tracker": host("origin-tracker"),
    proxy: host("proxy"),
    telemetry: host("telemetry"),
  };
}

function trackingIdOf(user: SandboxUser): string {
  return hexDigest(`tracking ${user.githubId}`).slice(0, 32);
}

function hexDigest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function restError(
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(
    { message, documentation_url: "https://docs.github.com/rest", status: String(status) },
    {
      status,
      headers,
    },
  );
}

/** The REST API's typical answer for a scripted status. */
function typicalFailure(status: number): Response {
  switch (status) {
    case 401:
      return restError(401, "Bad credentials");
    case 403:
      return restError(403, "API rate limit exceeded for user ID 1001.", { "x-ratelimit-remaining": "0" });
    case 404:
      return restError(404, "Not Found");
    case 429:
      return restError(429, "You have exceeded a secondary rate limit.", { "retry-after": "60" });
    default:
      return restError(status, "Server Error");
  }
}
