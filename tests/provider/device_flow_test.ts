import assert from "node:assert/strict";
import {
  judgeDeviceAuthorization,
  judgeDeviceToken,
  requestDeviceAuthorization,
  requestDeviceToken,
} from "../../src/provider/device_flow.ts";
import { challengePage, json, noAbort, nowMs, runtime, withUpstream } from "./stub_upstream.ts";

const authorization = {
  device_code: "canary-device-code",
  user_code: "ABCD-1234",
  verification_uri: "https://accounts.x.ai/oauth2/device",
  expires_in: 899,
  interval: 5,
};

Deno.test("judgeDeviceAuthorization() reads the answers of both upstreams", async () => {
  const read = {
    deviceCode: "canary-device-code",
    userCode: "ABCD-1234",
    verificationUrl: "https://accounts.x.ai/oauth2/device",
    expiresInMs: 899_000,
    intervalMs: 5000,
  };
  const cases = [
    [authorization, read],
    [{ ...authorization, interval: "7" }, { ...read, intervalMs: 7000 }],
    [{ ...authorization, interval: 0, expires_in: undefined }, { ...read, expiresInMs: 900_000 }],
    [
      {
        ...authorization,
        verification_uri_complete: "https://accounts.x.ai/oauth2/device?user_code=ABCD-1234",
      },
      { ...read, verificationUrl: "https://accounts.x.ai/oauth2/device?user_code=ABCD-1234" },
    ],
    [{ ...authorization, verification_uri_complete: "javascript:alert(1)" }, read],
  ] as const;
  for (const [body, expected] of cases) {
    assert.deepEqual(await judgeDeviceAuthorization(json(200, body)), {
      kind: "authorized",
      authorization: expected,
    });
  }
});

Deno.test("judgeDeviceAuthorization() fails with a code that repeats nothing of the body", async () => {
  const cases: readonly (readonly [Response, string])[] = [
    [json(400, { error: "invalid_client", error_description: "canary" }), "invalid_client"],
    [json(200, { error: "device_flow_disabled" }), "device_flow_disabled"],
    [json(404, { error: "Not Found" }), "http_404"],
    [json(200, { ...authorization, verification_uri: "file:///etc/passwd" }), "http_200"],
    [json(200, { ...authorization, device_code: "" }), "http_200"],
    [challengePage(), "http_403"],
    [new Response(null, { status: 503 }), "http_503"],
  ];
  for (const [response, reason] of cases) {
    assert.deepEqual(await judgeDeviceAuthorization(response), { kind: "failed", reason });
  }
});

Deno.test("judgeDeviceToken() tells apart every way in which a poll ends", async () => {
  const cases: readonly (readonly [string, Response, unknown])[] = [
    ["xAI pending", json(400, { error: "authorization_pending" }), { kind: "pending" }],
    ["GitHub pending", json(200, { error: "authorization_pending" }), { kind: "pending" }],
    ["empty error", json(400, { error: "" }), { kind: "pending" }],
    ["slow down", json(400, { error: "slow_down" }), { kind: "slow_down" }],
    ["GitHub slow down", json(200, { error: "slow_down", interval: 10 }), {
      kind: "slow_down",
      intervalMs: 10_000,
    }],
    ["interval as text", json(200, { error: "slow_down", interval: "12" }), {
      kind: "slow_down",
      intervalMs: 12_000,
    }],
    ["slow down as 429", json(429, { error: "slow_down" }), { kind: "slow_down" }],
    ["denied", json(400, { error: "access_denied" }), { kind: "denied" }],
    ["denied, other word", json(200, { error: "authorization_denied" }), { kind: "denied" }],
    ["nested", json(400, { error: { code: "access_denied" } }), { kind: "denied" }],
    ["expired", json(200, { error: "expired_token" }), { kind: "expired" }],
    ["bad code", json(200, { error: "incorrect_device_code" }), {
      kind: "failed",
      reason: "incorrect_device_code",
    }],
    ["forbidden", json(403, { message: "canary" }), { kind: "failed", reason: "http_403" }],
    ["unavailable code", json(400, { error: "temporarily_unavailable" }), {
      kind: "unavailable",
      reason: "temporarily_unavailable",
    }],
    ["gateway's error", json(400, { error: { message: "x" } }), { kind: "unavailable", reason: "http_400" }],
    ["challenge", challengePage(), { kind: "unavailable", reason: "http_403" }],
    ["not JSON", new Response("nope", { status: 400 }), { kind: "unavailable", reason: "http_400" }],
    ["rate limit", json(429, {}, { "retry-after": "9" }), {
      kind: "unavailable",
      reason: "http_429",
      retryAfterMs: 9000,
    }],
    ["server error with a final code", json(503, { error: "access_denied" }), {
      kind: "unavailable",
      reason: "http_503",
    }],
    ["success without a token", json(200, {}), { kind: "unavailable", reason: "http_200" }],
    ["redirect", new Response(null, { status: 302 }), { kind: "unavailable", reason: "http_302" }],
    ["token", json(200, { access_token: "a", refresh_token: "r", id_token: "i", expires_in: "3600" }), {
      kind: "token",
      accessToken: "a",
      tokens: { accessToken: "a", refreshToken: "r", idToken: "i", expiresInSeconds: 3600 },
    }],
    ["token alone", json(200, { access_token: "a", refresh_token: "", expires_in: null }), {
      kind: "token",
      accessToken: "a",
      tokens: { accessToken: "a" },
    }],
  ];
  for (const [name, response, expected] of cases) {
    assert.deepEqual(await judgeDeviceToken(response, nowMs), expected, name);
  }
});

Deno.test("requestDeviceAuthorization() and requestDeviceToken() send the forms of RFC 8628", async () => {
  await withUpstream(() => json(400, { error: "authorization_pending" }), async (origin, received) => {
    await requestDeviceAuthorization(
      `${origin}/device`,
      { clientId: "id", scope: "a b" },
      runtime,
      noAbort(),
    );
    await requestDeviceToken(`${origin}/token`, { clientId: "id", deviceCode: "d&c" }, runtime, noAbort());
    assert.deepEqual(received.map(({ method, path, body }) => [method, path, body]), [
      ["POST", "/device", "client_id=id&scope=a+b"],
      [
        "POST",
        "/token",
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=d%26c&client_id=id",
      ],
    ]);
    for (const { headers } of received) {
      assert.equal(headers["content-type"], "application/x-www-form-urlencoded");
      assert.equal(headers["accept"], "application/json");
    }
  });
});
