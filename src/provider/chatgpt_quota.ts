/**
 * ChatGPT's usage windows: as a document, and as headers of every answer (chatgpt-codex.md sections 5.1 and 7).
 *
 * A window is known by its length and never by its slot: which of them is `primary` depends on the plan and changes.
 *
 * @module
 */
import { finiteNumber, isObject, type JsonObject, nonEmptyString, parseObject } from "../wire/json.ts";
import { requestLimitHeaders } from "../wire/rate_limit_headers.ts";
import {
  flag,
  percentage,
  type Quota,
  type QuotaCredits,
  type QuotaLimit,
  type QuotaWindow,
  windowLabel,
} from "./quota.ts";
import { safeCode } from "../wire/safe_text.ts";
import { isErrorDocument } from "./upstream_error.ts";

/** Reads the document of `/wham/usage`; undefined when the text is none. Every member may be null or missing. */
export function readChatGptQuota(text: string, nowMs: number): Quota | undefined {
  const document = parseObject(text);
  if (document === undefined || isErrorDocument(document)) return undefined;
  const { additional_rate_limits: families, rate_limit_reached_type: reached } = document;
  return {
    plan: nonEmptyString(document["plan_type"]),
    main: readLimit("codex", document["rate_limit"], nowMs),
    additional: [
      readLimit("code_review", document["code_review_rate_limit"], nowMs),
      ...(Array.isArray(families) ? families : []).map((family: unknown) => readFamily(family, nowMs)),
      readSpendControl(document["spend_control"], nowMs),
    ].filter((limit) => limit !== undefined),
    reachedType: safeCode(isObject(reached) ? reached["type"] : reached, []),
    credits: readCredits(document["credits"]),
  };
}

function readFamily(family: unknown, nowMs: number): QuotaLimit | undefined {
  if (!isObject(family)) return undefined;
  const name = nonEmptyString(family["limit_name"]) ?? nonEmptyString(family["metered_feature"]);
  return name === undefined ? undefined : readLimit(name, family["rate_limit"], nowMs);
}

function readLimit(name: string, limit: unknown, nowMs: number): QuotaLimit | undefined {
  if (!isObject(limit)) return undefined;
  const windows = [limit["primary_window"], limit["secondary_window"]]
    .map((window) => readWindow(window, nowMs))
    .filter((window) => window !== undefined)
    .sort((one, other) => (one.windowSeconds ?? Infinity) - (other.windowSeconds ?? Infinity));
  const allowed = flag(limit["allowed"]);
  const reached = flag(limit["limit_reached"]);
  const tellsNothing = windows.length === 0 && allowed === undefined && reached === undefined;
  return tellsNothing ? undefined : { name, allowed, reached, windows };
}

function readWindow(window: unknown, nowMs: number): QuotaWindow | undefined {
  if (!isObject(window)) return undefined;
  const seconds = finiteNumber(window["limit_window_seconds"]) ?? 0;
  const usedPercent = percentage(window["used_percent"]);
  const resetsAtMs = resetTime(window, nowMs);
  // Empty slots are sent as windows of no length.
  if (seconds <= 0 && (usedPercent ?? 0) === 0 && resetsAtMs === undefined) return undefined;
  return {
    label: seconds > 0 ? windowLabel(seconds) : undefined,
    usedPercent,
    windowSeconds: seconds > 0 ? seconds : undefined,
    resetsAtMs,
  };
}

/** The workspace's or the person's own cap on spending. Its amounts have no unit, so only the share is told. */
function readSpendControl(control: unknown, nowMs: number): QuotaLimit | undefined {
  if (!isObject(control)) return undefined;
  const { reached, individual_limit: cap } = control;
  if (!isObject(cap)) {
    return reached === true ? { name: "spend_control", reached, windows: [] } : undefined;
  }
  const remaining = percentage(cap["remaining_percent"]);
  const usedPercent = percentage(cap["used_percent"]) ??
    (remaining === undefined ? undefined : 100 - remaining);
  const window = { usedPercent, resetsAtMs: resetTime(cap, nowMs) };
  return { name: "spend_control", reached: flag(reached), windows: [window] };
}

function resetTime(window: JsonObject, nowMs: number): number | undefined {
  const at = finiteNumber(window["reset_at"]) ?? 0;
  if (at > 0) return at * 1000;
  const after = finiteNumber(window["reset_after_seconds"]) ?? 0;
  return after > 0 ? nowMs + after * 1000 : undefined;
}

function readCredits(credits: unknown): QuotaCredits | undefined {
  if (!isObject(credits)) return undefined;
  const balance = finiteNumber(credits["balance"]);
  const unlimited = flag(credits["unlimited"]);
  return balance === undefined && unlimited === undefined
    ? undefined
    : { unit: "credits", balance, unlimited };
}

/**
 * The tightest window as OpenAI's headers, in percent because ChatGPT counts no requests: `limit` is 100, `remaining` the
 * share that is left. Of two that are as tight, the later reset counts. Empty when the answer tells no window.
 */
export function chatGptQuotaHeaders(headers: Headers, nowMs: number): Record<string, string> {
  const windows = headerWindows(headers, nowMs);
  const [tightest] = windows.sort((one, other) =>
    other.usedPercent - one.usedPercent || (other.resetSeconds ?? 0) - (one.resetSeconds ?? 0)
  );
  if (tightest === undefined) return {};
  const { usedPercent, resetSeconds } = tightest;
  return requestLimitHeaders({ limit: 100, remaining: 100 - usedPercent, resetSeconds });
}

interface HeaderWindow {
  readonly usedPercent: number;
  readonly resetSeconds: number | undefined;
}

/** The windows of the limit that the call drew on, which some models have for themselves. */
function headerWindows(headers: Headers, nowMs: number): HeaderWindow[] {
  const active = /^[a-z0-9_-]{1,64}$/i.exec(headers.get("x-codex-active-limit") ?? "")?.[0];
  const own = active === undefined ? [] : windowsOfLimit(headers, active.replaceAll("_", "-"), nowMs);
  return own.length > 0 ? own : windowsOfLimit(headers, "codex", nowMs);
}

function windowsOfLimit(headers: Headers, limit: string, nowMs: number): HeaderWindow[] {
  return ["primary", "secondary"].flatMap((slot) => {
    const read = (name: string) => finiteNumber(headers.get(`x-${limit}-${slot}-${name}`));
    const usedPercent = percentage(read("used-percent"));
    const resetAt = read("reset-at") ?? 0;
    const resetAfter = read("reset-after-seconds") ?? 0;
    const isEmptySlot = usedPercent === 0 && (read("window-minutes") ?? 0) <= 0 && resetAt + resetAfter <= 0;
    if (usedPercent === undefined || isEmptySlot) return [];
    const untilReset = resetAt > 0 ? resetAt - nowMs / 1000 : resetAfter;
    return [{ usedPercent, resetSeconds: resetAt + resetAfter > 0 ? Math.max(0, untilReset) : undefined }];
  });
}
