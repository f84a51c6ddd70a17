import assert from "node:assert/strict";
import {
  apiHeaders,
  askUserCode,
  authClaims,
  claims,
  CLIENT_ID,
  exchange,
  poll,
  postJson,
  readDocument,
  signIn,
  withSandbox,
} from "./chatgpt_client.ts";

Deno.test("ChatGPT hands out a user code with its interval as a string", () =>
  withSandbox(async (sandbox) => {
    const { all } = await askUserCode(sandbox);
    assert.match(String(all["user_code"]), /^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
    assert.equal(all["interval"], "0");
    assert.ok(Date.parse(String(all["expires_at"])) > Date.now());
    const url = `${sandbox.origin}/openai/auth/api/accounts/deviceauth/usercode`;
    assert.equal((await postJson(url, { client_id: "app_other" })).status, 400);
    assert.equal((await fetch(url, { method: "POST", body: `client_id=${CLIENT_ID}` })).status, 400);
  }));

Deno.test("ChatGPT answers polls pending, denied and approved as the real one does", () =>
  withSandbox(async (sandbox) => {
    const first = await askUserCode(sandbox);
    const pending = await poll(sandbox, first.id, first.userCode);
    assert.equal(pending.status, 403);
    assert.match(await pending.text(), /"code":"deviceauth_authorization_pending"/);
    sandbox.control.setSwitches({ chatgpt: { pendingStatus: 404 } });
    const alsoPending = await poll(sandbox, first.id, first.userCode);
    assert.equal(alsoPending.status, 404);
    await alsoPending.body?.cancel();
    assert.equal((await poll(sandbox, first.id, "AAAA-0000")).status, 404);

    sandbox.control.deny(first.userCode);
    const denied = await poll(sandbox, first.id, first.userCode);
    assert.equal(denied.status, 401);
    assert.equal((await readDocument(denied))["error"], "authorization_declined");

    const second = await askUserCode(sandbox);
    sandbox.control.approve(second.userCode, "ada");
    const approved = await readDocument(await poll(sandbox, second.id, second.userCode));
    assert.deepEqual(Object.keys(approved), ["authorization_code", "code_challenge", "code_verifier"]);
    const digest = await crypto.subtle.digest(
      "SHA-256",
      new TextEncoder().encode(String(approved["code_verifier"])),
    );
    const challenge = new Uint8Array(digest).toBase64({ alphabet: "base64url", omitPadding: true });
    assert.equal(challenge, approved["code_challenge"]);
  }));

Deno.test("ChatGPT tells a client that polls too fast to slow down, and counts it", async () => {
  let now = 1_800_000_000_000;
  await withSandbox(async (sandbox) => {
    const { id, userCode } = await askUserCode(sandbox);
    const codeOf = async () =>
      JSON.stringify((await readDocument(await poll(sandbox, id, userCode)))["error"]);
    assert.match(await codeOf(), /authorization_pending/);
    now += 4999;
    assert.match(await codeOf(), /slow_down/);
    assert.equal(sandbox.control.counters()["chatgpt.slowDowns"], 1);
    now += 60_000;
    assert.match(await codeOf(), /authorization_pending/);
  }, { pollIntervalSeconds: 5, now: () => now });
});

Deno.test("ChatGPT forgets a device code after its 15 minutes", async () => {
  let now = 1_800_000_000_000;
  await withSandbox(async (sandbox) => {
    const { id, userCode } = await askUserCode(sandbox);
    now += 15 * 60_000;
    assert.equal(sandbox.control.approve(userCode, "ada").kind, "refused");
    assert.equal((await poll(sandbox, id, userCode)).status, 404);
  }, { now: () => now });
});

Deno.test("ChatGPT exchanges a code once, as a form, with verifier and redirect URI", () =>
  withSandbox(async (sandbox) => {
    const grantFor = async () => {
      const { id, userCode } = await askUserCode(sandbox);
      sandbox.control.approve(userCode, "ada");
      return await readDocument(await poll(sandbox, id, userCode));
    };
    const grant = await grantFor();
    assert.equal((await exchange(sandbox, grant, { redirect_uri: "https://example.com/" })).status, 400);
    assert.equal((await exchange(sandbox, grant, { client_id: "app_other" })).status, 401);
    const json = await postJson(`${sandbox.origin}/openai/auth/oauth/token`, {
      grant_type: "authorization_code",
      code: grant["authorization_code"],
      code_verifier: grant["code_verifier"],
      redirect_uri: `${sandbox.origin}/openai/auth/deviceauth/callback`,
      client_id: CLIENT_ID,
    });
    assert.equal(json.status, 400);
    const done = await readDocument(await exchange(sandbox, grant));
    assert.equal(done["token_type"], "Bearer");
    assert.equal(done["expires_in"], 3600);
    const again = await exchange(sandbox, grant);
    assert.deepEqual([again.status, (await readDocument(again))["error"]], [400, "invalid_grant"]);

    const wrong = await exchange(sandbox, await grantFor(), { code_verifier: "x".repeat(64) });
    assert.deepEqual([wrong.status, (await readDocument(wrong))["error"]], [400, "invalid_grant"]);
  }));

Deno.test("ChatGPT's tokens tell colleagues of one workspace apart", () =>
  withSandbox(async (sandbox) => {
    const [bob, carol] = [await signIn(sandbox, "bob"), await signIn(sandbox, "carol")];
    assert.equal(bob.accountId, carol.accountId);
    assert.notEqual(
      authClaims(bob.accessToken)["chatgpt_user_id"],
      authClaims(carol.accessToken)["chatgpt_user_id"],
    );
    assert.equal(authClaims(bob.idToken)["chatgpt_plan_type"], "business");
    assert.equal(claims(carol.idToken)["email"], "carol@team.example.com");
    assert.equal(Number(claims(bob.accessToken)["exp"]) - Number(claims(bob.accessToken)["iat"]), 3600);
  }));

Deno.test("ChatGPT rotates refresh tokens and recognises the second use of one", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    const url = `${sandbox.origin}/openai/auth/oauth/token`;
    const members = { client_id: CLIENT_ID, grant_type: "refresh_token", refresh_token: person.refreshToken };
    const first = await readDocument(await postJson(url, members));
    assert.notEqual(first["refresh_token"], person.refreshToken);
    assert.notEqual(first["access_token"], person.accessToken);

    const reused = await postJson(url, members);
    assert.equal(reused.status, 401);
    assert.match(await reused.text(), /"code":"refresh_token_reused"/);

    const asForm = new URLSearchParams({ ...members, refresh_token: String(first["refresh_token"]) });
    const second = await fetch(url, { method: "POST", body: asForm });
    assert.equal(second.status, 200);
    assert.ok("id_token" in await readDocument(second));
    const counters = sandbox.control.counters();
    assert.deepEqual([counters["chatgpt.refreshes"], counters["chatgpt.refreshesReused"]], [2, 1]);
  }));

Deno.test("ChatGPT can leave members out of a refresh answer", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    const url = `${sandbox.origin}/openai/auth/oauth/token`;
    const members = { client_id: CLIENT_ID, grant_type: "refresh_token", refresh_token: person.refreshToken };
    sandbox.control.setSwitches({ chatgpt: { tokenAnswerOmits: "refresh_token" } });
    assert.ok(!("refresh_token" in await readDocument(await postJson(url, members))));
    sandbox.control.setSwitches({ chatgpt: { tokenAnswerOmits: "id_token" } });
    const answer = await readDocument(await postJson(url, members));
    assert.ok(!("id_token" in answer) && "refresh_token" in answer);
  }));

Deno.test("ChatGPT ends a grant on revocation by its owner or by the control", () =>
  withSandbox(async (sandbox) => {
    const auth = `${sandbox.origin}/openai/auth`;
    const refresh = (token: string) =>
      postJson(`${auth}/oauth/token`, {
        client_id: CLIENT_ID,
        grant_type: "refresh_token",
        refresh_token: token,
      });
    const usage = (person: Awaited<ReturnType<typeof signIn>>) =>
      fetch(`${sandbox.origin}/openai/backend-api/wham/usage`, { headers: apiHeaders(person) });

    const [first, second] = [await signIn(sandbox), await signIn(sandbox)];
    const revoked = await postJson(`${auth}/oauth/revoke`, {
      token: first.refreshToken,
      token_type_hint: "refresh_token",
      client_id: CLIENT_ID,
    });
    assert.equal(revoked.status, 200);
    await revoked.body?.cancel();
    const ended = await refresh(first.refreshToken);
    assert.equal(ended.status, 401);
    assert.match(await ended.text(), /"code":"refresh_token_invalidated"/);
    const refused = await usage(first);
    assert.equal(refused.status, 401);
    assert.match(await refused.text(), /"code":"token_invalidated"/);
    const other = await usage(second);
    assert.equal(other.status, 200, "another device of the same person stays signed in");
    await other.body?.cancel();

    sandbox.control.revokeGrants("chatgpt", "ada");
    assert.equal((await refresh(second.refreshToken)).status, 401);
  }));

Deno.test("a poll whose client leaves while it hangs consumes nothing", () =>
  withSandbox(async (sandbox) => {
    const { id, userCode } = await askUserCode(sandbox);
    sandbox.control.approve(userCode, "ada");
    sandbox.control.addFault({ upstream: "chatgpt", on: "poll", kind: { type: "hang" } });
    const leaving = new AbortController();
    const hanging = assert.rejects(poll(sandbox, id, userCode, leaving.signal));
    await sandbox.control.waitForRequests({ on: "poll" });
    leaving.abort();
    await hanging;
    await sandbox.control.waitForRequests({ on: "poll", end: "client_left" });
    const answer = await poll(sandbox, id, userCode);
    assert.equal(answer.status, 200);
    await answer.body?.cancel();
  }));
