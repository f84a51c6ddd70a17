import assert from "node:assert/strict";
import { createChatGpt } from "../../src/provider/chatgpt.ts";
import { chatGptDefaults } from "../../src/provider/chatgpt_settings.ts";
import { judgeExchange, judgePoll, judgeUserCode } from "../../src/provider/chatgpt_sign_in.ts";
import { challengePage, json, jwt, noAbort, nowMs, runtime, withUpstream } from "./stub_upstream.ts";

const page = "https://auth.openai.com/codex/device";
const userCode = { device_auth_id: "canary-device", user_code: "ABCD-1234", interval: "7" };

Deno.test("judgeUserCode() reads both spellings and every form of interval and end", async () => {
  const started = {
    flow: { deviceAuthId: "canary-device", userCode: "ABCD-1234" },
    userCode: "ABCD-1234",
    verificationUrl: page,
    expiresInMs: 900_000,
    intervalMs: 7000,
  };
  const cases = [
    [userCode, started],
    [{ ...userCode, interval: 3 }, { ...started, intervalMs: 3000 }],
    [{ ...userCode, interval: "0" }, { ...started, intervalMs: 5000 }],
    [{ device_auth_id: "canary-device", usercode: "ABCD-1234" }, { ...started, intervalMs: 5000 }],
    [{ ...userCode, expires_at: "2026-11-22T00:10:00Z" }, { ...started, expiresInMs: 600_000 }],
    [{ ...userCode, expires_at: "2026-11-21T00:00:00Z" }, started],
    [{ ...userCode, expires_in: 60 }, { ...started, expiresInMs: 60_000 }],
    [{ ...userCode, expires_in: 99_999 }, started],
  ] as const;
  for (const [body, signIn] of cases) {
    assert.deepEqual(await judgeUserCode(json(200, body), page, nowMs), { kind: "started", signIn });
  }
});

Deno.test("judgeUserCode() fails without repeating the body", async () => {
  const cases: readonly (readonly [Response, string])[] = [
    [json(404, { detail: "canary" }), "http_404"],
    [json(503, userCode), "http_503"],
    [json(400, { error: { code: "invalid_client", message: "canary" } }), "invalid_client"],
    [challengePage(), "http_403"],
    [json(200, { user_code: "x" }), "http_200"],
  ];
  for (const [response, reason] of cases) {
    assert.deepEqual(await judgeUserCode(response, page, nowMs), { kind: "failed", reason });
  }
});

Deno.test("judgePoll() tells pending from refused, whatever the status", async () => {
  const denied = { kind: "denied" };
  const pending = { kind: "pending" };
  const cases: readonly (readonly [string, Response, unknown])[] = [
    ["pending code", json(403, { error: { code: "deviceauth_authorization_pending" } }), pending],
    ["bare 403", json(403, {}), pending],
    ["403 with words", json(403, { detail: "Forbidden" }), pending],
    ["empty 404", new Response(null, { status: 404 }), pending],
    ["404 with words", json(404, { error: { message: "no" } }), pending],
    ["pending in a 200", json(200, { status: "pending" }), pending],
    ["pending as 400", json(400, { error: "authorization_pending" }), pending],
    ["declined", json(401, { error: "authorization_declined", error_description: "Denied" }), denied],
    ["declined as 403", json(403, { error: { code: "deviceauth_authorization_declined" } }), denied],
    ["access_denied as 403", json(403, { error: "access_denied" }), denied],
    ["access_denied, flat", json(403, { code: "access_denied" }), denied],
    ["access_denied in detail", json(404, { detail: { code: "access_denied" } }), denied],
    ["slow down", json(403, { error: "slow_down" }), { kind: "slow_down" }],
    ["slow down, named", json(429, { error: { code: "slow_down" }, interval: 9 }), {
      kind: "slow_down",
      intervalMs: 9000,
    }],
    ["expired", json(403, { error: { code: "expired_token" } }), { kind: "expired" }],
    ["challenge", challengePage(), { kind: "unavailable", reason: "http_403" }],
    ["server error", json(503, { error: "access_denied" }), { kind: "unavailable", reason: "http_503" }],
    ["rate limit", json(429, {}, { "retry-after": "2" }), {
      kind: "unavailable",
      reason: "http_429",
      retryAfterMs: 2000,
    }],
    ["page", new Response("<html>", { status: 400 }), { kind: "unavailable", reason: "http_400" }],
    ["code", json(200, { authorization_code: "c", code_verifier: "v", code_challenge: "x" }), {
      kind: "advanced",
      flow: { authorizationCode: "c", codeVerifier: "v" },
    }],
    ["half a code", json(200, { authorization_code: "c" }), { kind: "unavailable", reason: "http_200" }],
    ["other", json(400, { error: "invalid_request" }), {
      kind: "failed",
      message: "ChatGPT ended the sign-in. Start it again.",
      reason: "invalid_request",
    }],
    ["other 401", json(401, { detail: "canary" }), {
      kind: "failed",
      message: "ChatGPT ended the sign-in. Start it again.",
      reason: "http_401",
    }],
  ];
  for (const [name, response, expected] of cases) {
    assert.deepEqual(await judgePoll(response, nowMs), expected, name);
  }
});

Deno.test("judgeExchange() decides only on what the authorization server itself says", async () => {
  const cases: readonly (readonly [Response, string, string])[] = [
    [json(400, { error: "invalid_grant", error_description: "canary" }), "failed", "invalid_grant"],
    [json(400, { error: { code: "invalid_grant" } }), "failed", "invalid_grant"],
    [json(200, { access_token: "opaque" }), "failed", "token_answer_without_account"],
    [json(502, { error: "invalid_grant" }), "unavailable", "http_502"],
    [challengePage(), "unavailable", "http_403"],
  ];
  for (const [response, kind, reason] of cases) {
    const outcome = await judgeExchange(response, nowMs);
    assert.deepEqual([outcome.kind, "reason" in outcome && outcome.reason], [kind, reason]);
    assert.ok(!JSON.stringify(outcome).includes("canary"));
  }
});

Deno.test("ChatGPT's sign-in goes from user code to grant with three exact requests", async () => {
  const accessToken = jwt({
    exp: 1_800_000_000,
    "https://api.openai.com/auth": { chatgpt_user_id: "user-ada", chatgpt_account_id: "ws-1" },
  });
  const answers: Record<string, unknown> = {
    "/api/accounts/deviceauth/usercode": userCode,
    "/api/accounts/deviceauth/token": { authorization_code: "code-1", code_verifier: "verifier-1" },
    "/oauth/token": { access_token: accessToken, refresh_token: "r1", token_type: "Bearer" },
  };
  await withUpstream(({ path }) => json(200, answers[path]), async (origin, received) => {
    const settings = { ...chatGptDefaults, issuerUrl: origin, originator: "My App" };
    const { signIn } = createChatGpt(settings, runtime);
    const start = await signIn.start(noAbort());
    assert.ok(start.kind === "started");
    assert.equal(start.signIn.verificationUrl, `${origin}/codex/device`);
    const polled = await signIn.advance(start.signIn.flow, noAbort());
    assert.ok(polled.kind === "advanced");
    const done = await signIn.advance(JSON.parse(JSON.stringify(polled.flow)), noAbort());
    assert.deepEqual(done.kind === "granted" && done.grant, {
      accessToken,
      accessExpiresAtMs: 1_800_000_000_000,
      refreshToken: "r1",
      accountId: "user-ada",
      attributes: { workspaceId: "ws-1" },
    });
    assert.deepEqual(received.map(({ method, path, body }) => [method, path, body]), [
      ["POST", "/api/accounts/deviceauth/usercode", '{"client_id":"app_EMoamEEZ73f0CkXaXp7hrann"}'],
      [
        "POST",
        "/api/accounts/deviceauth/token",
        '{"device_auth_id":"canary-device","user_code":"ABCD-1234"}',
      ],
      [
        "POST",
        "/oauth/token",
        "grant_type=authorization_code&code=code-1" +
        `&redirect_uri=${encodeURIComponent(`${origin}/deviceauth/callback`)}` +
        "&client_id=app_EMoamEEZ73f0CkXaXp7hrann&code_verifier=verifier-1",
      ],
    ]);
    assert.deepEqual(received.map(({ headers }) => headers["content-type"]), [
      "application/json",
      "application/json",
      "application/x-www-form-urlencoded",
    ]);
    for (const { headers } of received) {
      assert.equal(headers["originator"], "My App");
      assert.equal(headers["authorization"], undefined);
    }
  });
});

Deno.test("ChatGPT's sign-in refuses a flow that it did not make", async () => {
  const { signIn } = createChatGpt({ ...chatGptDefaults, originator: "x" }, runtime);
  await assert.rejects(signIn.advance({ deviceCode: "canary" }, noAbort()), TypeError);
});
