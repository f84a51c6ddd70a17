import assert from "node:assert/strict";
import { createGrok } from "../../src/provider/grok.ts";
import { judgeGrokRefresh } from "../../src/provider/grok_credential.ts";
import { grokDefaults } from "../../src/provider/grok_settings.ts";
import { grokAccountId } from "../../src/provider/grok_sign_in.ts";
import type { Grant } from "../../src/provider/provider.ts";
import {
  challengePage,
  json,
  jwt,
  noAbort,
  nowMs,
  type ReceivedRequest,
  runtime,
  withUpstream,
} from "./stub_upstream.ts";

const clientId = "b1a00492-073a-47ea-816f-4c329264a828";
const grant: Grant = {
  accessToken: "canary-access",
  accessExpiresAtMs: 1,
  refreshToken: "canary-refresh",
  accountId: "sub-ada",
  attributes: {},
};

/** A stub of the issuer: discovery, and `answers` by path below it. */
function issuer(answers: Record<string, () => Response>) {
  return ({ path }: ReceivedRequest, origin: string): Response =>
    path === "/.well-known/openid-configuration"
      ? json(200, {
        issuer: origin,
        device_authorization_endpoint: `${origin}/device`,
        token_endpoint: `${origin}/token`,
        revocation_endpoint: `${origin}/revoke`,
      })
      : answers[path]?.() ?? json(404, {});
}

Deno.test("Grok's sign-in goes from device code to grant", async () => {
  const accessToken = jwt({ sub: "sub-ada", exp: 1_800_000_000, tier: 1 });
  let polls = 0;
  const answers = {
    "/device": () =>
      json(200, {
        device_code: "canary-device",
        user_code: "ABCD-1234",
        verification_uri: "https://accounts.x.ai/oauth2/device",
        verification_uri_complete: "https://accounts.x.ai/oauth2/device?user_code=ABCD-1234",
        expires_in: 1800,
      }),
    "/token": () =>
      ++polls === 1 ? json(400, { error: "slow_down" }) : json(200, {
        access_token: accessToken,
        refresh_token: "r1",
        id_token: jwt({ sub: "sub-ada", email: "ada@example.test" }),
        expires_in: 900,
      }),
  };
  await withUpstream(issuer(answers), async (origin, received) => {
    const { signIn } = createGrok({ ...grokDefaults, issuerUrl: origin }, runtime);
    const start = await signIn.start(noAbort());
    assert.deepEqual(start, {
      kind: "started",
      signIn: {
        flow: { deviceCode: "canary-device" },
        userCode: "ABCD-1234",
        verificationUrl: "https://accounts.x.ai/oauth2/device?user_code=ABCD-1234",
        expiresInMs: 1_800_000,
        intervalMs: 5000,
      },
    });
    const flow = { deviceCode: "canary-device" };
    assert.deepEqual(await signIn.advance(flow, noAbort()), { kind: "slow_down" });
    assert.deepEqual(await signIn.advance(flow, noAbort()), {
      kind: "granted",
      grant: {
        accessToken,
        accessExpiresAtMs: 1_800_000_000_000,
        refreshToken: "r1",
        accountId: "sub-ada",
        attributes: {},
      },
    });
    assert.deepEqual(received.map(({ path }) => path), [
      "/.well-known/openid-configuration",
      "/device",
      "/token",
      "/token",
    ]);
    assert.equal(
      received[1]?.body,
      `client_id=${clientId}&scope=openid+profile+email+offline_access+grok-cli%3Aaccess+api%3Aaccess`,
    );
  });
});

Deno.test("Grok's sign-in survives an issuer that is away, and ends on what it calls final", async () => {
  const cases: readonly (readonly [() => Response, string, string])[] = [
    [() => json(400, { error: "invalid_grant", error_description: "canary" }), "failed", "invalid_grant"],
    [() => json(200, { access_token: "opaque" }), "failed", "token_answer_without_account"],
    [() => challengePage(), "unavailable", "http_403"],
  ];
  for (const [answer, kind, reason] of cases) {
    await withUpstream(issuer({ "/token": answer }), async (origin) => {
      const { signIn } = createGrok({ ...grokDefaults, issuerUrl: origin }, runtime);
      const outcome = await signIn.advance({ deviceCode: "canary-device" }, noAbort());
      assert.deepEqual([outcome.kind, "reason" in outcome && outcome.reason], [kind, reason]);
      assert.ok(!JSON.stringify(outcome).includes("canary"));
    });
  }
  await withUpstream(() => json(503, {}), async (origin) => {
    const { signIn } = createGrok({ ...grokDefaults, issuerUrl: origin }, runtime);
    assert.deepEqual(await signIn.start(noAbort()), { kind: "failed", reason: "discovery_http_503" });
    assert.deepEqual(await signIn.advance({ deviceCode: "d" }, noAbort()), {
      kind: "unavailable",
      reason: "discovery_http_503",
    });
  });
});

Deno.test("grokAccountId() prefers the access token and falls back to the id token", () => {
  assert.equal(grokAccountId({ accessToken: jwt({ sub: "a" }), idToken: jwt({ sub: "b" }) }), "a");
  assert.equal(grokAccountId({ accessToken: "opaque", idToken: jwt({ sub: "b" }) }), "b");
  assert.equal(grokAccountId({ accessToken: "opaque" }), undefined);
});

Deno.test("judgeGrokRefresh() ends the grant for invalid_grant and nothing else", async () => {
  const cases: readonly (readonly [Response, string, string])[] = [
    [json(400, { error: "invalid_grant", error_description: "canary" }), "ended", "invalid_grant"],
    [json(401, { error: "invalid_client" }), "unavailable", "invalid_client"],
    [json(400, { error: "temporarily_unavailable" }), "unavailable", "temporarily_unavailable"],
    [json(400, { error: { code: "invalid_grant" } }), "unavailable", "invalid_grant"],
    [json(400, { error: 7 }), "unavailable", "http_400"],
    [json(503, { error: "invalid_grant" }), "unavailable", "invalid_grant"],
    [json(429, { error: "invalid_grant" }), "unavailable", "invalid_grant"],
    [new Response("", { status: 400 }), "unavailable", "http_400"],
    [challengePage(), "unavailable", "http_403"],
    [json(403, { error: "access_denied" }), "unavailable", "access_denied"],
    [json(200, { refresh_token: "r2" }), "unavailable", "answer_without_token"],
    [json(200, { access_token: jwt({ sub: "sub-bob" }) }), "ended", "account_switched"],
  ];
  for (const [response, kind, reason] of cases) {
    assert.deepEqual(await judgeGrokRefresh(response, grant, nowMs), { kind, reason });
  }
});

Deno.test("judgeGrokRefresh() keeps the old refresh token when no new one comes", async () => {
  const accessToken = jwt({ sub: "sub-ada" });
  const rotated = await judgeGrokRefresh(
    json(200, { access_token: accessToken, refresh_token: "r2", expires_in: 900 }),
    grant,
    nowMs,
  );
  assert.deepEqual(rotated, {
    kind: "refreshed",
    grant: { ...grant, accessToken, accessExpiresAtMs: nowMs + 900_000, refreshToken: "r2" },
  });
  const kept = await judgeGrokRefresh(json(200, { access_token: "opaque" }), grant, nowMs);
  assert.deepEqual(kept.kind === "refreshed" && kept.grant.refreshToken, "canary-refresh");
});

Deno.test("refresh() and revoke() send the forms of RFC 6749 and RFC 7009", async () => {
  const answers = {
    "/token": () => json(200, { access_token: jwt({ sub: "sub-ada" }) }),
    "/revoke": () => new Response(null, { status: 200 }),
  };
  await withUpstream(issuer(answers), async (origin, received) => {
    const grok = createGrok({ ...grokDefaults, issuerUrl: origin }, runtime);
    assert.equal((await grok.refresh(grant, noAbort())).kind, "refreshed");
    await grok.revoke(grant, noAbort());
    const { refreshToken: _, ...without } = grant;
    await grok.revoke(without, noAbort());
    assert.deepEqual(await grok.refresh(without, noAbort()), { kind: "ended", reason: "no_refresh_token" });
    assert.deepEqual(received.slice(1).map(({ method, path, body }) => [method, path, body]), [
      ["POST", "/token", `grant_type=refresh_token&refresh_token=canary-refresh&client_id=${clientId}`],
      ["POST", "/revoke", `token=canary-refresh&token_type_hint=refresh_token&client_id=${clientId}`],
      ["POST", "/revoke", `token=canary-access&token_type_hint=access_token&client_id=${clientId}`],
    ]);
  });
});

Deno.test("revoke() resolves when the issuer is away and when the caller has left", async () => {
  await withUpstream(() => json(503, {}), async (origin) => {
    const grok = createGrok({ ...grokDefaults, issuerUrl: origin }, runtime);
    await grok.revoke(grant, noAbort());
    await grok.revoke(grant, AbortSignal.abort());
  });
});
