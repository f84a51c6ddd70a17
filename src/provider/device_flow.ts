/**
 * The device authorization grant (RFC 8628) as a client of Grok's and GitHub's servers. Each step is a pair: one
 * function sends, one judges the `Response`. The judges read tolerantly, because the two servers differ from the RFC
 * and from each other (xai-grok.md section 2, github-copilot.md section 1).
 *
 * @module
 */
import { finiteNumber, isObject, nonEmptyString, parseObject } from "../wire/json.ts";
import { callAuthServer, formHeaders } from "./auth_call.ts";
import type { ProviderRuntime } from "./runtime.ts";
import { readErrorCode, readTokenSet, type TokenSet } from "./token_answer.ts";
import { isTransient, unavailable } from "./undecided.ts";

/** `interval` when the server names none, seconds (RFC 8628 section 3.2). */
const defaultIntervalSeconds = 5;

/** `expires_in` when the server names none: the shorter of the two upstreams' usual lives, seconds. */
const defaultLifeSeconds = 900;

/** A device authorization response (RFC 8628 section 3.2). */
export interface DeviceAuthorization {
  /** Secret: whoever has it can collect the tokens. */
  readonly deviceCode: string;
  /** The code that the person types. */
  readonly userCode: string;
  /** `verification_uri_complete` when there is one, else `verification_uri`. */
  readonly verificationUrl: string;
  /** How long the codes live from now, milliseconds. */
  readonly expiresInMs: number;
  /** The least time between two polls, milliseconds. */
  readonly intervalMs: number;
}

/** How a device authorization request ended. */
export type DeviceAuthorizationOutcome =
  | { readonly kind: "authorized"; readonly authorization: DeviceAuthorization }
  /** `reason` is a safe code for the log. */
  | { readonly kind: "failed"; readonly reason: string };

/** How a device access token request ended (RFC 8628 section 3.5). */
export type DeviceTokenOutcome =
  | { readonly kind: "pending" }
  | { readonly kind: "slow_down"; readonly intervalMs?: number }
  | { readonly kind: "unavailable"; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly kind: "token"; readonly accessToken: string; readonly tokens: TokenSet }
  | { readonly kind: "denied" }
  | { readonly kind: "expired" }
  | { readonly kind: "failed"; readonly reason: string };

/** Asks `endpoint` for a device code (RFC 8628 section 3.1). */
export async function requestDeviceAuthorization(
  endpoint: string,
  client: { readonly clientId: string; readonly scope: string },
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<DeviceAuthorizationOutcome> {
  const body = new URLSearchParams({ client_id: client.clientId, scope: client.scope }).toString();
  const request = { method: "POST", url: endpoint, headers: formHeaders, body } as const;
  const reply = await callAuthServer(request, runtime, signal);
  return reply.kind === "answered"
    ? judgeDeviceAuthorization(reply.response)
    : { kind: "failed", reason: reply.reason };
}

/** Judges a device authorization response (RFC 8628 section 3.2). */
export async function judgeDeviceAuthorization(response: Response): Promise<DeviceAuthorizationOutcome> {
  const body = parseObject(await response.text());
  const deviceCode = nonEmptyString(body?.["device_code"]);
  const userCode = nonEmptyString(body?.["user_code"]);
  const verificationUrl = webUrl(body?.["verification_uri_complete"]) ?? webUrl(body?.["verification_uri"]);
  if (
    body === undefined || deviceCode === undefined || userCode === undefined || verificationUrl === undefined
  ) {
    const code = body === undefined ? undefined : readErrorCode(body);
    return { kind: "failed", reason: code ?? `http_${response.status}` };
  }
  const expiresIn = finiteNumber(body["expires_in"]) ?? 0;
  const interval = finiteNumber(body["interval"]) ?? 0;
  return {
    kind: "authorized",
    authorization: {
      deviceCode,
      userCode,
      verificationUrl,
      expiresInMs: (expiresIn > 0 ? expiresIn : defaultLifeSeconds) * 1000,
      intervalMs: (interval > 0 ? interval : defaultIntervalSeconds) * 1000,
    },
  };
}

/** Asks `endpoint` once whether the person has decided (RFC 8628 section 3.4). */
export async function requestDeviceToken(
  endpoint: string,
  grant: { readonly clientId: string; readonly deviceCode: string },
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<DeviceTokenOutcome> {
  const body = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: grant.deviceCode,
    client_id: grant.clientId,
  }).toString();
  const request = { method: "POST", url: endpoint, headers: formHeaders, body } as const;
  const reply = await callAuthServer(request, runtime, signal);
  return reply.kind === "answered"
    ? judgeDeviceToken(reply.response, runtime.now())
    : { kind: "unavailable", reason: reply.reason };
}

/**
 * Judges a device access token response. The error code decides and the status only where there is none: GitHub answers
 * errors with 200, xAI with 400. What is no JSON object (a challenge page, a proxy's error) decides nothing.
 */
export async function judgeDeviceToken(response: Response, nowMs: number): Promise<DeviceTokenOutcome> {
  const body = parseObject(await response.text());
  const code = body === undefined ? undefined : readErrorCode(body);
  if (code === "slow_down") return slowDown(body?.["interval"]);
  if (isTransient(response.status)) return unavailable(response, nowMs);
  if (body === undefined) return unavailable(response, nowMs);
  if (code !== undefined) return judgeErrorCode(code);
  const tokens = readTokenSet(body);
  if (response.ok && tokens.accessToken !== undefined) {
    return { kind: "token", accessToken: tokens.accessToken, tokens };
  }
  // xAI is reported to answer a 400 with an empty error while the person has not decided.
  if (response.status === 400 && isEmptyError(body["error"])) return { kind: "pending" };
  // A nested error without a code that we know is a gateway's, not the OAuth server's: it decides nothing.
  if (response.status < 400 || isObject(body["error"])) return unavailable(response, nowMs);
  return { kind: "failed", reason: `http_${response.status}` };
}

/** RFC 8628 section 3.5 leaves the new interval to the client; GitHub names it in the body. */
export function slowDown(interval: unknown): { readonly kind: "slow_down"; readonly intervalMs?: number } {
  const seconds = finiteNumber(interval);
  return seconds === undefined || seconds <= 0
    ? { kind: "slow_down" }
    : { kind: "slow_down", intervalMs: seconds * 1000 };
}

function judgeErrorCode(code: string): DeviceTokenOutcome {
  switch (code) {
    case "authorization_pending":
      return { kind: "pending" };
    case "access_denied":
    case "authorization_denied":
      return { kind: "denied" };
    case "expired_token":
      return { kind: "expired" };
    case "temporarily_unavailable":
    case "server_error":
      return { kind: "unavailable", reason: code };
    default:
      return { kind: "failed", reason: code };
  }
}

function isEmptyError(error: unknown): boolean {
  return error === "" || error === null || error === undefined;
}

/** The page that a person opens: anything but http(s) (`javascript:`, `file:`) must not become a link on our page. */
function webUrl(value: unknown): string | undefined {
  const text = nonEmptyString(value);
  if (text === undefined || !URL.canParse(text)) return undefined;
  const { protocol } = new URL(text);
  return protocol === "https:" || protocol === "http:" ? text : undefined;
}
