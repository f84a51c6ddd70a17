/**
 * The life of a ChatGPT grant after the sign-in: refresh and revoke (chatgpt-codex.md section 2).
 *
 * @module
 */
import { parseObject } from "../wire/json.ts";
import { callAuthServer, jsonHeaders } from "./auth_call.ts";
import { grantWithTokens } from "./chatgpt_account.ts";
import { chatGptClientHeaders } from "./chatgpt_headers.ts";
import type { NamedChatGptSettings } from "./chatgpt_settings.ts";
import type { Grant, RefreshOutcome } from "./provider.ts";
import type { ProviderRuntime } from "./runtime.ts";
import { readErrorCode, readTokenSet } from "./token_answer.ts";
import { isTransient } from "./undecided.ts";

/** Time limit of a revocation, milliseconds (section 2.4): the person who signs out waits for it. */
const revokeTimeoutMs = 10_000;

/** Final at any status (section 2.2). */
const endedAlways: ReadonlySet<string> = new Set([
  "refresh_token_expired",
  "refresh_token_invalidated",
  "refresh_token_reused",
]);

/** Final when they come with a 4xx status (section 2.2). */
const endedByClientError: ReadonlySet<string> = new Set([
  "account_auth_invalidated",
  "account_deactivated",
  "account_deleted",
  "account_session_expired",
  "account_suspended",
  "app_session_terminated",
  "invalid_grant",
  "token_expired",
  "token_invalidated",
]);

/** Renews the access token. Refresh tokens are single use: one request, never repeated here. */
export async function refreshChatGpt(
  grant: Grant,
  settings: NamedChatGptSettings,
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<RefreshOutcome> {
  if (grant.refreshToken === undefined) return { kind: "ended", reason: "no_refresh_token" };
  const reply = await callAuthServer(
    {
      method: "POST",
      url: `${settings.issuerUrl}/oauth/token`,
      headers: { ...jsonHeaders, ...chatGptClientHeaders(settings) },
      body: JSON.stringify({
        client_id: settings.clientId,
        grant_type: "refresh_token",
        refresh_token: grant.refreshToken,
      }),
    },
    runtime,
    signal,
  );
  if (reply.kind === "unreachable") return { kind: "unavailable", reason: reply.reason };
  return await judgeChatGptRefresh(reply.response, grant, runtime.now());
}

/** Judges the answer to a refresh (sections 2.1 and 2.2). */
export async function judgeChatGptRefresh(
  response: Response,
  grant: Grant,
  nowMs: number,
): Promise<RefreshOutcome> {
  const body = parseObject(await response.text());
  const status = `http_${response.status}`;
  if (body === undefined) return { kind: "unavailable", reason: status };
  const code = readErrorCode(body);
  if (code !== undefined && endedAlways.has(code)) return { kind: "ended", reason: code };
  if (isTransient(response.status)) return { kind: "unavailable", reason: code ?? status };
  if (response.ok) {
    const tokens = readTokenSet(body);
    const { accessToken, idToken, refreshToken } = tokens;
    if (accessToken === undefined && idToken === undefined && refreshToken === undefined) {
      return { kind: "unavailable", reason: "answer_without_token" };
    }
    const renewed = grantWithTokens(grant, tokens, nowMs);
    return renewed === undefined
      ? { kind: "ended", reason: "account_switched" }
      : { kind: "refreshed", grant: renewed };
  }
  // Any other 401 in the server's own words is final too; a page in between speaks no JSON and was sorted out above.
  // A refused client id is the operator's mistake, and must not sign everybody out.
  const unknown401 = response.status === 401 && code !== "invalid_client";
  const ended = unknown401 || (response.status >= 400 && code !== undefined && endedByClientError.has(code));
  return { kind: ended ? "ended" : "unavailable", reason: code ?? status };
}

/** Ends the grant at OpenAI (section 2.4). Resolves in any case: signing out here does not depend on it. */
export async function revokeChatGpt(
  grant: Grant,
  settings: NamedChatGptSettings,
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<void> {
  const body = grant.refreshToken === undefined
    ? { token: grant.accessToken, token_type_hint: "access_token" }
    : { token: grant.refreshToken, token_type_hint: "refresh_token", client_id: settings.clientId };
  const request = {
    method: "POST",
    url: `${settings.issuerUrl}/oauth/revoke`,
    headers: { ...jsonHeaders, ...chatGptClientHeaders(settings) },
    body: JSON.stringify(body),
    timeoutMs: revokeTimeoutMs,
  } as const;
  try {
    await callAuthServer(request, runtime, signal);
  } catch {
    // Only the caller's own abort gets here, and the caller asked not to be told.
  }
}
