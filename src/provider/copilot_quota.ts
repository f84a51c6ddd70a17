/**
 * What is left of a Copilot seat: as a document of GitHub's REST API, and as headers of every answer
 * (github-copilot.md section 8).
 *
 * @module
 */
import {
  finiteNumber,
  isObject,
  type JsonObject,
  nonEmptyString,
  objectOrEmpty,
  parseObject,
} from "../wire/json.ts";
import { requestLimitHeaders } from "../wire/rate_limit_headers.ts";
import { flag, percentage, type Quota, type QuotaLimit, timeOf } from "./quota.ts";
import { isErrorDocument } from "./upstream_error.ts";

/** Reads the document of `/copilot_internal/user`; undefined when the text is none. Every member may be missing. */
export function readCopilotQuota(text: string): Quota | undefined {
  const document = parseObject(text);
  if (document === undefined || isErrorDocument(document)) return undefined;
  const plan = nonEmptyString(document["copilot_plan"]);
  const { quota_snapshots: snapshots } = document;
  const limits = isObject(snapshots)
    ? readSnapshots(snapshots, resetTime(document))
    : readFreeCounts(document, resetTime(document));
  // The free plan counts chats, the paid ones premium requests.
  const mainName = plan === "free" || !isObject(snapshots) ? "chat" : "premium_interactions";
  return {
    plan,
    main: limits.find(({ name }) => name === mainName),
    additional: limits.filter(({ name }) => name !== mainName),
  };
}

function resetTime(document: JsonObject): number | undefined {
  return timeOf(document["quota_reset_date_utc"]) ?? timeOf(document["quota_reset_date"]) ??
    timeOf(document["limited_user_reset_date"]);
}

function readSnapshots(snapshots: JsonObject, resetsAtMs: number | undefined): readonly QuotaLimit[] {
  return Object.entries(snapshots)
    .map(([name, snapshot]) => isObject(snapshot) ? readSnapshot(name, snapshot, resetsAtMs) : undefined)
    .filter((limit) => limit !== undefined);
}

function readSnapshot(
  name: string,
  snapshot: JsonObject,
  resetsAtMs: number | undefined,
): QuotaLimit | undefined {
  const entitlement = finiteNumber(snapshot["entitlement"]);
  if (snapshot["unlimited"] === true || entitlement === -1) return { name, unlimited: true, windows: [] };
  // Seats that are billed by tokens have no quota; theirs is a row of zeros, which must not look used up.
  if (entitlement === 0) return undefined;
  const counted = finiteNumber(snapshot["quota_remaining"]) ?? finiteNumber(snapshot["remaining"]);
  const left = percentage(snapshot["percent_remaining"]) ?? shareLeft(entitlement, counted);
  if (left === undefined) return undefined;
  return monthly(name, { left, limit: entitlement, remaining: counted, resetsAtMs }, {
    overagePermitted: flag(snapshot["overage_permitted"]),
  });
}

/** The free plan tells two lists instead of snapshots: what a month has, and what is left of it. */
function readFreeCounts(document: JsonObject, resetsAtMs: number | undefined): readonly QuotaLimit[] {
  const quotas = objectOrEmpty(document["monthly_quotas"]);
  return Object.entries(objectOrEmpty(document["limited_user_quotas"])).flatMap(([name, value]) => {
    const limit = finiteNumber(quotas[name]);
    const remaining = finiteNumber(value);
    const left = shareLeft(limit, remaining);
    return left === undefined ? [] : [monthly(name, { left, limit, remaining, resetsAtMs })];
  });
}

function shareLeft(limit: number | undefined, remaining: number | undefined): number | undefined {
  if (limit === undefined || limit <= 0 || remaining === undefined) return undefined;
  return percentage(remaining / limit * 100);
}

interface Month {
  /** Percent. */
  readonly left: number;
  readonly limit: number | undefined;
  readonly remaining: number | undefined;
  readonly resetsAtMs: number | undefined;
}

function monthly(
  name: string,
  { left, limit, remaining, resetsAtMs }: Month,
  more: Partial<QuotaLimit> = {},
): QuotaLimit {
  return {
    name,
    reached: left === 0,
    ...more,
    windows: [{
      label: "monthly",
      usedPercent: 100 - left,
      resetsAtMs,
      requestLimit: limit,
      requestsRemaining: remaining === undefined ? undefined : Math.max(0, remaining),
    }],
  };
}

/** The snapshots that a call may draw on, in the order in which one is looked for. */
const snapshotNames: readonly string[] = Object.freeze(["premium_interactions", "premium_models", "chat"]);

/**
 * The first snapshot with a limit as OpenAI's headers, in requests: premium requests on paid plans, chats on the free one.
 * Empty when the answer tells none, or nothing is limited.
 */
export function copilotQuotaHeaders(headers: Headers, nowMs: number): Record<string, string> {
  for (const name of snapshotNames) {
    const snapshot = new URLSearchParams(headers.get(`x-quota-snapshot-${name}`) ?? "");
    const limit = finiteNumber(snapshot.get("ent")) ?? 0;
    const left = percentage(snapshot.get("rem"));
    // -1 stands for unlimited, and 0 for a seat that is billed by tokens.
    if (limit <= 0 || left === undefined) continue;
    const resetsAtMs = timeOf(snapshot.get("rst"));
    return requestLimitHeaders({
      limit,
      remaining: limit * left / 100,
      resetSeconds: resetsAtMs === undefined ? undefined : (resetsAtMs - nowMs) / 1000,
    });
  }
  return {};
}
