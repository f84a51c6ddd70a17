/**
 * What is left of a Grok subscription: the pool of the running week, the plan, and the limits that come as headers of
 * every answer (xai-grok.md section 6).
 *
 * @module
 */
import { finiteNumber, isObject, nonEmptyString, objectOrEmpty, parseObject } from "../wire/json.ts";
import { rateLimitHeaderNames } from "../wire/rate_limit_headers.ts";
import { percentage, type Quota, type QuotaCredits, type QuotaWindow, timeOf, windowLabel } from "./quota.ts";
import { isErrorDocument } from "./upstream_error.ts";

/** The words of `subscriptionTier` that do not say what people know the plan by. */
const planNames: Readonly<Record<string, string>> = Object.freeze({
  GrokPro: "supergrok",
  SuperGrokPro: "supergrok_heavy",
  SuperGrokLite: "supergrok_lite",
  SuperGrokPlus: "supergrok_plus",
  XBasic: "x_basic",
  XPremium: "x_premium",
  XPremiumPlus: "x_premium_plus",
});

/** Reads the document of `/billing?format=credits`; undefined when the text is none. Every member may be missing. */
export function readGrokQuota(text: string): Quota | undefined {
  const document = parseObject(text);
  if (document === undefined || isErrorDocument(document)) return undefined;
  const config = objectOrEmpty(document["config"]);
  const window = readPool(config);
  const reached = window?.usedPercent === undefined ? undefined : window.usedPercent >= 100;
  return {
    plan: planName(document["subscriptionTier"]),
    main: window === undefined ? undefined : { name: "subscription", reached, windows: [window] },
    // `productUsage` only says which product used the one pool how much: its entries are no limits.
    additional: [],
    credits: readCredits(config),
  };
}

/** The plan that `/user?include=subscription` tells: `free` without a tier, undefined when the text is no such document. */
export function readGrokPlan(text: string): string | undefined {
  const document = parseObject(text);
  if (document === undefined || isErrorDocument(document)) return undefined;
  return planName(document["subscriptionTier"]) ?? "free";
}

function planName(tier: unknown): string | undefined {
  const name = nonEmptyString(tier);
  return name !== undefined && Object.hasOwn(planNames, name) ? planNames[name] : name;
}

function readPool(config: Readonly<Record<string, unknown>>): QuotaWindow | undefined {
  const period = objectOrEmpty(config["currentPeriod"]);
  const startMs = timeOf(period["start"]) ?? timeOf(config["billingPeriodStart"]);
  const resetsAtMs = timeOf(period["end"]) ?? timeOf(config["billingPeriodEnd"]);
  const usedPercent = percentage(config["creditUsagePercent"]);
  if (resetsAtMs === undefined && usedPercent === undefined) return undefined;
  const seconds = startMs === undefined || resetsAtMs === undefined ? 0 : (resetsAtMs - startMs) / 1000;
  return {
    label: seconds > 0 ? windowLabel(seconds) : undefined,
    usedPercent,
    windowSeconds: seconds > 0 ? seconds : undefined,
    resetsAtMs,
  };
}

function readCredits(config: Readonly<Record<string, unknown>>): QuotaCredits | undefined {
  const balance = cents(config["prepaidBalance"]);
  const onDemandLimit = cents(config["onDemandCap"]);
  const onDemandUsed = cents(config["onDemandUsed"]);
  if (balance === undefined && onDemandLimit === undefined && onDemandUsed === undefined) return undefined;
  return { unit: "usd_cents", balance, onDemandLimit, onDemandUsed };
}

/** `{val}` in US cents; zero is also sent as an empty object. */
function cents(amount: unknown): number | undefined {
  if (!isObject(amount)) return undefined;
  return "val" in amount ? finiteNumber(amount["val"]) : 0;
}

/** Grok speaks OpenAI's headers itself: they are passed on, as far as they have the look of a number or a duration. */
export function grokQuotaHeaders(headers: Headers): Record<string, string> {
  return Object.fromEntries(rateLimitHeaderNames.flatMap((name) => {
    const value = headers.get(name)?.trim() ?? "";
    return /^[0-9][0-9a-z.]{0,31}$/.test(value) ? [[name, value]] : [];
  }));
}
