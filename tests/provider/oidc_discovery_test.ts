import assert from "node:assert/strict";
import { createDiscovery, isAtIssuer, judgeDiscovery } from "../../src/provider/oidc_discovery.ts";
import { challengePage, json, noAbort, nowMs, runtime, withUpstream } from "./stub_upstream.ts";

const issuer = "https://auth.x.ai";
const document = {
  issuer,
  device_authorization_endpoint: "https://auth.x.ai/oauth2/device/code",
  token_endpoint: "https://auth.x.ai/oauth2/token",
  revocation_endpoint: "https://accounts.x.ai/oauth2/revoke",
};

Deno.test("judgeDiscovery() takes the endpoints of the issuer's own document", async () => {
  const { device_authorization_endpoint: device, token_endpoint: token, revocation_endpoint: revocation } =
    document;
  const server = { deviceAuthorizationEndpoint: device, tokenEndpoint: token };
  assert.deepEqual(await judgeDiscovery(json(200, document), issuer), {
    kind: "found",
    server: { ...server, revocationEndpoint: revocation },
  });
  const { revocation_endpoint: _, ...without } = document;
  assert.deepEqual(await judgeDiscovery(json(200, { ...without, issuer: `${issuer}/` }), issuer), {
    kind: "found",
    server,
  });
});

Deno.test("judgeDiscovery() refuses what another party could have written", async () => {
  const cases: readonly (readonly [Response, string])[] = [
    [
      json(200, { ...document, token_endpoint: "https://x.ai.evil.test/token" }),
      "discovery_endpoint_elsewhere",
    ],
    [json(200, { ...document, revocation_endpoint: "http://auth.x.ai/r" }), "discovery_endpoint_elsewhere"],
    [json(200, { ...document, issuer: "https://evil.test" }), "discovery_of_another_issuer"],
    [json(200, { ...document, issuer: undefined }), "discovery_of_another_issuer"],
    [json(200, { ...document, device_authorization_endpoint: 7 }), "discovery_without_device_flow"],
    [new Response("nope"), "discovery_not_json"],
    [challengePage(), "discovery_http_403"],
    [new Response(null, { status: 302 }), "discovery_http_302"],
  ];
  for (const [response, reason] of cases) {
    assert.deepEqual(await judgeDiscovery(response, issuer), { kind: "failed", reason });
  }
});

Deno.test("isAtIssuer() accepts the issuer's domain and nothing beside it", () => {
  const accepted = [
    ["https://auth.x.ai/t", issuer],
    ["https://x.ai/t", issuer],
    ["https://id.example.com/t", "https://id.example.com"],
    ["https://token.id.example.com/t", "https://id.example.com"],
    ["http://127.0.0.1:4100/t", "http://127.0.0.1:4100/grok"],
    ["http://localhost:4100/t", "http://localhost:4100"],
  ] as const;
  for (const [endpoint, at] of accepted) assert.equal(isAtIssuer(endpoint, at), true, endpoint);
  const refused = [
    ["http://auth.x.ai/t", issuer],
    ["https://evilx.ai/t", issuer],
    ["https://x.ai.evil.test/t", issuer],
    ["https://auth.x.ai:8443/t", issuer],
    ["https://user@auth.x.ai/t", issuer],
    ["https://other.example.com/t", "https://id.example.com"],
    ["http://127.0.0.1:4101/t", "http://127.0.0.1:4100"],
    ["http://intranet/t", "http://intranet"],
    ["not a url", issuer],
  ] as const;
  for (const [endpoint, at] of refused) assert.equal(isAtIssuer(endpoint, at), false, endpoint);
});

Deno.test("createDiscovery() asks once an hour, and again after a failure", async () => {
  let now = nowMs;
  let status = 503;
  const answer = (_request: unknown, origin: string): Response =>
    json(status, {
      issuer: origin,
      device_authorization_endpoint: `${origin}/d`,
      token_endpoint: `${origin}/t`,
    });
  await withUpstream(answer, async (origin, received) => {
    const discover = createDiscovery(origin, { ...runtime, now: () => now });
    assert.deepEqual(await discover(noAbort()), { kind: "failed", reason: "discovery_http_503" });
    status = 200;
    assert.equal((await discover(noAbort())).kind, "found");
    now += 3_599_999;
    assert.equal((await discover(noAbort())).kind, "found");
    assert.equal(received.length, 2);
    now += 1;
    assert.equal((await discover(noAbort())).kind, "found");
    assert.equal(received.length, 3);
    assert.equal(received[0]?.path, "/.well-known/openid-configuration");
  });
});
