/**
 * What clients send by mistake or on purpose: a clear error in the right envelope, and the relay goes on.
 */
import assert from "node:assert/strict";
import { createRelayApp } from "../../src/app/app.ts";
import type { RelayAppOptions } from "../../src/app/options.ts";
import { identitySecret, jwtSecret, startRig } from "../e2e/rig.ts";

/** A request and what must come back: `error` is the whole body, `like` a part of OpenAI's error object. */
interface Case {
  readonly name: string;
  readonly method?: string;
  readonly path: string;
  readonly body?: BodyInit;
  readonly status: number;
  readonly error?: unknown;
  readonly like?: Readonly<Record<string, unknown>>;
}

const chat = "/v1/chat/completions";
const fiftyMegabytes = 50 * 1024 * 1024;

const cases: readonly Case[] = [
  { name: "no body", path: chat, status: 400, like: { code: "invalid_json" } },
  { name: "broken JSON", path: chat, body: '{"model":', status: 400, like: { code: "invalid_json" } },
  {
    name: "broken UTF-8",
    path: chat,
    body: new Uint8Array([0x7b, 0xff, 0x7d]),
    status: 400,
    like: { code: "invalid_json" },
  },
  { name: "an array", path: chat, body: "[]", status: 400, like: { code: "invalid_json" } },
  { name: "null", path: "/v1/responses", body: "null", status: 400, like: { code: "invalid_json" } },
  { name: "no model", path: chat, body: '{"messages":[]}', status: 400, like: { param: "model" } },
  {
    name: "a number for a model",
    path: chat,
    body: '{"model":5,"messages":[]}',
    status: 400,
    like: { param: "model" },
  },
  { name: "no messages", path: chat, body: '{"model":"gpt-5.5"}', status: 400, like: { param: "messages" } },
  {
    name: "messages as text",
    path: chat,
    body: '{"model":"gpt-5.5","messages":"hi"}',
    status: 400,
    like: { param: "messages" },
  },
  {
    name: "a message as text",
    path: chat,
    body: '{"model":"gpt-5.5","messages":["hi"]}',
    status: 400,
    like: { param: "messages[0]" },
  },
  {
    name: "an unknown role",
    path: chat,
    body: '{"model":"gpt-5.5","messages":[{"role":"boss","content":"hi"}]}',
    status: 400,
    like: { param: "messages[0].role" },
  },
  {
    name: "stream as text",
    path: chat,
    body: '{"model":"gpt-5.5","messages":[],"stream":"yes"}',
    status: 400,
    like: { param: "stream" },
  },
  {
    name: "no model in responses",
    path: "/v1/responses",
    body: '{"input":"hi"}',
    status: 400,
    like: { param: "model" },
  },
  {
    name: "an unknown model",
    path: chat,
    body: '{"model":"gpt-0","messages":[{"role":"user","content":"hi"}]}',
    status: 400,
    like: { type: "invalid_request_error" },
  },
  {
    name: "50 MB",
    path: chat,
    body: new Uint8Array(fiftyMegabytes),
    status: 413,
    like: { code: "payload_too_large", type: "invalid_request_error" },
  },
  {
    name: "50 MB without a length",
    path: chat,
    body: stream(fiftyMegabytes),
    status: 413,
    like: { code: "payload_too_large" },
  },
  {
    name: "an endpoint that we do not have",
    path: "/v1/embeddings",
    body: "{}",
    status: 400,
    error: {
      error: { message: "Endpoint /v1/embeddings not supported by AuthAI", type: "unsupported_endpoint" },
    },
  },
  {
    name: "a path that nobody has",
    method: "GET",
    path: "/wp-login.php",
    status: 404,
    like: { code: "not_found" },
  },
  {
    name: "a start that is no JSON",
    path: "/auth/start",
    body: "{",
    status: 400,
    error: { error: "The request body is not valid JSON." },
  },
  {
    name: "an unknown provider",
    path: "/auth/start",
    body: '{"provider":"claude"}',
    status: 400,
    error: { error: "This relay does not offer the requested provider. It offers: openai, xai, github." },
  },
  {
    name: "a provider that is no text",
    path: "/auth/start",
    body: '{"provider":{"toString":"openai"}}',
    status: 400,
    error: { error: "This relay does not offer the requested provider. It offers: openai, xai, github." },
  },
  {
    name: "a huge start",
    path: "/auth/start",
    body: "x".repeat(20_000),
    status: 413,
    error: { error: "The request body may have at most 16384 bytes." },
  },
  ...[
    "x",
    "A".repeat(43),
    "A".repeat(5_000),
    "..%2f..%2fetc%2fpasswd",
    "%00",
    "%F0%9F%98%80",
    "';drop table records;--",
    "__proto__",
  ].map((id): Case => ({
    name: `the session id ${id.slice(0, 30)}`,
    method: "GET",
    path: `/auth/poll/${id}`,
    status: 404,
    error: { status: "error", error: "session not found" },
  })),
];

Deno.test("bad input gets a clear error in the right envelope, and the relay goes on", async (test) => {
  await using rig = await startRig();
  const jwt = await rig.signIn("openai");
  for (const { name, method = "POST", path, body, status, error, like } of cases) {
    await test.step(name, async () => {
      const response = await fetch(rig.origin + path, {
        method,
        headers: { authorization: `Bearer ${jwt}` },
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      assert.equal(response.status, status, text);
      assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
      const answered = JSON.parse(text);
      if (error !== undefined) assert.deepEqual(answered, error);
      else {
        assert.deepEqual(Object.keys(answered), ["error"]);
        assert.deepEqual(Object.keys(answered.error).sort(), ["code", "message", "param", "type"]);
        assert.match(answered.error.message, /^[A-Z'].*[.?]$/s);
        for (const [member, value] of Object.entries(like ?? {})) {
          assert.deepEqual(answered.error[member], value, text);
        }
      }
    });
  }
  const alive = await fetch(`${rig.origin}/healthz`);
  assert.equal((await alive.json()).ok, true);
  assert.deepEqual(rig.events.filter(({ kind }) => kind === "fault"), []);
});

Deno.test("createRelayApp() throws at once on secrets that do not fit, without repeating them", async () => {
  await using rig = await startRig();
  const right: RelayAppOptions = { store: rig.store, jwtSecret, identitySecret, originator: "test" };
  const wrong: Partial<RelayAppOptions>[] = [
    { jwtSecret: "canary-not-hex" },
    { jwtSecret: "ab".repeat(31) },
    { identitySecret: "" },
    { identitySecret: jwtSecret },
    { previousJwtSecrets: ["canary-short"] },
  ];
  for (const change of wrong) {
    assert.throws(
      () => createRelayApp({ ...right, ...change }),
      (error) =>
        error instanceof TypeError && !error.message.includes("canary") && !error.message.includes("abab"),
      JSON.stringify(Object.keys(change)),
    );
  }
});

Deno.test("a middleware that throws, and one that answers, are handled", async () => {
  await using rig = await startRig({
    relay: {
      middleware: [
        async (context, next) => {
          if (context.req.path === "/teapot") return new Response("short and stout", { status: 418 });
          if (context.req.path === "/boom") throw new Error("A middleware broke.");
          await next();
          context.res.headers.set("x-first", "yes");
          return undefined;
        },
      ],
    },
  });
  assert.equal((await fetch(`${rig.origin}/teapot`)).status, 418);
  const boom = await fetch(`${rig.origin}/boom`);
  assert.equal(boom.status, 500);
  assert.equal((await boom.json()).error.code, "internal_error");
  const ok = await fetch(`${rig.origin}/healthz`);
  assert.equal(ok.headers.get("x-first"), "yes");
  const faults = rig.events.filter(({ kind }) => kind === "fault");
  const requestId = boom.headers.get("x-request-id");
  assert.deepEqual(faults, [{
    kind: "fault",
    requestId,
    route: "/*",
    message: "Error: A middleware broke.",
  }]);
});

/** A body of so many bytes that does not announce its length. */
function stream(bytes: number): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(64 * 1024);
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close();
      left -= chunk.length;
      controller.enqueue(chunk);
    },
  });
}
