/**
 * Signing in to GitHub Copilot: device flow, who is it, may they use Copilot (github-copilot.md sections 1 to 3). The
 * GitHub token goes into the flow as soon as it is there: a crash, or a hiccup of the later steps, loses nothing.
 *
 * @module
 */
import { nonEmptyString, parseObject } from "../wire/json.ts";
import { callAuthServer } from "./auth_call.ts";
import { exchangeCopilotToken } from "./copilot_exchange.ts";
import { githubHeaders } from "./copilot_headers.ts";
import type { CopilotSettings } from "./copilot_settings.ts";
import { requestDeviceAuthorization, requestDeviceToken } from "./device_flow.ts";
import type { AdvanceOutcome, SignIn } from "./provider.ts";
import type { ProviderRuntime } from "./runtime.ts";
import { isTransient, unavailable } from "./undecided.ts";

/** The sign-in of GitHub Copilot. */
export function createCopilotSignIn(settings: CopilotSettings, runtime: ProviderRuntime): SignIn {
  async function poll(deviceCode: string, signal: AbortSignal): Promise<AdvanceOutcome> {
    const endpoint = `${settings.githubUrl}/login/oauth/access_token`;
    const client = { clientId: settings.clientId, deviceCode };
    const outcome = await requestDeviceToken(endpoint, client, runtime, signal);
    if (outcome.kind === "token") return { kind: "advanced", flow: { githubToken: outcome.accessToken } };
    return outcome.kind === "failed" ? signInFailed(outcome.reason) : outcome;
  }

  async function lookUpUser(githubToken: string, signal: AbortSignal): Promise<AdvanceOutcome> {
    const url = `${settings.githubApiUrl}/user`;
    const request = { method: "GET", url, headers: githubHeaders(settings, githubToken) } as const;
    const reply = await callAuthServer(request, runtime, signal);
    if (reply.kind === "unreachable") return { kind: "unavailable", reason: reply.reason };
    return await judgeUser(reply.response, githubToken, runtime.now());
  }

  async function exchange(
    githubToken: string,
    accountId: string,
    signal: AbortSignal,
  ): Promise<AdvanceOutcome> {
    const outcome = await exchangeCopilotToken({ githubToken, accountId }, settings, runtime, signal);
    switch (outcome.kind) {
      case "granted":
      case "unavailable":
        return outcome;
      case "bad_credentials":
        return signInFailed("bad_credentials");
      case "no_access":
        return { kind: "failed", message: outcome.message, reason: outcome.reason };
    }
  }

  return {
    async start(signal) {
      const endpoint = `${settings.githubUrl}/login/device/code`;
      const outcome = await requestDeviceAuthorization(endpoint, settings, runtime, signal);
      if (outcome.kind === "failed") return outcome;
      const { deviceCode, ...shown } = outcome.authorization;
      return { kind: "started", signIn: { flow: { deviceCode }, ...shown } };
    },

    async advance(flow, signal) {
      const deviceCode = nonEmptyString(flow["deviceCode"]);
      if (deviceCode !== undefined) return await poll(deviceCode, signal);
      const githubToken = nonEmptyString(flow["githubToken"]);
      if (githubToken === undefined) {
        throw new TypeError("The flow is not one that the Copilot sign-in made.");
      }
      const accountId = nonEmptyString(flow["accountId"]);
      return accountId === undefined
        ? await lookUpUser(githubToken, signal)
        : await exchange(githubToken, accountId, signal);
    },
  };
}

/** Judges the answer to `GET /user` (section 2): only the numeric id is kept, because the login may change. */
export async function judgeUser(
  response: Response,
  githubToken: string,
  nowMs: number,
): Promise<AdvanceOutcome> {
  const body = parseObject(await response.text());
  const id = body?.["id"];
  if (response.ok && typeof id === "number" && Number.isSafeInteger(id)) {
    return { kind: "advanced", flow: { githubToken, accountId: String(id) } };
  }
  // A 403 here is a rate limit or an abuse check: the token itself was accepted.
  if (body === undefined || response.ok || response.status === 403 || isTransient(response.status)) {
    return unavailable(response, nowMs);
  }
  return signInFailed(response.status === 401 ? "bad_credentials" : `http_${response.status}`);
}

function signInFailed(reason: string): AdvanceOutcome {
  return { kind: "failed", message: "GitHub ended the sign-in. Start it again.", reason };
}
