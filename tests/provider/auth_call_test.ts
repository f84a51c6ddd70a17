import assert from "node:assert/strict";
import { callAuthServer } from "../../src/provider/auth_call.ts";
import { startDroppingServer } from "./dropping_server.ts";
import { json, noAbort, runtime, runtimeWithFetch, withUpstream } from "./stub_upstream.ts";

const request = { method: "POST", url: "https://auth.invalid/token", headers: {}, body: "a=b" } as const;

Deno.test("callAuthServer() hands over status, headers and a body that is already in memory", async () => {
  await withUpstream(() => json(418, { a: 1 }, { "retry-after": "3" }), async (origin, received) => {
    const reply = await callAuthServer({ ...request, url: `${origin}/token` }, runtime, noAbort());
    assert.ok(reply.kind === "answered");
    assert.equal(reply.response.status, 418);
    assert.equal(reply.response.headers.get("retry-after"), "3");
    assert.deepEqual(await reply.response.json(), { a: 1 });
    assert.deepEqual([received[0]?.method, received[0]?.path, received[0]?.body], ["POST", "/token", "a=b"]);
  });
});

Deno.test("callAuthServer() does not follow redirects", async () => {
  const answer = (): Response => new Response(null, { status: 307, headers: { location: "/elsewhere" } });
  await withUpstream(answer, async (origin, received) => {
    const reply = await callAuthServer({ ...request, url: `${origin}/token` }, runtime, noAbort());
    assert.equal(reply.kind === "answered" && reply.response.status, 307);
    assert.equal(received.length, 1);
  });
});

Deno.test("callAuthServer() never sends a request again when a connection closes without an answer", async () => {
  await using server = startDroppingServer("a=b");
  const url = `${server.origin}/token`;
  const first = await callAuthServer({ ...request, url }, runtime, noAbort());
  const second = await callAuthServer({ ...request, url }, runtime, noAbort());
  assert.equal(first.kind, "answered");
  assert.deepEqual(second, { kind: "unreachable", reason: "network_error" });
  assert.equal(server.requests, 2);
});

Deno.test("callAuthServer() passes answers without a body", async () => {
  for (const status of [204, 304]) {
    await withUpstream(() => new Response(null, { status }), async (origin) => {
      const reply = await callAuthServer({ ...request, url: origin }, runtime, noAbort());
      assert.equal(reply.kind === "answered" && reply.response.status, status);
    });
  }
});

Deno.test("callAuthServer() refuses an answer that is longer than its limit", async () => {
  await withUpstream(() => new Response("x".repeat(101)), async (origin) => {
    const long = { ...request, url: origin, maxAnswerBytes: 100 };
    assert.deepEqual(await callAuthServer(long, runtime, noAbort()), {
      kind: "unreachable",
      reason: "answer_too_large",
    });
  });
});

Deno.test("callAuthServer() answers a broken connection with a reason that holds no secret", async () => {
  const broken = runtimeWithFetch(() => Promise.reject(new TypeError("connect refused: canary-token")));
  assert.deepEqual(await callAuthServer(request, broken, noAbort()), {
    kind: "unreachable",
    reason: "network_error",
  });
});

Deno.test("callAuthServer() gives up when the time is over", async () => {
  const silent = runtimeWithFetch((_url, init) =>
    new Promise((_resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
    })
  );
  const reply = await callAuthServer({ ...request, timeoutMs: 1 }, silent, noAbort());
  assert.deepEqual(reply, { kind: "unreachable", reason: "timed_out" });
});

Deno.test("callAuthServer() rejects with the caller's reason when the caller aborts", async () => {
  const controller = new AbortController();
  const left = new Error("left");
  const aborting = runtimeWithFetch(() => {
    controller.abort(left);
    return Promise.reject(new Error("other"));
  });
  await assert.rejects(callAuthServer(request, aborting, controller.signal), left);
});
