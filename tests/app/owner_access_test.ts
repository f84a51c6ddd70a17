/**
 * Who is the relay's owner and who is not, on a relay with either half and with both.
 */
import assert from "node:assert/strict";
import { createRelayApp } from "../../src/app/app.ts";
import { createJwtKeyRing, createSessionJwt, SESSION_LIFETIME_S } from "../../src/crypto/session_jwt.ts";
import { type PersonalRig, relayToken, startPersonalRig } from "../e2e/personal_rig.ts";
import { identitySecret, jwtSecret, providersAt, startRig } from "../e2e/rig.ts";

/** A relay on the rig's store that has no app. */
async function withoutApp(rig: PersonalRig) {
  const app = createRelayApp({
    store: rig.store,
    providers: await providersAt(rig.sandbox.settings),
    jwtSecret,
    identitySecret,
    personal: rig.personal,
    now: () => rig.clock.nowMs,
  });
  return async (path: string, token?: string) =>
    await app.fetch(
      new Request(`http://127.0.0.1${path}`, {
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      }),
    );
}

/** What a caller can see of a response. */
async function seen(response: Response) {
  const ofThisRequest = ["date", "x-request-id"];
  return {
    status: response.status,
    body: await response.text(),
    headers: Object.fromEntries([...response.headers].filter(([name]) => !ofThisRequest.includes(name))),
  };
}

Deno.test("a wrong relay token gets the same bytes as every other wrong credential", async () => {
  await using personal = await startPersonalRig();
  await using app = await startRig();
  const jwt = await app.signIn("openai");
  const expired = await createSessionJwt(
    createJwtKeyRing({ current: Uint8Array.fromHex(jwtSecret), previous: [] }),
  ).sign({
    recordId: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    key: new Uint8Array(32),
    provider: "openai",
    issuedAtS: 1,
    expiresAtS: 2,
  });
  const wrong = [
    undefined,
    "wrong",
    relayToken.slice(0, -1),
    `${relayToken}x`,
    relayToken.toUpperCase(),
    // A good signature over a record that this relay does not have.
    jwt,
    expired,
  ];
  const expected = await seen(await fetch(`${app.origin}/v1/models`));
  assert.equal(expected.status, 401);
  assert.equal(expected.body, '{"error":"unauthorized"}');
  for (const path of ["/v1/models", "/v1/relay/status", "/no-tools/v1/models", "/v1/files", "/v1/nothing"]) {
    for (const token of wrong) {
      const response = await fetch(personal.origin + path, {
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      });
      assert.deepEqual(await seen(response), expected, `${path} with ${token}`);
    }
  }
});

Deno.test("the relay token opens nothing below /auth: there it is one more wrong credential", async () => {
  await using rig = await startPersonalRig();
  const whoami = await rig.asOwner("/auth/whoami");
  assert.deepEqual(await seen(whoami), await seen(await fetch(`${rig.origin}/auth/whoami`)));
});

Deno.test("without an originator /auth and /sign-in are not there, and session JWTs open nothing", async () => {
  await using rig = await startPersonalRig();
  const jwt = await rig.login("openai");
  const ask = await withoutApp(rig);
  for (const path of ["/auth/providers", "/auth/whoami", "/auth/poll/x", "/auth/anything", "/sign-in"]) {
    const response = await ask(path, jwt);
    assert.equal(response.status, 404, path);
    assert.equal((await response.json()).error.code, "not_found", path);
  }
  assert.equal((await ask("/v1/models", jwt)).status, 401);
  assert.equal((await ask("/v1/models", relayToken)).status, 200);
  assert.equal((await ask("/healthz")).status, 200);
});

Deno.test("without the personal half nobody is the owner", async () => {
  await using rig = await startRig();
  const response = await fetch(`${rig.origin}/v1/models`, {
    headers: { authorization: `Bearer ${relayToken}` },
  });
  assert.equal(response.status, 401);
});

Deno.test("createRelayApp() refuses to serve nobody, and an owner without any way in", async () => {
  await using rig = await startPersonalRig();
  const secrets = { store: rig.store, jwtSecret, identitySecret };
  assert.throws(() => createRelayApp(secrets), /originator.*personal/);
  assert.throws(() => createRelayApp({ ...secrets, personal: { logins: rig.logins } }), /relayToken/);
});

Deno.test("both kinds of credential work side by side, each for its own logins", async () => {
  await using rig = await startPersonalRig();
  await rig.login("xai", "ada");
  const jwt = await rig.signIn("openai", "bob");
  const owned = async (authorization: string) => {
    const response = await fetch(`${rig.origin}/v1/models`, { headers: { authorization } });
    const { data }: { data: { authai: { provider: string } }[] } = await response.json();
    return [...new Set(data.map(({ authai }) => authai.provider))];
  };
  assert.deepEqual(await owned(`Bearer ${relayToken}`), ["xai"]);
  assert.deepEqual(await owned(`Bearer ${jwt}`), ["openai"]);
});

Deno.test("with requireBearerAuth false everybody is the owner, also with any token, but no session turns into one", async () => {
  await using rig = await startPersonalRig({ personal: { requireBearerAuth: false } });
  await rig.login("xai");
  const ask = async (token?: string) => {
    const response = await fetch(`${rig.origin}/v1/models`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await ask(), 200);
  assert.equal(await ask("sk-anything"), 200);
  const user = await rig.signIn("openai", "bob");
  assert.equal(await ask(user), 200);
  await fetch(`${rig.origin}/auth/revoke`, { method: "POST", headers: { authorization: `Bearer ${user}` } });
  // The user who was signed out must not go on with the owner's subscription.
  assert.equal(await ask(user), 401);
});

Deno.test("a relay that asks for no credential answers no web page that nobody named", async () => {
  const origins = ["https://mine.example"];
  for (const corsOrigins of [["*"], origins]) {
    await using rig = await startPersonalRig({
      personal: { requireBearerAuth: false },
      relay: { corsOrigins },
    });
    await rig.login("xai");
    const ask = async (headers: Record<string, string>, host = "127.0.0.1:3000") => {
      const response = await rig.app.fetch(new Request(`http://${host}/v1/models`, { headers }));
      const text = await response.text();
      return response.status === 200 ? 200 : JSON.parse(text).error.code;
    };
    const refused = "web_page_not_allowed";
    assert.equal(await ask({}), 200);
    assert.equal(await ask({}, "localhost:3000"), 200);
    assert.equal(await ask({}, "[::1]:3000"), 200);
    assert.equal(await ask({}, "relay:3000"), 200);
    assert.equal(await ask({ "sec-fetch-site": "none" }), 200);
    assert.equal(await ask({ origin: "https://evil.example" }), refused);
    assert.equal(await ask({ origin: "null" }), refused);
    assert.equal(await ask({ "sec-fetch-site": "cross-site" }), refused);
    assert.equal(await ask({}, "rebound.evil.example:3000"), refused);
    assert.equal(await ask({ origin: "https://mine.example" }), corsOrigins === origins ? 200 : refused);
    // Whoever knows the token is no stranger.
    assert.equal(await ask({ origin: "https://evil.example", authorization: `Bearer ${relayToken}` }), 200);
  }
});

Deno.test("a relay that asks for no credential answers nothing that a proxy passes on, unless that is allowed", async () => {
  for (const allowProxied of [false, true]) {
    await using rig = await startPersonalRig({ personal: { requireBearerAuth: false, allowProxied } });
    await rig.login("xai");
    for (const field of ["forwarded", "via", "x-forwarded-for", "X-Forwarded-Host", "x-real-ip"]) {
      const ask = async (headers: Record<string, string>) =>
        await rig.app.fetch(new Request("http://127.0.0.1:3000/v1/models", { headers }));
      const stranger = await ask({ [field]: "for=203.0.113.7" });
      assert.equal(stranger.status, allowProxied ? 200 : 403, field);
      if (!allowProxied) {
        assert.equal((await stranger.json()).error.code, "proxied_request_not_allowed");
      } else await stranger.body?.cancel();
      // Whoever knows the token is no stranger.
      const owner = await ask({ [field]: "for=203.0.113.7", authorization: `Bearer ${relayToken}` });
      assert.equal(owner.status, 200, field);
      await owner.body?.cancel();
    }
  }
});

Deno.test("a login in use is signed anew when less than seven days are left, and others are left alone", async () => {
  await using rig = await startPersonalRig();
  const first = await rig.login("openai");
  const stored = async () => (await rig.logins.read()).sessions.get("openai");
  const day = 24 * 60 * 60_000;
  rig.clock.nowMs += 7 * day - 60_000;
  assert.equal((await rig.asOwner("/v1/models")).status, 200);
  assert.equal(await stored(), first);
  rig.clock.nowMs += 120_000;
  await Promise.all([1, 2, 3].map(async () => await (await rig.asOwner("/v1/models")).text()));
  const second = await stored();
  assert.ok(second !== undefined && second !== first);
  const verified = await createSessionJwt(
    createJwtKeyRing({ current: Uint8Array.fromHex(jwtSecret), previous: [] }),
  ).verify(second, rig.clock.nowMs);
  assert.ok(verified.kind === "valid");
  assert.equal(verified.claims.expiresAtS, Math.floor(rig.clock.nowMs / 1000) + SESSION_LIFETIME_S);
  rig.clock.nowMs += 10 * day;
  assert.equal((await rig.asOwner("/v1/models")).status, 200, "the owner was signed out after 17 days");
});

Deno.test("a login that has expired is no login, and a file of logins that is damaged fails without its content", async () => {
  await using rig = await startPersonalRig();
  await rig.login("openai");
  rig.clock.nowMs += 15 * 24 * 60 * 60_000;
  assert.equal((await (await rig.asOwner("/v1/models")).json()).error.code, "upstream_auth_missing");
  await Deno.writeTextFile(`${rig.dataDir}/owner.json`, "canary-broken");
  const broken = await rig.asOwner("/v1/models");
  assert.equal(broken.status, 500);
  const text = await broken.text();
  assert.ok(!text.includes("canary"), text);
});
