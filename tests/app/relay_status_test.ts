import assert from "node:assert/strict";
import { createLimiter } from "../../src/guard/limiter.ts";
import { defaultLimitSettings } from "../../src/guard/limits.ts";
import { openStore } from "../../src/store/store.ts";
import { relayToken, startPersonalRig } from "../e2e/personal_rig.ts";

Deno.test("GET /v1/relay/status tells the owner the state of everything, and no secret", async () => {
  const shared = await openStore({ databasePath: ":memory:", kvPath: ":memory:" });
  const limiter = createLimiter({ settings: defaultLimitSettings, shared: shared.shared });
  await limiter.ready;
  {
    await using rig = await startPersonalRig({
      relay: { limiter, configuration: { security: { rate_limit_burst: 40 }, server: { port: 3000 } } },
    });
    const jwt = await rig.login("openai");
    await rig.login("xai");
    await (await rig.chat("gpt-5.5")).text();
    await (await fetch(`${rig.origin}/v1/models`, { headers: { authorization: "Bearer guess" } })).text();
    rig.clock.nowMs += 60_000;
    const response = await rig.asOwner("/v1/relay/status");
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("cache-control"), "no-store");
    const text = await response.text();
    for (const secret of [relayToken, jwt, "guess"]) assert.ok(!text.includes(secret));
    const status = JSON.parse(text);
    assert.equal(status.object, "relay.status");
    assert.equal(status.captured_at, rig.clock.nowMs / 1000);
    assert.deepEqual(status.ready, {
      upstream_auth: true,
      relay_token: true,
      any_provider: true,
      providers: { openai: true, xai: true, github: false },
    });
    const { openai, github } = status.providers;
    assert.equal(openai.authenticated, true);
    assert.equal(openai.models_cache.ttl_seconds, 300);
    assert.equal(openai.models_cache.age_seconds, 60);
    assert.ok(openai.models_cache.cached_model_count > 0);
    assert.equal(openai.session_expires_at > status.captured_at, true);
    assert.equal(github.authenticated, false);
    assert.equal(github.next_command, "authai-relay login github");
    assert.equal(status.relay.server.port, 3000);
    assert.equal(status.relay.token.source, "file");
    assert.match(status.relay.token.fingerprint, /^[0-9a-f]{12}$/);
    assert.equal(status.security.rate_limit_burst, 40);
    assert.equal(status.security.require_bearer_auth, true);
    assert.equal(status.security.client.ip, "unknown");
    assert.equal(status.security.client.failed_auth_attempts, 1);
    assert.equal(status.security.client.active_requests, 1);
    assert.deepEqual(status.storage, { file_count: 0, total_bytes: 0 });
    assert.equal(status.traffic.failed_authentications, 1);
    for (const route of ["POST /v1/chat/completions", "GET /v1/files", "GET /no-tools/v1/models/:id"]) {
      assert.ok(status.supported_routes.includes(route), route);
    }
    assert.ok(status.supported_routes.every((route: string) => !route.startsWith("ALL")));
  }
  await limiter.close();
  await shared.close();
});

Deno.test("the status counts answers and tokens since the start", async () => {
  await using rig = await startPersonalRig();
  await rig.login("openai");
  const read = async () => await (await rig.asOwner("/v1/relay/status")).json();
  const before = await read();
  for (const stream of [false, true]) {
    const response = await rig.asOwner("/v1/responses", { body: { model: "gpt-5.5", input: "Hi", stream } });
    await response.text();
  }
  const after = await read();
  assert.equal(after.requests_total - before.requests_total, 3);
  assert.equal(after.traffic.answers.completed - before.traffic.answers.completed, 2);
  assert.ok(after.traffic.tokens.input > before.traffic.tokens.input);
  assert.ok(after.traffic.providers.openai.tokens.output > 0);
});

Deno.test("a login that has ended is told with the command that mends it", async () => {
  await using rig = await startPersonalRig();
  const jwt = await rig.login("openai");
  await fetch(`${rig.origin}/auth/revoke`, { method: "POST", headers: { authorization: `Bearer ${jwt}` } });
  const { ready, providers } = await (await rig.asOwner("/v1/relay/status")).json();
  assert.equal(ready.any_provider, false);
  assert.equal(providers.openai.authenticated, false);
  assert.equal(providers.openai.credentials_present, true);
  assert.equal(providers.openai.next_command, "authai-relay login openai");
});

Deno.test("to a user of an app the status is a route that does not exist", async () => {
  await using rig = await startPersonalRig();
  const jwt = await rig.signIn("openai", "bob");
  const ask = async (path: string) => {
    const response = await fetch(rig.origin + path, { headers: { authorization: `Bearer ${jwt}` } });
    return { status: response.status, body: (await response.text()).replace(path, "") };
  };
  assert.deepEqual(await ask("/v1/relay/status"), await ask("/v1/nothing"));
  assert.equal((await fetch(`${rig.origin}/v1/relay/status`)).status, 401);
});
