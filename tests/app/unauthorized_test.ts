/**
 * One answer to every authentication failure: whatever is wrong with a credential, on whatever route, the caller gets the
 * same status, the same bytes and the same headers.
 */
import assert from "node:assert/strict";
import { SignJWT } from "jose";
import { createJwtKeyRing, createSessionJwt, type SessionClaims } from "../../src/crypto/session_jwt.ts";
import { jwtSecret, type Rig, startRig } from "../e2e/rig.ts";

const routes: readonly (readonly [method: string, path: string])[] = [
  ["GET", "/auth/whoami"],
  ["POST", "/auth/revoke"],
  ["GET", "/v1/models"],
  ["GET", "/v1/models/gpt-5.5"],
  ["POST", "/v1/chat/completions"],
  ["POST", "/v1/responses"],
  ["GET", "/v1/responses"],
  ["POST", "/v1/completions"],
  ["GET", "/v1/subscription/status"],
  ["GET", "/v1/account/rate_limits"],
  ["GET", "/v1/files"],
  ["POST", "/v1/files"],
  ["GET", "/v1/files/file-x/content"],
  ["GET", "/v1/relay/status"],
  ["GET", "/no-tools/v1/models"],
  ["POST", "/no-tools/v1/chat/completions"],
  ["POST", "/no-tools/v1/nothing"],
  ["POST", "/v1/embeddings"],
  ["GET", "/v1/chat/completions"],
  ["DELETE", "/v1/no/such/thing"],
  ["GET", "/v1"],
];

/** What differs from request to request, whatever the credential. */
const ofThisRequest = ["date", "x-request-id"];

Deno.test("every cause of failed authentication gets the same bytes on every protected route", async () => {
  await using rig = await startRig();
  const causes = await failingCredentials(rig);
  assert.ok(causes.size >= 20);
  let expected: unknown;
  for (const [method, path] of routes) {
    for (const [cause, authorization] of causes) {
      const response = await fetch(rig.origin + path, {
        method,
        headers: authorization === undefined ? {} : { authorization },
      });
      const seen = {
        status: response.status,
        body: await response.text(),
        headers: Object.fromEntries([...response.headers].filter(([name]) => !ofThisRequest.includes(name))),
      };
      expected ??= seen;
      assert.deepEqual(seen, expected, `${method} ${path} with ${cause}`);
    }
  }
  const health = await fetch(`${rig.origin}/healthz`);
  await health.body?.cancel();
  const exposed = health.headers.get("access-control-expose-headers");
  assert.deepEqual(expected, {
    status: 401,
    body: '{"error":"unauthorized"}',
    headers: {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": exposed,
      "content-length": "24",
      "content-type": "application/json",
      "www-authenticate": "Bearer",
    },
  });
});

Deno.test("the log keeps the reason that the caller does not see", async () => {
  await using rig = await startRig();
  const causes = await failingCredentials(rig);
  const reasons = new Set<string>();
  for (const authorization of causes.values()) {
    rig.events.length = 0;
    await (await fetch(`${rig.origin}/auth/whoami`, {
      headers: authorization === undefined ? {} : { authorization },
    })).body?.cancel();
    const event = rig.events.find(({ kind }) => kind === "authentication_failed");
    assert.ok(event?.kind === "authentication_failed");
    assert.equal(event.route, "/auth/whoami");
    reasons.add(event.reason);
  }
  assert.deepEqual(
    [...reasons].sort(),
    ["claims", "expired", "malformed", "missing", "revoked", "signature", "wrong_key"],
  );
});

/** Authorization headers that must all fail, by cause. */
async function failingCredentials(rig: Rig): Promise<Map<string, string | undefined>> {
  const good = await rig.signIn("openai");
  const revoked = await rig.signIn("openai");
  const revocation = await fetch(`${rig.origin}/auth/revoke`, {
    method: "POST",
    headers: { authorization: `Bearer ${revoked}` },
  });
  assert.equal(revocation.status, 204);

  const secret = Uint8Array.fromHex(jwtSecret);
  const ours = createSessionJwt(createJwtKeyRing({ current: secret, previous: [] }));
  const theirs = createSessionJwt(createJwtKeyRing({ current: new Uint8Array(32).fill(5), previous: [] }));
  const verified = await ours.verify(good, rig.clock.nowMs);
  assert.ok(verified.kind === "valid");
  const { claims } = verified;
  const signed = (change: Partial<SessionClaims>) => ours.sign({ ...claims, ...change });
  const [header = "", payload = "", signature = ""] = good.split(".");
  const json = JSON.parse(
    new TextDecoder().decode(Uint8Array.fromBase64(payload, { alphabet: "base64url" })),
  );
  const raw = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: "base64url", omitPadding: true });
  const odd = (change: object) =>
    new SignJWT({ ...json, ...change }).setProtectedHeader({ alg: "HS256" }).sign(secret);

  const tokens: Record<string, string> = {
    "empty": "",
    "garbage": "garbage",
    "dots only": "..",
    "two segments": `${header}.${payload}`,
    "four segments": `${good}.x`,
    "changed signature": `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    "no signature": `${header}.${payload}.`,
    "changed payload": `${header}.${raw({ ...json, exp: json.exp + 1 })}.${signature}`,
    "alg none": `${raw({ alg: "none", typ: "JWT" })}.${payload}.`,
    "another algorithm": `${raw({ alg: "HS512", typ: "JWT" })}.${payload}.${signature}`,
    "another secret": await theirs.sign(claims),
    "expired": await signed({ issuedAtS: 1, expiresAtS: 2 }),
    "revoked": revoked,
    "unknown record": await signed({ recordId: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }),
    "wrong key": await signed({ key: new Uint8Array(32).fill(1) }),
    "wrong provider": await signed({ provider: "xai" }),
    "unknown provider": await odd({ prov: "claude" }),
    "short key": await odd({ k: "AAAA" }),
    "no expiry": await odd({ exp: undefined }),
    "expiry as text": await odd({ exp: "9999999999" }),
    "hostile record id": await odd({ rid: "../../../../etc/passwd" }),
    "huge token": "a".repeat(6_000),
  };
  return new Map<string, string | undefined>([
    ["no header", undefined],
    ["basic", `Basic ${btoa("user:password")}`],
    ["no scheme", good],
    ...Object.entries(tokens).map(([cause, token]) => [cause, `Bearer ${token}`] as const),
  ]);
}
