/**
 * The life of a Grok grant after the sign-in: refresh with rotation, and revocation (xai-grok.md section 3).
 *
 * @module
 */
import { parseObject } from "../wire/json.ts";
import { callAuthServer, formHeaders } from "./auth_call.ts";
import type { GrokSettings } from "./grok_settings.ts";
import { grokAccountId } from "./grok_sign_in.ts";
import type { Discovery } from "./oidc_discovery.ts";
import type { Grant, RefreshOutcome } from "./provider.ts";
import type { ProviderRuntime } from "./runtime.ts";
import { readErrorCode, readTokenSet } from "./token_answer.ts";
import { accessTokenEndMs } from "./token_claims.ts";
import { isTransient } from "./undecided.ts";

/** Time limit of a revocation, milliseconds: the person who signs out waits for it. */
const revokeTimeoutMs = 10_000;

/** Renews the access token. Reuse of a rotated refresh token ends the grant: one request, never repeated here. */
export async function refreshGrok(
  grant: Grant,
  settings: GrokSettings,
  discover: Discovery,
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<RefreshOutcome> {
  if (grant.refreshToken === undefined) return { kind: "ended", reason: "no_refresh_token" };
  const discovery = await discover(signal);
  if (discovery.kind === "failed") return { kind: "unavailable", reason: discovery.reason };
  const body = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: grant.refreshToken,
    client_id: settings.clientId,
  }).toString();
  const request = {
    method: "POST",
    url: discovery.server.tokenEndpoint,
    headers: formHeaders,
    body,
  } as const;
  const reply = await callAuthServer(request, runtime, signal);
  if (reply.kind === "unreachable") return { kind: "unavailable", reason: reply.reason };
  return await judgeGrokRefresh(reply.response, grant, runtime.now());
}

/**
 * Judges the answer to a refresh. Only `invalid_grant` in its plain form ends the grant. xAI's client also takes
 * `invalid_client` for final; here it is the operator's mistake in a setting, which must not sign everybody out.
 */
export async function judgeGrokRefresh(
  response: Response,
  grant: Grant,
  nowMs: number,
): Promise<RefreshOutcome> {
  const body = parseObject(await response.text());
  const status = `http_${response.status}`;
  if (body === undefined) return { kind: "unavailable", reason: status };
  const code = readErrorCode(body);
  if (!response.ok) {
    const ended = !isTransient(response.status) && response.status >= 400 &&
      body["error"] === "invalid_grant";
    return { kind: ended ? "ended" : "unavailable", reason: code ?? status };
  }
  const tokens = readTokenSet(body);
  if (tokens.accessToken === undefined) {
    return { kind: "unavailable", reason: code ?? "answer_without_token" };
  }
  const accountId = grokAccountId(tokens) ?? grant.accountId;
  if (accountId !== grant.accountId) return { kind: "ended", reason: "account_switched" };
  const refreshToken = tokens.refreshToken ?? grant.refreshToken;
  return {
    kind: "refreshed",
    grant: {
      accessToken: tokens.accessToken,
      accessExpiresAtMs: accessTokenEndMs(tokens.accessToken, tokens.expiresInSeconds, nowMs),
      ...(refreshToken === undefined ? {} : { refreshToken }),
      accountId,
      attributes: grant.attributes,
    },
  };
}

/** Ends the grant at xAI (RFC 7009). Resolves in any case: signing out here does not depend on it. */
export async function revokeGrok(
  grant: Grant,
  settings: GrokSettings,
  discover: Discovery,
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<void> {
  try {
    const discovery = await discover(signal);
    if (discovery.kind === "failed" || discovery.server.revocationEndpoint === undefined) return;
    const body = new URLSearchParams({
      token: grant.refreshToken ?? grant.accessToken,
      token_type_hint: grant.refreshToken === undefined ? "access_token" : "refresh_token",
      client_id: settings.clientId,
    }).toString();
    const url = discovery.server.revocationEndpoint;
    const request = { method: "POST", url, headers: formHeaders, body, timeoutMs: revokeTimeoutMs } as const;
    await callAuthServer(request, runtime, signal);
  } catch {
    // Only the caller's own abort gets here, and the caller asked not to be told.
  }
}
