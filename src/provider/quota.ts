/**
 * What is left of a subscription, in one form for the three providers. Each of them tells other parts of it: a member
 * that its provider did not tell is undefined, and no value is guessed.
 *
 * @module
 */
import { finiteNumber } from "../wire/json.ts";

/** A period in which a provider counts use. */
export interface QuotaWindow {
  /** What people call it: `5h`, `weekly`, `30d`, `monthly`. */
  readonly label?: string | undefined;
  /** The share that is used, 0 to 100. */
  readonly usedPercent?: number | undefined;
  /** How long the window is, seconds. */
  readonly windowSeconds?: number | undefined;
  /** When it starts anew, milliseconds since the epoch. */
  readonly resetsAtMs?: number | undefined;
  /** How many requests a full window has, where the provider counts requests and not shares. */
  readonly requestLimit?: number | undefined;
  /** How many of them are left; never negative, and may be a fraction where models weigh differently. */
  readonly requestsRemaining?: number | undefined;
}

/** A limit with its own windows. */
export interface QuotaLimit {
  /** What the provider calls it, e.g. `codex`, `premium_interactions`. */
  readonly name: string;
  /** Whether the provider lets calls through at present. */
  readonly allowed?: boolean | undefined;
  /** Whether a window is used up. */
  readonly reached?: boolean | undefined;
  /** True when nothing is counted. */
  readonly unlimited?: boolean | undefined;
  /** Whether calls beyond the limit are let through and billed. */
  readonly overagePermitted?: boolean | undefined;
  /** The shortest window first. */
  readonly windows: readonly QuotaWindow[];
}

/** What can be spent beyond the windows. */
export interface QuotaCredits {
  /** What the amounts count. */
  readonly unit: "credits" | "usd_cents";
  /** What is left of what was bought ahead. */
  readonly balance?: number | undefined;
  /** True when there is no end to it. */
  readonly unlimited?: boolean | undefined;
  /** How much may be billed on top. */
  readonly onDemandLimit?: number | undefined;
  /** How much was billed on top in this period. */
  readonly onDemandUsed?: number | undefined;
}

/** The quota of an account. */
export interface Quota {
  /** The plan in the provider's own words. */
  readonly plan?: string | undefined;
  /** The limit that model calls draw on. */
  readonly main?: QuotaLimit | undefined;
  /** Limits of single models and features. */
  readonly additional: readonly QuotaLimit[];
  /** Why calls are refused at present, as a code of the provider. */
  readonly reachedType?: string | undefined;
  /** Means beyond the windows. */
  readonly credits?: QuotaCredits | undefined;
}

/** `value` as a share between 0 and 100, also from a decimal string; undefined when it is no number. */
export function percentage(value: unknown): number | undefined {
  const number = finiteNumber(value);
  return number === undefined ? undefined : Math.min(100, Math.max(0, number));
}

/** `value` when it is true or false: everything else tells nothing. */
export function flag(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

/** An ISO 8601 time or date in milliseconds since the epoch; a date is its first moment in UTC. */
export function timeOf(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** What people call a window of this length: `weekly`, or its number of days, hours or minutes. */
export function windowLabel(seconds: number): string {
  if (seconds === 7 * 86_400) return "weekly";
  if (seconds % 86_400 === 0) return `${seconds / 86_400}d`;
  return seconds % 3600 === 0 ? `${seconds / 3600}h` : `${Math.ceil(seconds / 60)}m`;
}
