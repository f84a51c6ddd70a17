/**
 * ChatGPT's usage windows as the simulator tells them: in headers on every answer, in `/wham/usage`, in the event
 * `codex.rate_limits`, and in the refusal when a window is used up. The windows follow from the person and the clock.
 *
 * Source: the facts page on ChatGPT, sections 4.4, 5, 5.1 and 7.
 *
 * @module
 */
import type { SandboxUser } from "./contract.ts";
import type { Members } from "./members.ts";

interface Window {
  readonly usedPercent: number;
  readonly minutes: number;
  /** Unix seconds. */
  readonly resetAt: number;
  readonly resetAfterSeconds: number;
}

interface Windows {
  readonly primary: Window;
  /** Free plans have one window only. */
  readonly secondary: Window | null;
}

const MINUTES = Object.freeze({ fiveHours: 300, week: 10_080, month: 43_200 });

/** The headers `x-codex-...`, on 200 and on refusals alike. */
export function limitHeaders(user: SandboxUser, nowMs: number): Readonly<Record<string, string>> {
  const { primary, secondary } = windowsOf(user, nowMs);
  const headers: Record<string, string> = {
    "x-codex-active-limit": "codex",
    "x-codex-plan-type": user.chatgptPlan,
    "x-codex-credits-has-credits": "False",
    "x-codex-credits-unlimited": "False",
    "x-codex-credits-balance": "",
    ...(isUsedUp(user) ? { "x-codex-rate-limit-reached-type": "rate_limit_reached" } : {}),
  };
  for (const [slot, window] of [["primary", primary], ["secondary", secondary]] as const) {
    if (window === null) continue;
    headers[`x-codex-${slot}-used-percent`] = window.usedPercent.toFixed(1);
    headers[`x-codex-${slot}-window-minutes`] = String(window.minutes);
    headers[`x-codex-${slot}-reset-at`] = String(window.resetAt);
    headers[`x-codex-${slot}-reset-after-seconds`] = String(window.resetAfterSeconds);
  }
  return headers;
}

/** The document of `GET /wham/usage`. */
export function usageDocument(user: SandboxUser, nowMs: number): Members {
  const { primary, secondary } = windowsOf(user, nowMs);
  const printed = (window: Window | null) =>
    window === null ? null : {
      used_percent: window.usedPercent,
      limit_window_seconds: window.minutes * 60,
      reset_after_seconds: window.resetAfterSeconds,
      reset_at: window.resetAt,
    };
  const reached = isUsedUp(user);
  return {
    plan_type: user.chatgptPlan,
    rate_limit: {
      allowed: !reached,
      limit_reached: reached,
      primary_window: printed(primary),
      secondary_window: printed(secondary),
    },
    code_review_rate_limit: null,
    additional_rate_limits: [],
    credits: {
      has_credits: false,
      unlimited: false,
      overage_limit_reached: false,
      balance: "0",
      approx_local_messages: [0, 0],
      approx_cloud_messages: [0, 0],
    },
    spend_control: { reached: false, individual_limit: null },
    rate_limit_reached_type: reached ? { type: "rate_limit_reached" } : null,
    rate_limit_reset_credits: { available_count: 0 },
    promo: null,
  };
}

/** The event that may come before `response.created`. */
export function rateLimitsEvent(user: SandboxUser, nowMs: number): { readonly type: string } & Members {
  const { primary, secondary } = windowsOf(user, nowMs);
  const printed = (window: Window | null) =>
    window === null
      ? null
      : { used_percent: window.usedPercent, window_minutes: window.minutes, reset_at: window.resetAt };
  return {
    type: "codex.rate_limits",
    plan_type: user.chatgptPlan,
    rate_limits: {
      allowed: !isUsedUp(user),
      limit_reached: isUsedUp(user),
      primary: printed(primary),
      secondary: printed(secondary),
    },
    code_review_rate_limits: null,
    credits: { has_credits: false, unlimited: false, balance: "0" },
    promo: null,
  };
}

/** True when calls are refused until the reset. */
export function isUsedUp(user: SandboxUser): boolean {
  return user.exhausted === true;
}

/** The body of the 429. There is no `Retry-After` beside it: none was ever seen. */
export function limitReachedBody(user: SandboxUser, nowMs: number): Members {
  const { primary } = windowsOf(user, nowMs);
  return {
    error: {
      type: "usage_limit_reached",
      message: "The usage limit has been reached",
      plan_type: user.chatgptPlan,
      resets_at: primary.resetAt,
      eligible_promo: null,
      resets_in_seconds: primary.resetAfterSeconds,
    },
  };
}

function windowsOf(user: SandboxUser, nowMs: number): Windows {
  const usedPercent = isUsedUp(user) ? 100 : 12;
  return user.chatgptPlan === "free"
    ? { primary: window(MINUTES.month, usedPercent, nowMs), secondary: null }
    : { primary: window(MINUTES.fiveHours, usedPercent, nowMs), secondary: window(MINUTES.week, 5, nowMs) };
}

/** The window of a fixed grid that `nowMs` falls into. */
function window(minutes: number, usedPercent: number, nowMs: number): Window {
  const now = Math.floor(nowMs / 1000);
  const seconds = minutes * 60;
  const resetAt = (Math.floor(now / seconds) + 1) * seconds;
  return { usedPercent, minutes, resetAt, resetAfterSeconds: resetAt - now };
}
