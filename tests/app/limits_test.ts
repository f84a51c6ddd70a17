/**
 * The guard where it is mounted: which routes it stands before, what it tells, and who it never touches. The limits' own edges
 * are tested in tests/guard.
 */
import assert from "node:assert/strict";
import type { RelayAppOptions } from "../../src/app/options.ts";
import { createLimiter } from "../../src/guard/limiter.ts";
import { defaultLimitSettings, type Limiter, type LimitSettings } from "../../src/guard/limits.ts";
import { openStore } from "../../src/store/store.ts";
import { relayToken, startPersonalRig } from "../e2e/personal_rig.ts";

/** A personal rig with limits, whose clients come from the addresses that `ask` names. */
async function startLimitedRig(
  settings: Partial<LimitSettings> = {},
  relay: Partial<RelayAppOptions> = {},
) {
  // Near the real time: the engine removes by its own clock what expired in the past.
  const clock = { nowMs: Date.now() };
  const store = await openStore({ databasePath: ":memory:", kvPath: ":memory:" });
  const limiter: Limiter = createLimiter({
    settings: { ...defaultLimitSettings, ...settings },
    shared: store.shared,
    now: () => clock.nowMs,
  });
  const rig = await startPersonalRig({ relay: { limiter, ...relay } });
  await limiter.ready;
  return {
    ...rig,
    limitClock: clock,
    limiter,
    ask: async (
      path: string,
      token: string | undefined,
      options: { readonly from?: string; readonly method?: string; readonly body?: object } = {},
    ): Promise<Response> => {
      const { from = "192.0.2.1", method = options.body === undefined ? "GET" : "POST", body } = options;
      const request = new Request(rig.origin + path, {
        method,
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return await rig.app.fetch(request, { remoteAddr: { hostname: from } });
    },
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await limiter.close();
      await store.close();
    },
  };
}

async function codeOf(response: Response): Promise<unknown> {
  const body = await response.json();
  return response.status === 429 ? body.error.code : response.status;
}

Deno.test("the 41st request of an address is 429 with Retry-After, on both roots together, and a neighbour is free", async () => {
  await using rig = await startLimitedRig();
  for (let count = 1; count <= 40; count++) {
    const response = await rig.ask(count % 2 ? "/v1/nothing" : "/no-tools/v1/nothing", relayToken);
    assert.equal(response.status, 400, String(count));
    assert.equal(response.headers.get("x-ratelimit-limit-requests"), "40");
    assert.equal(response.headers.get("x-ratelimit-remaining-requests"), String(40 - count));
  }
  const refused = await rig.ask("/v1/nothing", relayToken);
  assert.equal(refused.headers.get("retry-after"), "1");
  assert.equal(refused.headers.get("x-ratelimit-remaining-requests"), "0");
  const { error } = await refused.json();
  assert.equal(error.type, "rate_limit_error");
  assert.equal(error.code, "rate_limit_exceeded");
  assert.equal((await rig.ask("/v1/nothing", relayToken, { from: "192.0.2.2" })).status, 400);
  // 120 a minute is one in half a second.
  rig.limitClock.nowMs += 500;
  assert.equal((await rig.ask("/v1/nothing", relayToken)).status, 400);
});

Deno.test("a session is limited by itself, whatever the address, and two at one address do not disturb each other", async () => {
  await using rig = await startLimitedRig({ rateBurst: 3, ratePerMinute: 60 });
  const ada = await rig.signIn("openai", "ada");
  const bob = await rig.signIn("openai", "bob");
  for (let count = 0; count < 3; count++) {
    assert.equal((await rig.ask("/v1/nothing", ada, { from: `192.0.2.${count}` })).status, 400);
  }
  assert.equal(await codeOf(await rig.ask("/v1/nothing", ada, { from: "192.0.2.9" })), "rate_limit_exceeded");
  assert.equal((await rig.ask("/v1/nothing", bob, { from: "192.0.2.9" })).status, 400);
});

Deno.test("failed authentications block the address for guessable credentials, and never a session", async () => {
  await using rig = await startLimitedRig();
  const expired = await rig.signIn("openai");
  rig.clock.nowMs += 15 * 24 * 60 * 60_000;
  const jwt = await rig.signIn("openai");
  const revoked = await rig.signIn("openai");
  await fetch(`${rig.origin}/auth/revoke`, {
    method: "POST",
    headers: { authorization: `Bearer ${revoked}` },
  });
  // A JWT that is over was once given out, and is no guess.
  for (let count = 0; count < 12; count++) {
    assert.equal((await rig.ask("/v1/nothing", revoked)).status, 401);
    assert.equal((await rig.ask("/v1/nothing", expired)).status, 401);
  }
  for (let count = 1; count <= 8; count++) {
    const response = await rig.ask("/v1/nothing", count === 3 ? undefined : `guess-${count}`);
    assert.equal(response.status, 401, String(count));
    assert.equal(await response.text(), '{"error":"unauthorized"}');
    // A success in between does not clear the count.
    if (count === 4) assert.equal((await rig.ask("/v1/nothing", relayToken)).status, 400);
  }
  const blocked = await rig.ask("/v1/nothing", relayToken);
  assert.equal(blocked.headers.get("retry-after"), "900");
  assert.equal(await codeOf(blocked), "ip_temporarily_blocked");
  assert.equal(await codeOf(await rig.ask("/no-tools/v1/nothing", "guess")), "ip_temporarily_blocked");
  assert.equal((await rig.ask("/v1/nothing", jwt)).status, 400);
  assert.equal((await rig.ask("/v1/nothing", revoked)).status, 401);
  assert.equal((await rig.ask("/v1/nothing", expired)).status, 401);
  assert.equal((await rig.ask("/auth/whoami", jwt)).status, 200);
  assert.equal((await rig.ask("/v1/nothing", relayToken, { from: "192.0.2.2" })).status, 400);
  rig.limitClock.nowMs += 900_000;
  assert.equal((await rig.ask("/v1/nothing", relayToken)).status, 400);
});

Deno.test("a 401 tells no limits: their figures would tell a good signature from a bad one", async () => {
  await using rig = await startLimitedRig();
  const revoked = await rig.signIn("openai");
  await fetch(`${rig.origin}/auth/revoke`, {
    method: "POST",
    headers: { authorization: `Bearer ${revoked}` },
  });
  for (const token of [undefined, "guess", revoked]) {
    const response = await rig.ask("/v1/models", token);
    assert.equal(response.status, 401);
    const told = [...response.headers.keys()].filter((name) => name.startsWith("x-ratelimit"));
    assert.deepEqual(told, []);
  }
});

Deno.test("streams keep their places until they end: the 9th is refused, and one that ends makes room", async () => {
  // Headers go out while the upstream hangs, so that each stream is open without an end.
  await using rig = await startLimitedRig({}, { timing: { headersAfterMs: 1 } });
  const jwt = await rig.signIn("openai");
  rig.sandbox.control.addFault({ upstream: "chatgpt", on: "call", kind: { type: "hang" }, times: 9 });
  const stream = { body: { model: "gpt-5.5", stream: true, input: "Hi" } };
  const open: Response[] = [];
  for (let count = 1; count <= 8; count++) {
    const response = await rig.ask("/v1/responses", jwt, stream);
    assert.equal(response.status, 200, String(count));
    open.push(response);
  }
  const refused = await rig.ask("/v1/responses", jwt, stream);
  assert.equal(refused.headers.get("retry-after"), "1");
  assert.equal(await codeOf(refused), "too_many_concurrent_requests");
  await open[0]?.body?.cancel();
  const admitted = await rig.ask("/v1/responses", jwt, stream);
  assert.equal(admitted.status, 200);
  for (const response of [...open.slice(1), admitted]) await response.body?.cancel();
  rig.sandbox.control.release();
  assert.equal(rig.limiter.state().activeClients, 0);
});

Deno.test("a document that goes to the client as it comes keeps its place until it has gone", async () => {
  let answer: ReadableStreamDefaultController<Uint8Array> | undefined;
  const [begin, end] = [`{"text":"${"x".repeat(20_000)}`, '"}'].map((text) => new TextEncoder().encode(text));
  const slow = new ReadableStream<Uint8Array>({
    start(controller) {
      answer = controller;
      // More than is read before an answer is known to be no error.
      controller.enqueue(begin);
    },
  });
  await using rig = await startLimitedRig({ concurrentRequests: 1 }, {
    fetch: (url, init) =>
      String(url).endsWith("/responses")
        ? Promise.resolve(new Response(slow, { headers: { "content-type": "application/json" } }))
        : fetch(url, init),
  });
  const jwt = await rig.signIn("xai");
  const response = await rig.ask("/v1/responses", jwt, { body: { model: "grok-4.5", input: "Hi" } });
  assert.equal(response.status, 200);
  assert.equal(await codeOf(await rig.ask("/v1/nothing", jwt)), "too_many_concurrent_requests");
  answer?.enqueue(end);
  answer?.close();
  assert.equal((await response.json()).text.length, 20_000);
  assert.equal((await rig.ask("/v1/nothing", jwt)).status, 400);
});

Deno.test("a stream that runs to its end, a refusal and a fault give their places back", async () => {
  await using rig = await startLimitedRig({ concurrentRequests: 1 });
  const jwt = await rig.signIn("openai");
  const body = { model: "gpt-5.5", input: "Hi" };
  const requests: [string, object][] = [
    ["/v1/responses", { ...body, stream: true }],
    ["/v1/responses", body],
    ["/v1/responses", { ...body, input: 5 }],
    ["/v1/nothing", body],
  ];
  for (const [path, sent] of requests) {
    const response = await rig.ask(path, jwt, { body: sent });
    assert.notEqual(response.status, 429, path);
    await response.text();
    assert.equal(rig.limiter.state().activeClients, 0, path);
  }
  await rig.store.close();
  assert.equal((await rig.ask("/v1/models", jwt)).status, 500);
  assert.equal(rig.limiter.state().activeClients, 0);
});

Deno.test("/auth/start is limited by address in its own words; whoami, poll and probes are never limited", async () => {
  await using rig = await startLimitedRig({ rateBurst: 2, ratePerMinute: 60 });
  const jwt = await rig.signIn("openai");
  const start = () => rig.ask("/auth/start", undefined, { body: { provider: "openai" } });
  assert.equal((await start()).status, 200);
  assert.equal((await start()).status, 200);
  const refused = await start();
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("retry-after"), "1");
  assert.equal(typeof (await refused.json()).error, "string");
  for (let count = 0; count < 10; count++) {
    assert.equal((await rig.ask("/auth/whoami", jwt)).status, 200);
    assert.equal((await rig.ask("/auth/whoami", "guess")).status, 401);
    assert.equal((await rig.ask("/auth/poll/unknown", undefined)).status, 404);
    assert.equal((await rig.ask("/healthz", undefined)).status, 200);
  }
  // Nothing of that was counted against the address.
  assert.equal((await rig.ask("/v1/nothing", relayToken)).status, 400);
});

Deno.test("what the upstream tells of its limits goes before the relay's own", async () => {
  await using rig = await startLimitedRig();
  const jwt = await rig.signIn("xai");
  const told = async (path: string, body?: object) => {
    const response = await rig.ask(path, jwt, body === undefined ? {} : { body });
    assert.equal(response.status, 200, await response.text());
    return Object.fromEntries(
      [...response.headers].filter(([name]) => name.startsWith("x-ratelimit") && name.endsWith("requests")),
    );
  };
  const own = await told("/v1/models");
  assert.equal(own["x-ratelimit-limit-requests"], "40");
  assert.equal(own["x-ratelimit-remaining-requests"], "39");
  const upstream = await told("/v1/responses", { model: "grok-4.5", input: "Hi" });
  assert.equal(upstream["x-ratelimit-limit-requests"], "8300");
  // Nothing of ours is mixed into it: Grok tells no time of reset.
  assert.ok(!("x-ratelimit-reset-requests" in upstream));
});
