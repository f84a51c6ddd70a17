/**
 * Signing in to ChatGPT with a device code: user code, poll, exchange (chatgpt-codex.md section 1). It looks like RFC
 * 8628 and is not: what the poll yields is an authorization code with a PKCE verifier that the server made.
 *
 * The code is good once, so it goes into the flow before it is redeemed: a crash in between loses nothing.
 *
 * @module
 */
import { finiteNumber, type JsonObject, nonEmptyString, parseObject } from "../wire/json.ts";
import { callAuthServer, formHeaders, jsonHeaders } from "./auth_call.ts";
import { grantOfTokens } from "./chatgpt_account.ts";
import { chatGptClientHeaders } from "./chatgpt_headers.ts";
import type { NamedChatGptSettings } from "./chatgpt_settings.ts";
import { slowDown } from "./device_flow.ts";
import type { AdvanceOutcome, SignIn, StartOutcome } from "./provider.ts";
import type { ProviderRuntime } from "./runtime.ts";
import { readErrorCode, readTokenSet } from "./token_answer.ts";
import { isTransient, unavailable } from "./undecided.ts";

/** How long a user code lives when the answer does not say, milliseconds (section 1.1). */
const codeLifeMs = 15 * 60 * 1000;

/** Poll interval when the answer names none, milliseconds (section 1.2). */
const defaultIntervalMs = 5000;

/** Error codes of the poll that are no final refusal, without the prefix `deviceauth_` (section 1.3). */
const pendingCodes: ReadonlySet<string> = new Set(["authorization_pending", "pending"]);

/** Error codes of the poll by which the person, or the workspace, said no. */
const deniedCodes: ReadonlySet<string> = new Set([
  "access_denied",
  "authorization_declined",
  "authorization_denied",
  "declined",
  "denied",
]);

/** The sign-in of ChatGPT. */
export function createChatGptSignIn(settings: NamedChatGptSettings, runtime: ProviderRuntime): SignIn {
  const clientHeaders = chatGptClientHeaders(settings);

  async function start(signal: AbortSignal): Promise<StartOutcome> {
    const reply = await callAuthServer(
      {
        method: "POST",
        url: `${settings.issuerUrl}/api/accounts/deviceauth/usercode`,
        headers: { ...jsonHeaders, ...clientHeaders },
        body: JSON.stringify({ client_id: settings.clientId }),
      },
      runtime,
      signal,
    );
    if (reply.kind === "unreachable") return { kind: "failed", reason: reply.reason };
    return await judgeUserCode(reply.response, `${settings.issuerUrl}/codex/device`, runtime.now());
  }

  async function poll(deviceAuthId: string, userCode: string, signal: AbortSignal): Promise<AdvanceOutcome> {
    const reply = await callAuthServer(
      {
        method: "POST",
        url: `${settings.issuerUrl}/api/accounts/deviceauth/token`,
        headers: { ...jsonHeaders, ...clientHeaders },
        body: JSON.stringify({ device_auth_id: deviceAuthId, user_code: userCode }),
      },
      runtime,
      signal,
    );
    if (reply.kind === "unreachable") return { kind: "unavailable", reason: reply.reason };
    return await judgePoll(reply.response, runtime.now());
  }

  async function exchange(code: string, codeVerifier: string, signal: AbortSignal): Promise<AdvanceOutcome> {
    const reply = await callAuthServer(
      {
        method: "POST",
        url: `${settings.issuerUrl}/oauth/token`,
        headers: { ...formHeaders, ...clientHeaders },
        body: new URLSearchParams({
          grant_type: "authorization_code",
          code,
          redirect_uri: `${settings.issuerUrl}/deviceauth/callback`,
          client_id: settings.clientId,
          code_verifier: codeVerifier,
        }).toString(),
      },
      runtime,
      signal,
    );
    if (reply.kind === "unreachable") return { kind: "unavailable", reason: reply.reason };
    return await judgeExchange(reply.response, runtime.now());
  }

  return {
    start,
    async advance(flow, signal) {
      const [deviceAuthId, userCode, code, codeVerifier] = [
        "deviceAuthId",
        "userCode",
        "authorizationCode",
        "codeVerifier",
      ].map((name) => nonEmptyString(flow[name]));
      if (code !== undefined && codeVerifier !== undefined) return await exchange(code, codeVerifier, signal);
      if (deviceAuthId !== undefined && userCode !== undefined) {
        return await poll(deviceAuthId, userCode, signal);
      }
      throw new TypeError("The flow is not one that the ChatGPT sign-in made.");
    },
  };
}

/** Judges the answer to the request for a user code (section 1.2). `verificationUrl` is fixed: the answer has none. */
export async function judgeUserCode(
  response: Response,
  verificationUrl: string,
  nowMs: number,
): Promise<StartOutcome> {
  const body = parseObject(await response.text());
  const deviceAuthId = nonEmptyString(body?.["device_auth_id"]);
  const userCode = nonEmptyString(body?.["user_code"]) ?? nonEmptyString(body?.["usercode"]);
  if (!response.ok || body === undefined || deviceAuthId === undefined || userCode === undefined) {
    const code = body === undefined ? undefined : readErrorCode(body);
    return { kind: "failed", reason: code ?? `http_${response.status}` };
  }
  const interval = finiteNumber(body["interval"]) ?? 0;
  return {
    kind: "started",
    signIn: {
      flow: { deviceAuthId, userCode },
      userCode,
      verificationUrl,
      expiresInMs: lifeOfCode(body, nowMs),
      intervalMs: interval > 0 ? interval * 1000 : defaultIntervalMs,
    },
  };
}

/**
 * Judges the answer to a poll (section 1.3). 403 and 404 mean pending unless they name a refusal: taking every 403 for
 * pending lets a refused code look undecided for its whole life.
 */
export async function judgePoll(response: Response, nowMs: number): Promise<AdvanceOutcome> {
  const body = parseObject(await response.text());
  const code = (body === undefined ? undefined : pollCode(body)) ?? "";
  if (code === "slow_down") return slowDown(body?.["interval"]);
  if (isTransient(response.status)) return unavailable(response, nowMs);
  if (pendingCodes.has(code)) return { kind: "pending" };
  if (deniedCodes.has(code)) return { kind: "denied" };
  if (code === "expired_token" || code === "expired") return { kind: "expired" };
  if (response.ok) {
    const authorizationCode = nonEmptyString(body?.["authorization_code"]);
    const codeVerifier = nonEmptyString(body?.["code_verifier"]);
    return authorizationCode === undefined || codeVerifier === undefined
      ? unavailable(response, nowMs)
      : { kind: "advanced", flow: { authorizationCode, codeVerifier } };
  }
  if (response.status === 404) return { kind: "pending" };
  if (response.status === 403 && !isPage(response)) return { kind: "pending" };
  if (body === undefined) return unavailable(response, nowMs);
  return signInFailed(code === "" ? `http_${response.status}` : code);
}

/** Judges the answer to the code exchange (section 1.4). */
export async function judgeExchange(response: Response, nowMs: number): Promise<AdvanceOutcome> {
  const body = parseObject(await response.text());
  if (body === undefined || isTransient(response.status)) return unavailable(response, nowMs);
  if (!response.ok) return signInFailed(readErrorCode(body) ?? `http_${response.status}`);
  const grant = grantOfTokens(readTokenSet(body), nowMs);
  if (grant !== undefined) return { kind: "granted", grant };
  return {
    kind: "failed",
    message: "ChatGPT did not say which account signed in. Start the sign-in again.",
    reason: "token_answer_without_account",
  };
}

function signInFailed(reason: string): AdvanceOutcome {
  return { kind: "failed", message: "ChatGPT ended the sign-in. Start it again.", reason };
}

function pollCode(body: JsonObject): string | undefined {
  const code = readErrorCode(body) ?? readErrorCode({ error: body["status"] });
  return code?.replace(/^deviceauth_/, "");
}

function lifeOfCode(body: JsonObject, nowMs: number): number {
  const seconds = finiteNumber(body["expires_in"]);
  const endMs = Date.parse(nonEmptyString(body["expires_at"]) ?? "");
  const lifeMs = seconds !== undefined ? seconds * 1000 : endMs - nowMs;
  // A clock that runs ahead of the server's would make the code look expired: then the known life is the better guess.
  return lifeMs > 0 && lifeMs < codeLifeMs ? lifeMs : codeLifeMs;
}

function isPage(response: Response): boolean {
  return (response.headers.get("content-type") ?? "").startsWith("text/html");
}
