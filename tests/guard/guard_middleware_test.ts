import assert from "node:assert/strict";
import { Hono } from "hono";
import { createGuardMiddleware, type GuardOptions } from "../../src/guard/guard_middleware.ts";
import { createLimiter } from "../../src/guard/limiter.ts";
import { defaultLimitSettings, type Limiter, type LimitSettings } from "../../src/guard/limits.ts";
import { openKvSharedState } from "../../src/store/kv_shared_state.ts";

testGuard(
  "createGuardMiddleware() tells the limits on answers and refuses beyond them",
  { rateBurst: 2 },
  async ({ app }) => {
    const first = await app.request("/text", {}, from("192.0.2.1"));
    assert.equal(await first.text(), "hello");
    assert.equal(first.headers.get("x-ratelimit-limit-requests"), "2");
    assert.equal(first.headers.get("x-ratelimit-remaining-requests"), "1");
    await (await app.request("/text", {}, from("192.0.2.1"))).text();
    const refused = await app.request("/text", {}, from("192.0.2.1"));
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get("retry-after"), "1");
    const { error } = await refused.json();
    assert.match(error.message, /^Too many requests/);
    delete error.message;
    assert.deepEqual(error, { type: "rate_limit_error", param: null, code: "rate_limit_exceeded" });
    assert.equal((await app.request("/text", {}, from("192.0.2.2"))).status, 200);
  },
);

testGuard(
  "createGuardMiddleware() counts a stream until it was read, or left",
  { concurrentRequests: 2 },
  async ({ app, limiter }) => {
    const open = () => app.request("/stream", {}, from("192.0.2.1"));
    const [one, other] = [await open(), await open()];
    const refused = await open();
    assert.equal((await refused.json()).error.code, "too_many_concurrent_requests");
    assert.equal(await one.text(), "abc");
    const third = await open();
    assert.equal(third.status, 200);
    assert.equal((await open()).status, 429);
    await other.body?.cancel();
    await third.body?.cancel();
    assert.equal(limiter.state().activeClients, 0);
  },
);

testGuard(
  "createGuardMiddleware() gives the place back when a handler throws or a stream breaks",
  {},
  async ({ app, limiter }) => {
    assert.equal(await (await app.request("/fault", {}, from("192.0.2.1"))).text(), "fault");
    const broken = await app.request("/broken", {}, from("192.0.2.1"));
    await assert.rejects(broken.text(), /broke/);
    assert.equal(limiter.state().activeClients, 0);
  },
);

testGuard("createGuardMiddleware() counts answers with 401 and blocks the address, not a session", {
  failedAuthMaxAttempts: 3,
}, async ({ app }) => {
  const guess = () => app.request("/secret", {}, from("192.0.2.1"));
  for (let attempt = 1; attempt <= 3; attempt++) {
    const failed = await guess();
    assert.equal(failed.status, 401);
    assert.equal(failed.headers.get("x-ratelimit-limit-requests"), null);
    await failed.body?.cancel();
  }
  const blocked = await guess();
  assert.equal(blocked.headers.get("retry-after"), "900");
  assert.equal((await blocked.json()).error.code, "ip_temporarily_blocked");
  const session = { headers: { "x-session": "01A" } };
  assert.equal((await app.request("/text", session, from("192.0.2.1"))).status, 200);
  for (let attempt = 1; attempt <= 5; attempt++) {
    assert.equal((await app.request("/secret", session, from("192.0.2.1"))).status, 401);
  }
});

testGuard("createGuardMiddleware() takes the peer and the end of a stream from Deno.serve", {
  concurrentRequests: 1,
}, async ({ app, limiter }) => {
  let ended = Promise.resolve();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request, info) => {
    ended = info.completed;
    return app.fetch(request, info);
  });
  const url = `http://127.0.0.1:${server.addr.port}`;
  const reader = (await fetch(`${url}/endless`)).body?.getReader();
  await reader?.read();
  assert.equal(limiter.state({ key: "127.0.0.1", exempt: false }).client?.activeRequests, 1);
  const endOfStream = ended;
  assert.equal((await fetch(`${url}/text`)).status, 429);
  await reader?.cancel();
  await endOfStream;
  assert.equal(await (await fetch(`${url}/text`)).text(), "hello");
  await ended;
  assert.equal(limiter.state().activeClients, 0);
  await server.shutdown();
});

interface Guarded {
  readonly app: Hono;
  readonly limiter: Limiter;
}

function testGuard(
  what: string,
  settings: Partial<LimitSettings>,
  run: (guarded: Guarded) => Promise<void>,
): void {
  Deno.test(what, async () => {
    const shared = await openKvSharedState({ path: ":memory:" });
    const limiter = createLimiter({ settings: { ...defaultLimitSettings, ...settings }, shared });
    try {
      await limiter.ready;
      await run({ app: guardedApp({ limiter }), limiter });
    } finally {
      await limiter.close();
      await shared.close();
    }
  });
}

function guardedApp(options: GuardOptions): Hono {
  const sessionOf = (request: Request) => request.headers.get("x-session") ?? undefined;
  const app = new Hono();
  app.use(createGuardMiddleware({ ...options, sessionOf }));
  app.get("/text", (context) => context.text("hello"));
  app.get("/stream", () => new Response(ReadableStream.from(["a", "b", "c"].map(encode))));
  app.get(
    "/endless",
    () => new Response(new ReadableStream({ pull: (controller) => controller.enqueue(encode("x")) })),
  );
  app.get(
    "/broken",
    () =>
      new Response(new ReadableStream({ pull: (controller) => controller.error(new Error("It broke.")) })),
  );
  app.get("/fault", () => {
    throw new Error("A fault.");
  });
  app.get("/secret", () => new Response("no", { status: 401 }));
  app.onError(() => new Response("fault", { status: 500 }));
  return app;
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function from(hostname: string): unknown {
  return { remoteAddr: { hostname } };
}
