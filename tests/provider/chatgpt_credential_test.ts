import assert from "node:assert/strict";
import { createChatGpt } from "../../src/provider/chatgpt.ts";
import { judgeChatGptRefresh } from "../../src/provider/chatgpt_credential.ts";
import { chatGptDefaults } from "../../src/provider/chatgpt_settings.ts";
import type { Grant } from "../../src/provider/provider.ts";
import {
  challengePage,
  json,
  jwt,
  noAbort,
  nowMs,
  runtime,
  runtimeWithFetch,
  withUpstream,
} from "./stub_upstream.ts";

const grant: Grant = {
  accessToken: "canary-access",
  accessExpiresAtMs: 1,
  refreshToken: "canary-refresh",
  accountId: "user-ada",
  attributes: { workspaceId: "ws-1" },
};

function claimsOf(user: string): string {
  return jwt({
    exp: 1_800_000_000,
    "https://api.openai.com/auth": { chatgpt_user_id: user, chatgpt_account_id: "ws-1" },
  });
}

Deno.test("judgeChatGptRefresh() ends the grant only when OpenAI says so", async () => {
  const cases: readonly (readonly [Response, string, string])[] = [
    [
      json(401, { error: { code: "refresh_token_reused", message: "canary" } }),
      "ended",
      "refresh_token_reused",
    ],
    [json(400, { error: { code: "refresh_token_expired" } }), "ended", "refresh_token_expired"],
    [json(500, { error: { code: "refresh_token_invalidated" } }), "ended", "refresh_token_invalidated"],
    [json(400, { error: "invalid_grant", code: "refresh_token_reused" }), "ended", "invalid_grant"],
    [json(403, { code: "account_deactivated" }), "ended", "account_deactivated"],
    [json(401, { detail: "Unauthorized" }), "ended", "http_401"],
    [json(401, { error: "invalid_client" }), "unavailable", "invalid_client"],
    [json(500, { error: { code: "invalid_grant" } }), "unavailable", "invalid_grant"],
    [json(429, {}), "unavailable", "http_429"],
    [json(400, { error: "invalid_request" }), "unavailable", "invalid_request"],
    [json(403, {}), "unavailable", "http_403"],
    [challengePage(), "unavailable", "http_403"],
    [new Response("Unauthorized", { status: 401 }), "unavailable", "http_401"],
    [json(200, {}), "unavailable", "answer_without_token"],
    [json(200, { access_token: claimsOf("user-bob") }), "ended", "account_switched"],
    [new Response(null, { status: 302 }), "unavailable", "http_302"],
  ];
  for (const [response, kind, reason] of cases) {
    assert.deepEqual(await judgeChatGptRefresh(response, grant, nowMs), { kind, reason });
  }
});

Deno.test("refresh() sends the token once, as JSON, and yields the whole new grant", async () => {
  const accessToken = claimsOf("user-ada");
  await withUpstream(
    () => json(200, { access_token: accessToken, refresh_token: "r2" }),
    async (origin, received) => {
      const provider = createChatGpt({ ...chatGptDefaults, issuerUrl: origin, originator: "App" }, runtime);
      assert.deepEqual(await provider.refresh(grant, noAbort()), {
        kind: "refreshed",
        grant: {
          accessToken,
          accessExpiresAtMs: 1_800_000_000_000,
          refreshToken: "r2",
          accountId: "user-ada",
          attributes: { workspaceId: "ws-1" },
        },
      });
      assert.deepEqual(received.map(({ method, path, body }) => [method, path, JSON.parse(body)]), [[
        "POST",
        "/oauth/token",
        {
          client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
          grant_type: "refresh_token",
          refresh_token: "canary-refresh",
        },
      ]]);
    },
  );
});

Deno.test("refresh() decides nothing when OpenAI cannot be reached, and asks nothing without a token", async () => {
  let calls = 0;
  const broken = runtimeWithFetch(() => {
    calls++;
    return Promise.reject(new TypeError("canary-refresh"));
  });
  const provider = createChatGpt({ ...chatGptDefaults, originator: "App" }, broken);
  assert.deepEqual(await provider.refresh(grant, noAbort()), {
    kind: "unavailable",
    reason: "network_error",
  });
  const { refreshToken: _, ...without } = grant;
  assert.deepEqual(await provider.refresh(without, noAbort()), { kind: "ended", reason: "no_refresh_token" });
  assert.equal(calls, 1);
});

Deno.test("revoke() names the kind of token, and resolves whatever happens", async () => {
  await withUpstream(() => json(500, {}), async (origin, received) => {
    const provider = createChatGpt({ ...chatGptDefaults, issuerUrl: origin, originator: "App" }, runtime);
    await provider.revoke(grant, noAbort());
    const { refreshToken: _, ...without } = grant;
    await provider.revoke(without, noAbort());
    assert.deepEqual(received.map(({ path, body }) => [path, JSON.parse(body)]), [
      ["/oauth/revoke", {
        token: "canary-refresh",
        token_type_hint: "refresh_token",
        client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
      }],
      ["/oauth/revoke", { token: "canary-access", token_type_hint: "access_token" }],
    ]);
    await provider.revoke(grant, AbortSignal.abort());
  });
});
