import assert from "node:assert/strict";
import { createRelayApp } from "../../src/app/app.ts";
import { openStore } from "../../src/store/store.ts";
import type { TrafficEvent } from "../../src/traffic/observe.ts";
import { openFormBrowser } from "./form_browser.ts";
import { startOidcIssuer } from "./oidc_issuer.ts";
import { identitySecret, jwtSecret } from "./rig.ts";

/** A sign-in that waits for its person. */
interface StartedSignIn {
  readonly sessionId: string;
  readonly userCode: string;
  readonly verificationUrl: string;
  readonly expiresInMs: number;
  readonly pollIntervalMs: number;
}

/**
 * A relay whose Grok is `npm:oidc-provider`. The server has the real clock; the relay's runs ahead of it by `aheadMs`,
 * which is how the end of a pause or of a token comes without waiting for it.
 */
async function startGrokRig() {
  const issuer = await startOidcIssuer();
  const clock = { aheadMs: 0 };
  const events: TrafficEvent[] = [];
  /** The access tokens that xAI's API was given, oldest first. */
  const presented: string[] = [];

  const api = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const token = request.headers.get("authorization")?.replace(/^Bearer /, "") ?? "";
    presented.push(token);
    const claims = await issuer.verify(token).catch(() => undefined);
    return claims?.["scope"] === "grok-cli:access api:access"
      ? Response.json({ data: [{ id: `grok-of-${claims.sub}` }] })
      : Response.json({ error: "The OAuth2 access token could not be validated." }, { status: 401 });
  });

  const store = await openStore({ databasePath: ":memory:", kvPath: ":memory:" });
  const app = createRelayApp({
    store,
    jwtSecret,
    identitySecret,
    originator: "oidc rig",
    providers: {
      enabled: ["xai"],
      xai: { issuerUrl: issuer.origin, apiUrl: `http://127.0.0.1:${api.addr.port}` },
    },
    now: () => Date.now() + clock.aheadMs,
    observe: (event) => void events.push(event),
  });

  async function call(path: string, init: RequestInit = {}): Promise<Response> {
    return await app.fetch(new Request(`http://relay.test${path}`, init));
  }

  async function withJwt(jwt: string, path: string, method = "GET"): Promise<Response> {
    return await call(path, { method, headers: { authorization: `Bearer ${jwt}` } });
  }

  async function start(): Promise<StartedSignIn> {
    const response = await call("/auth/start", { method: "POST", body: JSON.stringify({ provider: "xai" }) });
    assert.equal(response.status, 200, await response.clone().text());
    return await response.json();
  }

  /** One poll, after `laterMs` have passed for the relay. */
  async function poll(
    sessionId: string,
    laterMs = 0,
  ): Promise<{ status: string; jwt?: string; error?: string }> {
    clock.aheadMs += laterMs;
    return await (await call(`/auth/poll/${sessionId}`)).json();
  }

  async function signIn(login: string): Promise<string> {
    const { sessionId, verificationUrl, pollIntervalMs } = await start();
    await approve(verificationUrl, login);
    const answer = await poll(sessionId, pollIntervalMs);
    assert.equal(answer.status, "complete", JSON.stringify(answer));
    assert.ok(answer.jwt !== undefined);
    return answer.jwt;
  }

  async function userId(jwt: string): Promise<string> {
    return (await (await withJwt(jwt, "/auth/whoami")).json()).user.id;
  }

  async function models(jwt: string): Promise<readonly string[]> {
    const response = await withJwt(jwt, "/v1/models");
    assert.equal(response.status, 200, await response.clone().text());
    return (await response.json()).data.map(({ id }: { id: string }) => id);
  }

  return {
    issuer,
    clock,
    events,
    presented,
    withJwt,
    start,
    poll,
    signIn,
    userId,
    models,
    async [Symbol.asyncDispose]() {
      await api.shutdown();
      await store.close();
      await issuer[Symbol.asyncDispose]();
    },
  };
}

/** A person opens the link, compares the code, signs in and consents, on the server's own pages. */
async function approve(verificationUrl: string, login: string): Promise<void> {
  const browser = openFormBrowser();
  const carriedCode = await browser.open(verificationUrl);
  const compare = await browser.submit(carriedCode);
  assert.match(compare.html, /Confirm Device/);
  const code = new URL(verificationUrl).searchParams.get("user_code") ?? "";
  assert.ok(compare.html.includes(`<code>${code}</code>`), compare.html);
  const signIn = await browser.submit(compare);
  const consent = await browser.submit(signIn, { login, password: "any" });
  assert.match(consent.html, /<h1>Authorize<\/h1>/);
  const done = await browser.submit(consent);
  assert.equal(done.status, 200);
  assert.match(done.html, /Sign-in Success/);
}

/** Advances the relay's clock into the time in which it renews access tokens: four minutes before their end. */
function nearTheEndOf(expiresInSeconds: number): number {
  return (expiresInSeconds - 4 * 60) * 1000;
}

Deno.test("the device flow with oidc-provider keeps the server's pace and ends in a session", async () => {
  await using rig = await startGrokRig();
  const { issuer } = rig;

  const { sessionId, userCode, verificationUrl, ...times } = await rig.start();
  assert.deepEqual(issuer.requests.map(({ path, status }) => [path, status]), [
    ["/.well-known/openid-configuration", 200],
    ["/oauth2/device/code", 200],
  ]);
  assert.equal(verificationUrl, `${issuer.origin}/oauth2/device?user_code=${userCode}`);
  // The server names no interval: RFC 8628 section 3.2 makes that five seconds.
  assert.deepEqual(times, { provider: "xai", expiresInMs: 1_800_000, pollIntervalMs: 5_000 });

  assert.deepEqual(await rig.poll(sessionId), { status: "pending" });
  assert.equal(issuer.polls().length, 0, "the server was asked before its interval");
  assert.deepEqual(await rig.poll(sessionId, 5_000), { status: "pending" });
  assert.deepEqual(issuer.polls().map(({ status, error }) => [status, error]), [[
    400,
    "authorization_pending",
  ]]);

  issuer.slowDownNextPoll();
  assert.deepEqual(await rig.poll(sessionId, 5_000), { status: "pending" });
  assert.equal(issuer.polls().at(-1)?.error, "slow_down");
  // RFC 8628 section 3.5: from here on five seconds more.
  assert.deepEqual(await rig.poll(sessionId, 9_000), { status: "pending" });
  assert.equal(issuer.polls().length, 2, "slow_down was not heeded");
  assert.deepEqual(await rig.poll(sessionId, 1_000), { status: "pending" });
  assert.equal(issuer.polls().length, 3);

  await approve(verificationUrl, "ada");
  const answer = await rig.poll(sessionId, 10_000);
  assert.equal(answer.status, "complete", JSON.stringify(answer));
  const jwt = answer.jwt ?? "";
  assert.equal(issuer.polls().at(-1)?.status, 200);
  assert.equal((await issuer.verify(issuer.issued[0]?.accessToken ?? "")).sub, "ada");
  assert.deepEqual(await rig.models(jwt), ["grok-of-ada"]);
  assert.equal((await rig.poll(sessionId)).jwt, jwt);
  assert.equal(issuer.polls().length, 4, "a finished sign-in was asked for again");
});

Deno.test("sign-ins at oidc-provider are told apart by the subject of the access token", async () => {
  await using rig = await startGrokRig();
  const ada = await rig.userId(await rig.signIn("ada"));
  assert.equal(await rig.userId(await rig.signIn("ada")), ada);
  assert.notEqual(await rig.userId(await rig.signIn("bob")), ada);
});

Deno.test("access tokens of oidc-provider are renewed once, with rotation", async () => {
  await using rig = await startGrokRig();
  const { issuer, clock, presented } = rig;
  const jwt = await rig.signIn("ada");
  const redemptions = () => issuer.requests.filter(({ grantType }) => grantType === "refresh_token").length;

  await rig.models(jwt);
  assert.equal(redemptions(), 0, "a young token was renewed");

  for (const rotation of [1, 2]) {
    const before = issuer.issued.at(-1);
    assert.ok(before !== undefined);
    clock.aheadMs = nearTheEndOf(before.expiresInSeconds);
    // The server does not know that time has passed: its next token has to outlive the relay's clock all the same.
    issuer.accessTokenSeconds = 2 * before.expiresInSeconds;
    const both = await Promise.all([rig.models(jwt), rig.models(jwt)]);

    assert.deepEqual(both, [["grok-of-ada"], ["grok-of-ada"]]);
    assert.equal(redemptions(), rotation, "a refresh token is for one redemption");
    const after = issuer.issued.at(-1);
    assert.ok(after !== undefined && after.refreshToken !== before.refreshToken);
    assert.deepEqual(presented.slice(-2), [after.accessToken, after.accessToken]);
    await rig.models(jwt);
    assert.equal(presented.at(-1), after.accessToken);
    assert.equal(redemptions(), rotation, "the renewed token was not kept");
  }
});

Deno.test("signing out revokes the grant at oidc-provider", async () => {
  await using rig = await startGrokRig();
  const jwt = await rig.signIn("ada");
  const refreshToken = rig.issuer.issued[0]?.refreshToken ?? "";

  assert.equal((await rig.withJwt(jwt, "/auth/revoke", "POST")).status, 204);

  assert.deepEqual(
    rig.issuer.requests.filter(({ path }) => path === "/oauth2/revoke").map(({ status }) => status),
    [200],
  );
  const redeemed = await rig.issuer.redeem(refreshToken);
  assert.equal(redeemed.status, 400);
  assert.equal((await redeemed.json()).error, "invalid_grant");
  assert.equal((await rig.withJwt(jwt, "/auth/whoami")).status, 401);
  assert.equal((await rig.withJwt(jwt, "/v1/models")).status, 401);
});

Deno.test("a grant that oidc-provider ended for a reused refresh token ends the session", async () => {
  await using rig = await startGrokRig();
  const jwt = await rig.signIn("ada");
  const [tokens] = rig.issuer.issued;
  assert.ok(tokens !== undefined);
  // Somebody else was quicker; the relay's own redemption is then the reuse that the server punishes.
  const stolen = await rig.issuer.redeem(tokens.refreshToken);
  assert.equal(stolen.status, 200, await stolen.text());

  rig.clock.aheadMs = nearTheEndOf(tokens.expiresInSeconds);
  const response = await rig.withJwt(jwt, "/v1/models");

  assert.equal(response.status, 401);
  assert.deepEqual(await response.json(), { error: "unauthorized" });
  assert.deepEqual(rig.events.filter(({ kind }) => kind === "refresh_failed"), [
    {
      kind: "refresh_failed",
      requestId: response.headers.get("x-request-id"),
      provider: "xai",
      ended: true,
      reason: "invalid_grant",
    },
  ]);
  assert.equal((await rig.withJwt(jwt, "/auth/whoami")).status, 401);
});

Deno.test("a refusal on oidc-provider's pages ends the sign-in", async (test) => {
  await using rig = await startGrokRig();
  const refusals: Readonly<Record<string, (verificationUrl: string) => Promise<unknown>>> = {
    async "instead of confirming the code"(verificationUrl) {
      const browser = openFormBrowser();
      const compare = await browser.submit(await browser.open(verificationUrl));
      return await browser.submit(compare, { abort: "yes" });
    },
    async "instead of consenting"(verificationUrl) {
      const browser = openFormBrowser();
      const compare = await browser.submit(await browser.open(verificationUrl));
      const consent = await browser.submit(await browser.submit(compare), { login: "ada", password: "any" });
      return await browser.follow(consent, "Cancel");
    },
  };
  for (const [when, refuse] of Object.entries(refusals)) {
    await test.step(when, async () => {
      const { sessionId, verificationUrl, pollIntervalMs } = await rig.start();
      await refuse(verificationUrl);
      const answer = await rig.poll(sessionId, pollIntervalMs);
      assert.equal(rig.issuer.polls().at(-1)?.error, "access_denied");
      assert.deepEqual(answer, {
        status: "error",
        error: "The sign-in was refused on the provider's page.",
      });
    });
  }
});

Deno.test("a code that oidc-provider holds for expired ends the sign-in", async () => {
  await using rig = await startGrokRig();
  const { sessionId, pollIntervalMs } = await rig.start();
  rig.issuer.expireDeviceCodes();
  assert.deepEqual(await rig.poll(sessionId, pollIntervalMs), { status: "expired" });
  assert.equal(rig.issuer.polls().at(-1)?.error, "expired_token");
});
