import assert from "node:assert/strict";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import { getApi, OTHER_APP, PLUGIN_APP, poll, postSite, signIn, startDevice } from "./copilot_client.ts";
import { at } from "./sse_reader.ts";

const START_MS = Date.UTC(2026, 10, 22, 12);

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

async function answerOf(response: Promise<Response>): Promise<readonly [number, unknown]> {
  const settled = await response;
  return [settled.status, await settled.json()];
}

Deno.test("createGithubSite() answers form encoded unless JSON is asked for", () =>
  withSandbox(async (sandbox) => {
    const send = (headers: Record<string, string>) =>
      fetch(`${sandbox.origin}/github/login/device/code`, {
        method: "POST",
        headers,
        body: new URLSearchParams({ client_id: PLUGIN_APP, scope: "read:user" }),
      });
    const form = await send({ accept: "*/*" });
    assert.match(form.headers.get("content-type") ?? "", /^application\/x-www-form-urlencoded/);
    assert.match(new URLSearchParams(await form.text()).get("user_code") ?? "", /^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
    const json: unknown = await (await send({ accept: "application/json" })).json();
    assert.equal(at(json, "expires_in"), 899);
    assert.equal(at(json, "interval"), 5);
    assert.equal(at(json, "verification_uri"), `${sandbox.origin}/github/login/device`);
    assert.equal(at(json, "verification_uri_complete"), undefined);
  }));

Deno.test("createGithubSite() answers every failed poll with status 200", () =>
  withSandbox(async (sandbox, passSeconds) => {
    const errorOf = async (response: Promise<Response>) => {
      const [status, body] = await answerOf(response);
      return [status, at(body, "error"), at(body, "interval")];
    };
    const { deviceCode, userCode } = await startDevice(sandbox);
    assert.deepEqual(await errorOf(poll(sandbox, deviceCode)), [200, "authorization_pending", undefined]);
    assert.deepEqual(await errorOf(poll(sandbox, deviceCode)), [200, "slow_down", 10]);
    assert.deepEqual(await errorOf(poll(sandbox, deviceCode)), [200, "slow_down", 15]);
    assert.deepEqual(await errorOf(poll(sandbox, deviceCode, OTHER_APP)), [
      200,
      "incorrect_device_code",
      undefined,
    ]);
    assert.deepEqual(await errorOf(poll(sandbox, deviceCode, "x")), [
      200,
      "incorrect_client_credentials",
      undefined,
    ]);
    passSeconds(15);
    sandbox.control.approve(userCode, "ada");
    const [, granted] = await answerOf(poll(sandbox, deviceCode));
    assert.match(String(at(granted, "access_token")), /^ghu_[A-Za-z0-9]{32}$/);
    assert.deepEqual(Object.keys(granted as object), ["access_token", "token_type", "scope"]);
    assert.deepEqual(await errorOf(poll(sandbox, deviceCode)), [200, "incorrect_device_code", undefined]);

    const denied = await startDevice(sandbox);
    sandbox.control.deny(denied.userCode);
    assert.deepEqual(await errorOf(poll(sandbox, denied.deviceCode)), [200, "access_denied", undefined]);
    const late = await startDevice(sandbox);
    passSeconds(900);
    assert.deepEqual(await errorOf(poll(sandbox, late.deviceCode)), [200, "expired_token", undefined]);
    const unknownApp = postSite(sandbox, "/login/device/code", { client_id: "nobody" });
    assert.equal((await answerOf(unknownApp))[0], 404);
  }));

Deno.test("createGithubSite() consumes nothing when the client of a hanging poll leaves", () =>
  withSandbox(async (sandbox) => {
    const { deviceCode, userCode } = await startDevice(sandbox);
    sandbox.control.approve(userCode, "ada");
    sandbox.control.addFault({ upstream: "copilot", on: "poll", kind: { type: "hang" } });
    const leaving = new AbortController();
    const abandoned = poll(sandbox, deviceCode, PLUGIN_APP, leaving.signal);
    await sandbox.control.waitForRequests({ upstream: "copilot", on: "poll" });
    leaving.abort();
    await assert.rejects(abandoned);
    await sandbox.control.waitForRequests({ on: "poll", end: "client_left" });
    const [, granted] = await answerOf(poll(sandbox, deviceCode));
    assert.match(String(at(granted, "access_token")), /^ghu_/);
  }));

Deno.test("createGithubApi() exchanges the plugin's token for one that names its host", () =>
  withSandbox(async (sandbox) => {
    const exchanged = async (name: string) => {
      const token = await signIn(sandbox, name);
      const [status, body] = await answerOf(getApi(sandbox, "/copilot_internal/v2/token", token));
      assert.equal(status, 200);
      return body;
    };
    const ada = await exchanged("ada");
    assert.equal(at(ada, "endpoints.api"), `${sandbox.origin}/copilot/individual`);
    assert.equal(at(ada, "expires_at"), START_MS / 1000 + 1800);
    assert.equal(at(ada, "refresh_in"), 1500);
    assert.equal(at(ada, "limited_user_quotas"), null);
    assert.match(
      String(at(ada, "token")),
      /^tid=[0-9a-f]{32};exp=\d+;sku=monthly_subscriber;.*:[0-9a-f]{64}$/,
    );
    const bob = await exchanged("bob");
    assert.equal(at(bob, "endpoints.api"), `${sandbox.origin}/copilot/business`);
    assert.equal(at(bob, "individual"), false);
    const frank = await exchanged("frank");
    assert.equal(at(frank, "sku"), "free_limited_copilot");
    assert.deepEqual(at(frank, "limited_user_quotas"), { chat: 50, completions: 4000 });
  }, { accessTokenSeconds: 1800 }));

Deno.test("createGithubApi() refuses the exchange as GitHub does", () =>
  withSandbox(async (sandbox) => {
    const exchange = (token: string) => answerOf(getApi(sandbox, "/copilot_internal/v2/token", token));
    const [none, noSeat] = await exchange(await signIn(sandbox, "dave"));
    assert.equal(none, 403);
    assert.equal(at(noSeat, "error_details.notification_id"), "no_copilot_access");
    const [suspended, contact] = await exchange(await signIn(sandbox, "grace"));
    assert.equal(suspended, 403);
    assert.match(String(at(contact, "error_details.message")), /^Contact Support/);
    const gho = await signIn(sandbox, "ada", OTHER_APP);
    assert.match(gho, /^gho_/);
    assert.equal((await exchange(gho))[0], 404);
    const [bad, credentials] = await exchange("ghu_unknown");
    assert.deepEqual([bad, at(credentials, "message")], [401, "Bad credentials"]);
    assert.equal((await exchange("ghp_classic"))[0], 403);
  }));

Deno.test("createGithubApi() tells who somebody is and ends with the grant", () =>
  withSandbox(async (sandbox) => {
    const token = await signIn(sandbox, "bob");
    const bearer = await fetch(`${sandbox.origin}/github/api/user`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(at(await bearer.json(), "id"), 1002);
    sandbox.control.revokeGrants("copilot", "bob");
    assert.equal((await answerOf(getApi(sandbox, "/user", token)))[0], 401);
  }));

Deno.test("createGithubApi() tells renewals from the first exchange", () =>
  withSandbox(async (sandbox) => {
    const token = await signIn(sandbox, "ada");
    sandbox.control.addFault({ upstream: "copilot", on: "refresh", kind: { type: "status", status: 401 } });
    assert.equal((await answerOf(getApi(sandbox, "/copilot_internal/v2/token", token)))[0], 200);
    assert.equal((await answerOf(getApi(sandbox, "/copilot_internal/v2/token", token)))[0], 401);
    assert.equal(sandbox.control.requests({ on: "refresh" }).length, 1);
  }));

Deno.test("createGithubApi() tells the quota of each seat", () =>
  withSandbox(async (sandbox) => {
    const quota = async (name: string) =>
      (await answerOf(getApi(sandbox, "/copilot_internal/user", await signIn(sandbox, name))))[1];
    const ada = await quota("ada");
    assert.equal(at(ada, "quota_snapshots.premium_interactions.remaining"), 300);
    assert.equal(at(ada, "quota_reset_date"), "2026-12-01");
    assert.equal(at(await quota("erin"), "quota_snapshots.premium_interactions.percent_remaining"), 0);
    const frank = await quota("frank");
    assert.equal(at(frank, "quota_snapshots"), undefined);
    assert.equal(at(frank, "limited_user_quotas.chat"), 50);
    assert.equal(at(await quota("dave"), "chat_enabled"), false);
  }));
