import assert from "node:assert/strict";
import { createChatGpt } from "../../src/provider/chatgpt.ts";
import { readChatGptModels } from "../../src/provider/chatgpt_models.ts";
import { chatGptDefaults } from "../../src/provider/chatgpt_settings.ts";
import type { Grant, UpstreamCall } from "../../src/provider/provider.ts";
import { discardReply } from "../../src/provider/send.ts";
import { bodyText, challengePage, json, noAbort, runtime, withUpstream } from "./stub_upstream.ts";

const grant: Grant = {
  accessToken: "canary-access-token",
  accessExpiresAtMs: 1,
  refreshToken: "canary-refresh-token",
  accountId: "user-ada",
  attributes: { workspaceId: "ws-1", fedramp: "true" },
};

const call: UpstreamCall = {
  dialect: "responses",
  model: "gpt-5.5",
  body: { model: "gpt-5.5", stream: true, prompt_cache_key: "conv-1" },
};

function chatGptAt(origin: string) {
  return createChatGpt(
    { ...chatGptDefaults, apiUrl: `${origin}/backend-api`, originator: "My App" },
    runtime,
  );
}

Deno.test("send() asks the Codex backend with the account's headers and streams its answer", async () => {
  const sse = "event: response.created\ndata: {}\n\n";
  const answer = (): Response => new Response(sse, { headers: { "content-type": "text/event-stream" } });
  await withUpstream(answer, async (origin, received) => {
    const reply = await chatGptAt(origin).send(call, grant, noAbort());
    assert.ok(reply.kind === "stream");
    assert.equal(await bodyText(reply.body), sse);
    const [request] = received;
    assert.ok(request !== undefined);
    assert.deepEqual([request.method, request.path], ["POST", "/backend-api/codex/responses"]);
    assert.equal(request.body, JSON.stringify(call.body));
    const expected = {
      authorization: "Bearer canary-access-token",
      "chatgpt-account-id": "ws-1",
      "content-type": "application/json",
      accept: "text/event-stream",
      originator: "My App",
      session_id: "conv-1",
      "user-agent": "My-App/0.144.1 (authai-relay)",
      "x-openai-fedramp": "true",
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(request.headers[name], value, name);
  });
});

Deno.test("send() leaves out what the account or the request does not have", async () => {
  await withUpstream(() => json(200, { object: "x" }), async (origin, received) => {
    const plain = { ...grant, attributes: { workspaceId: "ws-1" } };
    const odd = { ...call, body: { ...call.body, prompt_cache_key: "two words\n" } };
    const reply = await chatGptAt(origin).send(odd, plain, noAbort());
    await discardReply(reply);
    assert.equal(received[0]?.headers["session_id"], undefined);
    assert.equal(received[0]?.headers["x-openai-fedramp"], undefined);
  });
});

Deno.test("send() tells the backend of tools that are inside the conversation", async () => {
  await withUpstream(() => json(200, { object: "x" }), async (origin, received) => {
    const tools = { type: "additional_tools", role: "developer", tools: [] };
    const message = { type: "message", role: "user", content: "hi" };
    for (const input of [[tools, message], [message]]) {
      const reply = await chatGptAt(origin).send(
        { ...call, body: { ...call.body, input } },
        grant,
        noAbort(),
      );
      await discardReply(reply);
    }
    assert.deepEqual(received.map(({ headers }) => headers["x-openai-internal-codex-responses-lite"]), [
      "true",
      undefined,
    ]);
  });
});

Deno.test("send() tells refusals in the client's terms and without the tokens", async () => {
  const cases: readonly (readonly [Response, number, string | null, boolean])[] = [
    [json(401, { detail: "Unauthorized canary-access-token" }), 401, null, true],
    [json(429, { error: { type: "usage_limit_reached", message: "m" } }), 429, "usage_limit_reached", false],
    [challengePage(), 503, "upstream_challenge", false],
    [new Response(null, { status: 404 }), 503, "upstream_challenge", false],
  ];
  for (const [response, status, code, accessRejected] of cases) {
    await withUpstream(() => response, async (origin) => {
      const reply = await chatGptAt(origin).send(call, grant, noAbort());
      assert.ok(reply.kind === "refused");
      assert.deepEqual([reply.error.status, reply.error.code, reply.error.accessRejected], [
        status,
        code,
        accessRejected,
      ]);
      assert.ok(!JSON.stringify(reply.error).includes("canary"));
    });
  }
});

Deno.test("listModels() asks for the models of our client version", async () => {
  await withUpstream(() => json(200, { models: [{ slug: "gpt-5.5" }] }), async (origin, received) => {
    const outcome = await chatGptAt(origin).listModels(grant, noAbort());
    assert.deepEqual(outcome.kind === "models" && outcome.models.map(({ id }) => id), ["gpt-5.5"]);
    assert.equal(received[0]?.path, "/backend-api/codex/models?client_version=0.144.1");
    assert.equal(received[0]?.headers["authorization"], "Bearer canary-access-token");
    assert.equal(received[0]?.headers["chatgpt-account-id"], "ws-1");
  });
});

Deno.test("listModels() refuses a document that is no list, and passes refusals on", async () => {
  for (const [response, status] of [[json(200, { data: [] }), 502], [json(401, {}), 401]] as const) {
    await withUpstream(() => response, async (origin) => {
      const outcome = await chatGptAt(origin).listModels(grant, noAbort());
      assert.equal(outcome.kind === "refused" && outcome.error.status, status);
    });
  }
});

Deno.test("readChatGptModels() keeps the visible models in the upstream's order of preference", () => {
  const text = JSON.stringify({
    models: [
      { slug: "later" },
      { slug: "gpt-5.4", priority: 2, visibility: "list", supports_parallel_tool_calls: false },
      {
        slug: "gpt-5.5",
        display_name: "GPT-5.5",
        priority: 1,
        visibility: "list",
        default_reasoning_level: "medium",
        supported_reasoning_levels: [{ effort: "low", description: "d" }, { effort: "medium" }, {}],
        context_window: 272_000,
        input_modalities: ["text", "image"],
        supports_parallel_tool_calls: true,
      },
      { slug: "codex-auto-review", priority: 0, visibility: "hide" },
      { slug: "secret", visibility: "none" },
      { slug: "gpt-5.5", priority: 9 },
      { display_name: "no slug" },
      null,
    ],
  });
  assert.deepEqual(readChatGptModels(text), [
    {
      id: "gpt-5.5",
      displayName: "GPT-5.5",
      created: 0,
      ownedBy: "openai",
      dialects: ["responses"],
      contextWindowTokens: 272_000,
      inputModalities: ["text", "image"],
      reasoningEfforts: ["low", "medium"],
      defaultReasoningEffort: "medium",
      parallelToolCalls: true,
    },
    {
      id: "gpt-5.4",
      displayName: "gpt-5.4",
      created: 0,
      ownedBy: "openai",
      dialects: ["responses"],
      parallelToolCalls: false,
    },
    { id: "later", displayName: "later", created: 0, ownedBy: "openai", dialects: ["responses"] },
  ]);
  assert.equal(readChatGptModels("<html>"), undefined);
});

Deno.test("dialectFor() and prepare() know only Responses", async () => {
  const provider = chatGptAt("https://chatgpt.invalid");
  assert.equal(await provider.dialectFor("chat", "gpt-5.5", grant, noAbort()), "responses");
  assert.throws(() => provider.prepare("chat", {}), TypeError);
});
