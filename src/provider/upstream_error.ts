/**
 * Every way in which an upstream says no, read into one {@linkcode UpstreamError}: OpenAI's envelope, `{"detail"}`, flat
 * `{code, error}`, JSON sent as text/plain, a bare JSON string, bare text, a challenge page, nothing at all
 * (chatgpt-codex.md section 5, xai-grok.md section 9, github-copilot.md section 12).
 *
 * @module
 */
import { finiteNumber, isObject, type JsonObject, nonEmptyString } from "../wire/json.ts";
import { readTextPrefix } from "./bounded_body.ts";
import type { UpstreamAnswer } from "./http_sender.ts";
import type { UpstreamError } from "./provider.ts";
import { plausibleWait, retryAfterSeconds } from "./retry_after.ts";
import { safeCode, safeSentence } from "../wire/safe_text.ts";

/** The most of an error body that is read, bytes. */
const maxErrorBodyBytes = 64 * 1024;

/** The most of an upstream's sentence that a client is shown, characters. */
const maxSentenceChars = 1000;

/** A body that is no JSON is only repeated when it is a short line: longer ones are pages or dumps. */
const maxBareTextChars = 300;

/** What differs between the upstreams, and what must not be repeated. */
export interface RefusalRules {
  /** The provider's name in our own sentences, e.g. `ChatGPT`. */
  readonly upstreamName: string;
  /** The secrets that the call carried; they are removed from whatever is repeated. */
  readonly secrets: readonly string[];
  /** Whether this status and code mean that the access token was refused. */
  readonly isAccessRejected: (status: number, code: string | null) => boolean;
  /** True where a 404 without a body comes from the gate in front of the upstream (ChatGPT). */
  readonly emptyNotFoundIsBlock?: boolean;
}

/** The error for an upstream that could not be reached, or broke off before its headers. */
export function unreachable(rules: RefusalRules): UpstreamError {
  const error = ownError(
    502,
    "upstream_unreachable",
    `${rules.upstreamName} could not be reached. Try again.`,
  );
  return { ...error, transient: true };
}

/** The error for an upstream that did not answer in time. */
export function timedOut(rules: RefusalRules): UpstreamError {
  return ownError(504, "upstream_timeout", `${rules.upstreamName} did not answer in time. Try again.`);
}

/** The error for a success that is none: a page, a redirect, an empty body, a document of another shape. */
export function unintelligible(rules: RefusalRules): UpstreamError {
  return ownError(
    502,
    "upstream_invalid_response",
    `${rules.upstreamName} sent an answer that makes no sense. Try again.`,
  );
}

/** Judges a refusal (any status from 300). Reads at most 64 KiB of its body and releases it. */
export async function judgeRefusal(
  { status, headers, body }: UpstreamAnswer,
  rules: RefusalRules,
  nowMs: number,
): Promise<UpstreamError> {
  const text = await readTextPrefix(body, maxErrorBodyBytes);
  return readRefusal(status, headers, text, rules, nowMs);
}

/**
 * The error of an answer whose body is `text`. A status that is no error (Grok sends errors with 200) is replaced by the
 * one that the code stands for, and 502 when it stands for none.
 */
export function readRefusal(
  status: number,
  headers: Headers,
  text: string,
  rules: RefusalRules,
  nowMs: number,
): UpstreamError {
  if (isBlock(status, headers, text, rules)) {
    const error = ownError(
      503,
      "upstream_challenge",
      `The gate in front of ${rules.upstreamName} stopped the request. Try again in a while.`,
    );
    return withRetry(error, retryAfterSeconds(headers, nowMs));
  }
  const fields = readFields(text, headers);
  const slug = /\[WKE=([\w.:-]+)\]/.exec(fields.message ?? "")?.[1];
  const code = safeCode(slug, rules.secrets) ?? safeCode(fields.code, rules.secrets) ??
    (generalTypes.has(fields.type) ? undefined : safeCode(fields.type, rules.secrets)) ?? null;
  const clientStatus = status >= 400 && status <= 599 ? status : statusOfDocument(fields);
  const sentence = safeSentence(
    fields.message?.replace(/\[WKE=[\w.:-]+\]/g, ""),
    rules.secrets,
    maxSentenceChars,
  );
  const error: UpstreamError = {
    status: clientStatus,
    type: errorType(clientStatus),
    code,
    param: safeSentence(fields.param, rules.secrets, 200) ?? null,
    message: sentence ??
      `${rules.upstreamName} refused the request with status ${status} and gave no reason.`,
    accessRejected: rules.isAccessRejected(clientStatus, code),
    transient: isTransient(clientStatus, headers),
  };
  return withRetry(
    error,
    retryAfterSeconds(headers, nowMs) ?? waitOfFields(fields, headers, clientStatus, nowMs),
  );
}

/** True when a document that came with a success status is an error all the same (Grok, also for streams). */
export function isErrorDocument(document: JsonObject): boolean {
  if ("object" in document || "choices" in document || "output" in document || "data" in document) {
    return false;
  }
  const { code, error } = document;
  if ((typeof code === "string" || typeof code === "number") && typeof document["message"] === "string") {
    return true;
  }
  return isObject(error) || nonEmptyString(error) !== undefined ||
    nonEmptyString(document["detail"]) !== undefined;
}

/**
 * Whether the upstreams' own clients try again at once: on 5xx, except where Cloudflare cannot speak TLS with the upstream,
 * unless the answer says otherwise (facts xai-grok 9, chatgpt-codex 4.1). A named wait is for the caller to decide.
 */
function isTransient(status: number, headers: Headers): boolean {
  if (headers.has("retry-after")) return false;
  const told = headers.get("x-should-retry");
  if (told === "true" || told === "false") return told === "true" && status >= 500;
  return status >= 500 && status !== 525 && status !== 526;
}

/** OpenAI's `error.type` for a status; total. */
export function errorType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 402) return "insufficient_quota";
  if (status === 403) return "permission_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

/** `error.type` values that only repeat the status: they are no code. */
const generalTypes: ReadonlySet<unknown> = new Set([
  undefined,
  "api_error",
  "authentication_error",
  "error",
  "invalid_request_error",
  "permission_error",
  "rate_limit_error",
  "server_error",
]);

interface Fields {
  readonly message?: string | undefined;
  readonly code?: unknown;
  readonly type?: unknown;
  readonly param?: unknown;
  /** Unix seconds. */
  readonly resetsAt?: unknown;
  readonly resetsInSeconds?: unknown;
}

function readFields(text: string, headers: Headers): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { message: bareText(text, headers) };
  }
  if (typeof value === "string") return { message: value };
  if (!isObject(value)) return {};
  const { error, detail } = value;
  if (isObject(error)) return fieldsOf(error);
  if (typeof error === "string") {
    // Flat: `error` is the sentence (Grok), or the code when a sentence stands beside it (OAuth style).
    const beside = nonEmptyString(value["error_description"]) ?? nonEmptyString(value["message"]);
    return { ...fieldsOf(value), message: beside ?? error, code: value["code"] ?? (beside && error) };
  }
  if (isObject(detail)) return fieldsOf(detail);
  return fieldsOf(value);
}

function fieldsOf(from: JsonObject): Fields {
  const details = isObject(from["error_details"]) ? from["error_details"] : {};
  return {
    message: nonEmptyString(from["message"]) ?? nonEmptyString(from["error"]) ??
      nonEmptyString(from["detail"]) ??
      nonEmptyString(details["message"]),
    code: from["code"],
    type: from["type"],
    param: from["param"],
    resetsAt: from["resets_at"],
    resetsInSeconds: from["resets_in_seconds"],
  };
}

function bareText(text: string, headers: Headers): string | undefined {
  const line = text.trim();
  const isText = (headers.get("content-type") ?? "text/plain").startsWith("text/plain");
  return isText && line.length <= maxBareTextChars && !/[\r\n<]/.test(line) ? line : undefined;
}

/** Cloudflare's challenge or block page; it says nothing about the account or the token. */
function isBlock(status: number, headers: Headers, text: string, rules: RefusalRules): boolean {
  if (headers.has("cf-mitigated")) return true;
  if (status === 403) {
    return (headers.get("content-type") ?? "").startsWith("text/html") || /^\s*<(!doctype|html)/i.test(text);
  }
  return status === 404 && rules.emptyNotFoundIsBlock === true && text.trim() === "";
}

function statusOfDocument(fields: Fields): number {
  const words = `${String(fields.code ?? "")} ${fields.message ?? ""}`.toLowerCase();
  if (words.startsWith("unauthenticated")) return 401;
  if (/exhausted|rate.?limit|too many/.test(words)) return 429;
  return /unavailable|overloaded/.test(words) ? 503 : 502;
}

function waitOfFields(fields: Fields, headers: Headers, status: number, nowMs: number): number | undefined {
  const resetsIn = finiteNumber(fields.resetsInSeconds);
  if (resetsIn !== undefined) return plausibleWait(resetsIn);
  const resetsAt = finiteNumber(fields.resetsAt);
  if (resetsAt !== undefined) return plausibleWait(resetsAt - nowMs / 1000);
  return status === 429 ? waitOfWindows(headers, nowMs) ?? waitOfSentence(fields.message ?? "") : undefined;
}

/** The longest reset among the used-up windows of `x-codex-*` (chatgpt-codex.md section 5.1). */
function waitOfWindows(headers: Headers, nowMs: number): number | undefined {
  let longest: number | undefined;
  for (const slot of ["primary", "secondary"]) {
    const used = finiteNumber(headers.get(`x-codex-${slot}-used-percent`));
    if (used === undefined || used < 100) continue;
    const resetAt = finiteNumber(headers.get(`x-codex-${slot}-reset-at`));
    const wait = finiteNumber(headers.get(`x-codex-${slot}-reset-after-seconds`)) ??
      (resetAt === undefined ? undefined : resetAt - nowMs / 1000);
    if (wait !== undefined) longest = Math.max(longest ?? 0, wait);
  }
  return longest === undefined ? undefined : plausibleWait(longest);
}

/** `try again in 11.054s` (ChatGPT) and `Resets in: 3m 4s` (Grok): the only place where these refusals tell a time. */
function waitOfSentence(message: string): number | undefined {
  const found = /(?:try again|resets) in:?\s+(?:(\d+)h)?\s*(?:(\d+)m(?!s))?\s*(?:([\d.]+)\s*(ms|s))?/i.exec(
    message,
  );
  if (found === null) return undefined;
  const [, hours, minutes, amount, unit] = found;
  if (hours === undefined && minutes === undefined && amount === undefined) return undefined;
  const seconds = Number(amount ?? 0) / (unit?.toLowerCase() === "ms" ? 1000 : 1);
  return plausibleWait(Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + seconds);
}

function ownError(status: number, code: string, message: string): UpstreamError {
  return {
    status,
    type: errorType(status),
    code,
    param: null,
    message,
    accessRejected: false,
    transient: false,
  };
}

function withRetry(error: UpstreamError, seconds: number | undefined): UpstreamError {
  return seconds === undefined ? error : { ...error, retryAfterSeconds: seconds };
}
