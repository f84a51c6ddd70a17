import assert from "node:assert/strict";
import { openBody } from "../../src/wire/byte_source.ts";
import type { UpstreamCall, UpstreamReply } from "../../src/provider/provider.ts";
import { discardReply, fetchDocument, judgeReply, sendCall } from "../../src/provider/send.ts";
import type { RefusalRules } from "../../src/provider/upstream_error.ts";
import { startDroppingServer } from "./dropping_server.ts";
import { bodyText, json, noAbort, nowMs, runtime, runtimeWithFetch, withUpstream } from "./stub_upstream.ts";

const rules: RefusalRules = {
  upstreamName: "Grok",
  secrets: ["canary-access-token"],
  isAccessRejected: (status) => status === 401,
};
const call: UpstreamCall = { dialect: "chat", model: "m", body: { model: "m", stream: true } };
const headers = { authorization: "Bearer canary-access-token" };

async function textOf(reply: UpstreamReply): Promise<string> {
  assert.notEqual(reply.kind, "refused");
  return reply.kind === "refused" ? "" : await bodyText(reply.body);
}

Deno.test("sendCall() sends the body once, as JSON or as the client's own bytes", async () => {
  await withUpstream(() => json(200, { object: "x" }), async (origin, received) => {
    await textOf(await sendCall(`${origin}/a`, headers, call, rules, runtime, noAbort()));
    const bytes = new TextEncoder().encode('{ "model" : "m" }');
    await textOf(await sendCall(`${origin}/a`, headers, { ...call, bytes }, rules, runtime, noAbort()));
    assert.deepEqual(received.map(({ method, path, body }) => [method, path, body]), [
      ["POST", "/a", '{"model":"m","stream":true}'],
      ["POST", "/a", '{ "model" : "m" }'],
    ]);
    assert.equal(received[0]?.headers["authorization"], "Bearer canary-access-token");
  });
});

Deno.test("sendCall() never sends a call again when a pooled connection closes without an answer", async () => {
  const bytes = new TextEncoder().encode('{"model":"m"}');
  await using server = startDroppingServer('{"model":"m"}');
  for (const form of [{ ...call, body: { model: "m" } }, { ...call, bytes }]) {
    const before = server.requests;
    await textOf(await sendCall(server.origin, headers, form, rules, runtime, noAbort()));
    const dropped = await sendCall(server.origin, headers, form, rules, runtime, noAbort());
    assert.equal(dropped.kind === "refused" && dropped.error.status, 502);
    assert.equal(server.requests - before, 2);
  }
});

Deno.test("sendCall() follows no redirect, so that the token travels nowhere else", async () => {
  const answer = (): Response => new Response(null, { status: 308, headers: { location: "/other" } });
  await withUpstream(answer, async (origin, received) => {
    const reply = await sendCall(origin, headers, call, rules, runtime, noAbort());
    assert.equal(reply.kind === "refused" && reply.error.status, 502);
    assert.equal(received.length, 1);
  });
});

Deno.test("sendCall() answers an unreachable upstream with 502 and a time-out with 504", async () => {
  const broken = runtimeWithFetch(() => Promise.reject(new TypeError("canary-access-token")));
  const reply = await sendCall("https://x.invalid", headers, call, rules, broken, noAbort());
  assert.equal(reply.kind === "refused" && reply.error.code, "upstream_unreachable");
  assert.ok(!JSON.stringify(reply).includes("canary"));

  const late = new AbortController();
  const slow = runtimeWithFetch(() => {
    late.abort(new DOMException("late", "TimeoutError"));
    return Promise.reject(late.signal.reason);
  });
  const timedOut = await sendCall("https://x.invalid", headers, call, rules, slow, late.signal);
  assert.equal(timedOut.kind === "refused" && timedOut.error.status, 504);
});

Deno.test("sendCall() rejects with the caller's reason when the caller leaves before or while it judges", async () => {
  for (const response of [undefined, json(500, { error: "x" }), json(200, { object: "y" })]) {
    const controller = new AbortController();
    const leaving = runtimeWithFetch(() => {
      controller.abort(new DOMException("left", "AbortError"));
      return response === undefined ? Promise.reject(controller.signal.reason) : Promise.resolve(response);
    });
    await assert.rejects(sendCall("https://x.invalid", headers, call, rules, leaving, controller.signal), {
      name: "AbortError",
    });
  }
});

Deno.test("sendCall() ends the upstream request when the caller aborts a running stream", async () => {
  const cancelled = Promise.withResolvers<void>();
  const answer = (): Response =>
    new Response(
      new ReadableStream<Uint8Array<ArrayBuffer>>({
        start: (controller) => controller.enqueue(new TextEncoder().encode("data: 1\n\n")),
        cancel: () => cancelled.resolve(),
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  await withUpstream(answer, async (origin) => {
    const controller = new AbortController();
    const reply = await sendCall(origin, headers, call, rules, runtime, controller.signal);
    assert.ok(reply.kind === "stream");
    const body = openBody(reply.body);
    assert.equal(new TextDecoder().decode(await body.read()), "data: 1\n\n");
    controller.abort();
    await assert.rejects(body.read(), { name: "AbortError" });
    await cancelled.promise;
  });
});

Deno.test("judgeReply() tells streams, documents and pages apart by their content type", async () => {
  const cases: readonly (readonly [string | null, boolean, UpstreamReply["kind"]])[] = [
    ["text/event-stream; charset=utf-8", true, "stream"],
    ["text/event-stream", false, "stream"],
    ["application/json", true, "json"],
    ["application/problem+json", false, "json"],
    ["text/plain; charset=utf-8", false, "json"],
    [null, true, "stream"],
    [null, false, "json"],
    ["text/html", true, "refused"],
    ["image/png", false, "refused"],
  ];
  for (const [type, wantsStream, kind] of cases) {
    const body = new Response('{"object":"x"}').body;
    const response = new Response(body, type === null ? {} : { headers: { "content-type": type } });
    const reply = await judgeReply(response, wantsStream, rules, nowMs);
    assert.equal(reply.kind, kind, String(type));
    if (reply.kind === "refused") assert.equal(reply.error.code, "upstream_invalid_response");
    else await discardReply(reply);
  }
  const empty = await judgeReply(new Response(null, { status: 204 }), false, rules, nowMs);
  assert.equal(empty.kind, "refused");
});

Deno.test("judgeReply() makes an error of an error document that came with 200", async () => {
  const body = { code: "The service is currently unavailable", error: "Service temporarily unavailable." };
  const reply = await judgeReply(json(200, body), true, rules, nowMs);
  assert.deepEqual(reply.kind === "refused" && [reply.error.status, reply.error.message], [
    503,
    "Service temporarily unavailable.",
  ]);
});

Deno.test("judgeReply() hands over documents of any length unchanged", async () => {
  for (const length of [0, 10, 16 * 1024 - 2, 16 * 1024, 300_000]) {
    const document = JSON.stringify("a".repeat(length));
    const chunked = new Response(
      new ReadableStream<Uint8Array<ArrayBuffer>>({
        start: (controller) => {
          for (let at = 0; at < document.length; at += 7000) {
            controller.enqueue(new TextEncoder().encode(document.slice(at, at + 7000)));
          }
          controller.enqueue(new Uint8Array(0));
          controller.close();
        },
      }),
      { headers: { "content-type": "application/json" } },
    );
    assert.equal(await textOf(await judgeReply(chunked, false, rules, nowMs)), document);
  }
});

Deno.test("judgeReply() reads a short document at once and leaves a long one to the caller, announced or not", async () => {
  for (const announced of [true, false]) {
    for (
      const [length, isRead] of [[100, true], [16 * 1024 - 2, true], [16 * 1024 - 1, false], [100_000, false]]
    ) {
      const document = JSON.stringify("a".repeat(Number(length)));
      const headers = {
        "content-type": "application/json",
        ...(announced ? { "content-length": String(document.length) } : {}),
      };
      const reply = await judgeReply(new Response(document, { headers }), false, rules, nowMs);
      assert.ok(reply.kind === "json");
      assert.equal(reply.body instanceof Uint8Array, isRead, `${length} bytes`);
      assert.equal(await textOf(reply), document);
    }
  }
});

Deno.test("judgeReply() passes the cancelling of a long document on to the upstream", async () => {
  let cancelled: unknown;
  const endless = new Response(
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull: (controller) => controller.enqueue(new Uint8Array(8192).fill(32)),
      cancel: (reason) => {
        cancelled = reason;
      },
    }),
    { headers: { "content-type": "application/json" } },
  );
  const reply = await judgeReply(endless, false, rules, nowMs);
  assert.ok(reply.kind === "json" && !(reply.body instanceof Uint8Array));
  await reply.body.cancel("enough");
  assert.equal(cancelled, "enough");
});

Deno.test("judgeReply() calls a document that breaks off at once unreachable", async () => {
  const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.error(new Error("reset")),
  });
  const response = new Response(broken, { headers: { "content-type": "application/json" } });
  const reply = await judgeReply(response, false, rules, nowMs);
  assert.equal(reply.kind === "refused" && reply.error.code, "upstream_unreachable");
});

Deno.test("fetchDocument() reads a document, and turns refusals and endless ones into errors", async () => {
  const answers: Record<string, () => Response> = {
    "/ok": () => json(200, { a: 1 }),
    "/limit": () => json(429, { error: { message: "Slow.", code: "rate_limited" } }, { "retry-after": "4" }),
    "/long": () => new Response(new Uint8Array(9 * 1024 * 1024)),
  };
  await withUpstream(({ path }) => answers[path]?.() ?? json(404, {}), async (origin) => {
    const read = (path: string) => fetchDocument(origin + path, headers, rules, runtime, noAbort());
    assert.deepEqual(await read("/ok"), { kind: "document", text: '{"a":1}' });
    const limited = await read("/limit");
    assert.deepEqual(limited.kind === "refused" && [limited.error.code, limited.error.retryAfterSeconds], [
      "rate_limited",
      4,
    ]);
    const long = await read("/long");
    assert.equal(long.kind === "refused" && long.error.code, "upstream_invalid_response");
  });
});
