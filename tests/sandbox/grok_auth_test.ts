import assert from "node:assert/strict";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import { CLIENT_ID, poll, postForm, readTokens, refresh, signIn, startDevice } from "./grok_client.ts";
import { at } from "./sse_reader.ts";

const START_MS = Date.UTC(2026, 10, 22, 12);

/** Runs `test` on a sandbox whose clock stands still until it is moved. */
async function withSandbox(
  test: (sandbox: Sandbox, passSeconds: (seconds: number) => void) => Promise<void>,
  options: SandboxOptions = {},
): Promise<void> {
  let nowMs = START_MS;
  const sandbox = await startSandbox({ now: () => nowMs, ...options });
  try {
    await test(sandbox, (seconds) => nowMs += seconds * 1000);
  } finally {
    await sandbox.shutdown();
  }
}

async function errorOf(response: Response): Promise<readonly [number, unknown]> {
  return [response.status, at(await response.json(), "error")];
}

function claimsOf(jwt: unknown): unknown {
  const payload = String(jwt).split(".")[1] ?? "";
  return JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(payload, { alphabet: "base64url" })));
}

Deno.test("createGrokAuth() tells its endpoints by discovery", () =>
  withSandbox(async (sandbox) => {
    const issuer = `${sandbox.origin}/xai/auth`;
    const document: unknown = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    assert.equal(at(document, "issuer"), issuer);
    assert.equal(at(document, "device_authorization_endpoint"), `${issuer}/oauth2/device/code`);
    assert.equal(at(document, "token_endpoint"), `${issuer}/oauth2/token`);
    assert.equal(at(document, "revocation_endpoint"), `${issuer}/oauth2/revoke`);
  }));

Deno.test("createGrokAuth() signs a person in when the page approves", () =>
  withSandbox(async (sandbox, passSeconds) => {
    const { deviceCode, userCode, all } = await startDevice(sandbox);
    assert.match(userCode, /^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
    assert.equal(at(all, "interval"), 5);
    assert.equal(at(all, "expires_in"), 1800);
    const page = String(at(all, "verification_uri_complete"));
    assert.equal(page, `${String(at(all, "verification_uri"))}?user_code=${userCode}`);
    assert.deepEqual(await errorOf(await poll(sandbox, deviceCode)), [400, "authorization_pending"]);

    assert.match(await (await fetch(page)).text(), new RegExp(userCode));
    const clicked = await fetch(page, {
      method: "POST",
      body: new URLSearchParams({ user_code: userCode, user: "bob", decision: "approve" }),
    });
    assert.equal(clicked.status, 200);
    await clicked.body?.cancel();

    passSeconds(5);
    const { accessToken, all: answer } = await readTokens(await poll(sandbox, deviceCode));
    assert.equal(at(answer, "token_type"), "Bearer");
    assert.equal(at(answer, "expires_in"), 3600);
    const claims = claimsOf(accessToken);
    assert.equal(at(claims, "iss"), `${sandbox.origin}/xai/auth`);
    assert.equal(at(claims, "aud"), CLIENT_ID);
    assert.equal(at(claims, "tier"), 5);
    assert.equal(at(claims, "exp"), START_MS / 1000 + 5 + 3600);
    assert.equal(at(claims, "principal_type"), "User");
    assert.equal(at(claimsOf(at(answer, "id_token")), "email"), "bob@team.example.com");

    passSeconds(5);
    assert.deepEqual(await errorOf(await poll(sandbox, deviceCode)), [400, "invalid_grant"]);
    const info = await fetch(`${sandbox.origin}/xai/auth/oauth2/userinfo`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    assert.equal(at(await info.json(), "sub"), at(claims, "sub"));
  }));

Deno.test("createGrokAuth() raises the interval by five seconds when polls come too early", () =>
  withSandbox(async (sandbox, passSeconds) => {
    const { deviceCode } = await startDevice(sandbox);
    assert.deepEqual(await errorOf(await poll(sandbox, deviceCode)), [400, "authorization_pending"]);
    passSeconds(4);
    assert.deepEqual(await errorOf(await poll(sandbox, deviceCode)), [400, "slow_down"]);
    passSeconds(9);
    assert.deepEqual(await errorOf(await poll(sandbox, deviceCode)), [400, "slow_down"]);
    passSeconds(15);
    assert.deepEqual(await errorOf(await poll(sandbox, deviceCode)), [400, "authorization_pending"]);
    assert.equal(sandbox.control.counters()["grok.slowDowns"], 2);
  }));

Deno.test("createGrokAuth() answers a scripted slow_down and keeps to it", () =>
  withSandbox(async (sandbox, passSeconds) => {
    const { deviceCode } = await startDevice(sandbox);
    sandbox.control.addFault({ upstream: "grok", on: "poll", kind: { type: "slow_down" } });
    assert.deepEqual(await errorOf(await poll(sandbox, deviceCode)), [400, "slow_down"]);
    passSeconds(9);
    assert.deepEqual(await errorOf(await poll(sandbox, deviceCode)), [400, "slow_down"]);
  }));

Deno.test("createGrokAuth() tells denial and expiry apart", () =>
  withSandbox(async (sandbox, passSeconds) => {
    const denied = await startDevice(sandbox);
    const expired = await startDevice(sandbox);
    sandbox.control.deny(denied.userCode);
    assert.deepEqual(await errorOf(await poll(sandbox, denied.deviceCode)), [400, "access_denied"]);
    passSeconds(1800);
    assert.deepEqual(await errorOf(await poll(sandbox, expired.deviceCode)), [400, "expired_token"]);
    assert.equal(sandbox.control.approvals().length, 0);
  }));

Deno.test("createGrokAuth() consumes nothing when the client of a hanging poll leaves", () =>
  withSandbox(async (sandbox) => {
    const { deviceCode, userCode } = await startDevice(sandbox);
    sandbox.control.approve(userCode, "ada");
    sandbox.control.addFault({ upstream: "grok", on: "poll", kind: { type: "hang" } });
    const leaving = new AbortController();
    const abandoned = poll(sandbox, deviceCode, leaving.signal);
    await sandbox.control.waitForRequests({ upstream: "grok", on: "poll" });
    leaving.abort();
    await assert.rejects(abandoned);
    await sandbox.control.waitForRequests({ on: "poll", end: "client_left" });
    await readTokens(await poll(sandbox, deviceCode));
  }));

Deno.test("createGrokAuth() rotates refresh tokens and forgives reuse for a minute", () =>
  withSandbox(async (sandbox, passSeconds) => {
    const first = await signIn(sandbox, "ada");
    const second = await readTokens(await refresh(sandbox, first.refreshToken));
    assert.notEqual(second.refreshToken, first.refreshToken);
    assert.notEqual(second.accessToken, first.accessToken);
    passSeconds(59);
    const again = await readTokens(await refresh(sandbox, first.refreshToken));
    assert.equal(again.refreshToken, second.refreshToken);

    passSeconds(1);
    const late = await refresh(sandbox, first.refreshToken);
    assert.equal(late.status, 400);
    assert.deepEqual(await late.json(), {
      error: "invalid_grant",
      error_description: "Refresh token has been revoked",
    });
    assert.deepEqual(await errorOf(await refresh(sandbox, second.refreshToken)), [400, "invalid_grant"]);
    assert.equal(sandbox.control.counters()["grok.familiesRevokedForReuse"], 1);
    const info = await fetch(`${sandbox.origin}/xai/auth/oauth2/userinfo`, {
      headers: { authorization: `Bearer ${again.accessToken}` },
    });
    assert.deepEqual(await errorOf(info), [401, "invalid_token"]);
  }));

Deno.test("createGrokAuth() ends one family and no other when a token is revoked", () =>
  withSandbox(async (sandbox) => {
    const phone = await signIn(sandbox, "ada");
    const laptop = await signIn(sandbox, "ada");
    const fields = { client_id: CLIENT_ID, token: phone.refreshToken };
    for (const token of [phone.refreshToken, "never issued"]) {
      const revoked = await postForm(sandbox, "/oauth2/revoke", { ...fields, token });
      assert.equal(revoked.status, 200);
      await revoked.body?.cancel();
    }
    assert.deepEqual(await errorOf(await refresh(sandbox, phone.refreshToken)), [400, "invalid_grant"]);
    await readTokens(await refresh(sandbox, laptop.refreshToken));
  }));

Deno.test("createGrokAuth() refuses requests that are not as the RFCs say", () =>
  withSandbox(async (sandbox) => {
    const url = `${sandbox.origin}/xai/auth/oauth2/token`;
    const device = `${sandbox.origin}/xai/auth/oauth2/device/code`;
    const form = "application/x-www-form-urlencoded";
    const send = (to: string, type: string, body: string) =>
      fetch(to, { method: "POST", headers: { "content-type": type }, body });
    const cases: readonly (readonly [Promise<Response>, number, string])[] = [
      [send(device, "application/json", JSON.stringify({ client_id: CLIENT_ID })), 400, "invalid_request"],
      [send(device, form, `client_id=${CLIENT_ID}&client_id=${CLIENT_ID}`), 400, "invalid_request"],
      [send(device, form, "client_id=unknown&scope=openid"), 401, "invalid_client"],
      [send(device, form, `client_id=${CLIENT_ID}&scope=openid+team%3Aread`), 400, "invalid_scope"],
      [send(url, form, "grant_type=password"), 400, "unsupported_grant_type"],
      [send(url, form, `grant_type=refresh_token&client_id=${CLIENT_ID}`), 400, "invalid_request"],
      [
        send(url, form, `grant_type=refresh_token&refresh_token=x&client_id=${CLIENT_ID}`),
        400,
        "invalid_grant",
      ],
      [send(url, form, "grant_type=refresh_token&refresh_token=x&client_id=y"), 401, "invalid_client"],
    ];
    for (const [answer, status, error] of cases) {
      assert.deepEqual(await errorOf(await answer), [status, error]);
    }
  }));

Deno.test("createGrokAuth() lets scripted faults strike each step", () =>
  withSandbox(async (sandbox) => {
    const { control } = sandbox;
    control.addFault({ upstream: "grok", on: "device", kind: { type: "challenge" } });
    const challenged = await postForm(sandbox, "/oauth2/device/code", {
      client_id: CLIENT_ID,
      scope: "openid",
    });
    assert.equal(challenged.headers.get("cf-mitigated"), "challenge");
    await challenged.body?.cancel();

    const tokens = await signIn(sandbox, "ada");
    control.addFault({ upstream: "grok", on: "refresh", kind: { type: "status", status: 503 } });
    control.addFault({ upstream: "grok", on: "refresh", kind: { type: "drop" } });
    assert.deepEqual(await errorOf(await refresh(sandbox, tokens.refreshToken)), [
      503,
      "temporarily_unavailable",
    ]);
    // Without a pool: Deno's fetch sends a request again by itself when a reused connection closes without an answer.
    using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
    const body = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: tokens.refreshToken,
      client_id: CLIENT_ID,
    });
    const url = `${sandbox.origin}/xai/auth/oauth2/token`;
    await assert.rejects(fetch(url, { method: "POST", body, client }));
    assert.equal(control.requests({ on: "refresh", end: "dropped" }).length, 1);
    await readTokens(await refresh(sandbox, tokens.refreshToken));
  }));

Deno.test("createGrokAuth() approves at once under autoApprove", () =>
  withSandbox(async (sandbox) => {
    const { deviceCode } = await startDevice(sandbox);
    await readTokens(await poll(sandbox, deviceCode));
  }, { autoApprove: "carol" }));
