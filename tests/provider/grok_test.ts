import assert from "node:assert/strict";
import { conversationId } from "../../src/provider/conversation_id.ts";
import { createGrok } from "../../src/provider/grok.ts";
import { readGrokModels } from "../../src/provider/grok_models.ts";
import { grokDefaults, type GrokSettings } from "../../src/provider/grok_settings.ts";
import type { Grant, UpstreamCall } from "../../src/provider/provider.ts";
import { json, noAbort, runtime, runtimeWithFetch, withUpstream } from "./stub_upstream.ts";
import type { Dialect } from "../../src/wire/dialect.ts";

const grant: Grant = {
  accessToken: "canary-access-token",
  accessExpiresAtMs: 1,
  refreshToken: "canary-refresh-token",
  accountId: "sub-ada",
  attributes: {},
};

function callOf(dialect: Dialect, members: Record<string, unknown> = {}): UpstreamCall {
  return { dialect, model: "grok-4.5", body: { model: "grok-4.5", stream: true, ...members } };
}

Deno.test("send() asks the rail that the setting names, as the command line client would", async () => {
  const answer = (): Response =>
    new Response("data: {}\n\n", { headers: { "content-type": "text/event-stream" } });
  await withUpstream(answer, async (origin, received) => {
    const grok = createGrok({ ...grokDefaults, apiUrl: `${origin}/v1` }, runtime);
    const calls = [callOf("responses", { prompt_cache_key: "conv-1" }), callOf("chat", { stream: false })];
    for (const call of calls) {
      const reply = await grok.send(call, grant, noAbort());
      assert.ok(reply.kind === "stream");
      await reply.body.cancel();
    }
    assert.deepEqual(received.map(({ method, path, body }) => [method, path, JSON.parse(body)]), [
      ["POST", "/v1/responses", calls[0]?.body],
      ["POST", "/v1/chat/completions", calls[1]?.body],
    ]);
    const expected = {
      authorization: "Bearer canary-access-token",
      "content-type": "application/json",
      "x-xai-token-auth": "xai-grok-cli",
      "x-grok-client-version": "1.0.13",
      "x-grok-client-identifier": "grok-shell",
      "x-grok-client-mode": "headless",
      "x-grok-model-override": "grok-4.5",
      "user-agent": "grok-shell/1.0.13 (linux; x86_64)",
    };
    for (const { headers } of received) {
      for (const [name, value] of Object.entries(expected)) assert.equal(headers[name], value, name);
    }
    assert.deepEqual(received.map(({ headers }) => [headers["accept"], headers["x-grok-conv-id"]]), [
      ["text/event-stream", "conv-1"],
      ["application/json", conversationId("chat", calls[1]?.body ?? {}, grant)],
    ]);
  });
});

Deno.test("send() shows the client's identity as the setting says", async () => {
  const cases: readonly (readonly [Partial<GrokSettings>, boolean])[] = [
    [{}, true],
    [{ apiUrl: "https://api.x.ai/v1" }, false],
    [{ apiUrl: "https://api.x.ai/v1", sendCliHeaders: "always" }, true],
    [{ sendCliHeaders: "never" }, false],
  ];
  for (const [settings, expected] of cases) {
    const sent: string[] = [];
    const watching = runtimeWithFetch((_url, init) => {
      sent.push(...new Headers(init.headers).keys());
      return Promise.resolve(json(500, {}));
    });
    await createGrok({ ...grokDefaults, ...settings }, watching).send(callOf("chat"), grant, noAbort());
    assert.ok(sent.includes("authorization"));
    assert.equal(sent.includes("x-xai-token-auth"), expected, JSON.stringify(settings));
    assert.equal(sent.includes("x-grok-model-override"), expected, JSON.stringify(settings));
    assert.ok(sent.includes("x-grok-conv-id"), "both rails have the cache");
  }
});

Deno.test("send() tells which refusals a fresh token may lift", async () => {
  const cases: readonly (readonly [number, unknown, string | null, boolean])[] = [
    [401, { error: "Invalid or expired credentials (auth_kind=bearer)" }, null, true],
    [403, { code: "unauthenticated:bad-credentials", error: "x" }, "unauthenticated:bad-credentials", true],
    [
      403,
      { error: { code: "unauthenticated:bad-credentials", error: "x" } },
      "unauthenticated:bad-credentials",
      true,
    ],
    [403, { code: "permission-denied", error: "x" }, "permission-denied", false],
    [
      403,
      { code: "personal-team-blocked:spending-limit", error: "x" },
      "personal-team-blocked:spending-limit",
      false,
    ],
    [
      429,
      { code: "subscription:free-usage-exhausted", error: "x" },
      "subscription:free-usage-exhausted",
      false,
    ],
  ];
  for (const [status, body, code, accessRejected] of cases) {
    await withUpstream(() => json(status, body), async (origin) => {
      const grok = createGrok({ ...grokDefaults, apiUrl: origin }, runtime);
      const reply = await grok.send(callOf("responses"), grant, noAbort());
      assert.ok(reply.kind === "refused");
      assert.deepEqual([reply.error.status, reply.error.code, reply.error.accessRejected], [
        status,
        code,
        accessRejected,
      ]);
    });
  }
});

Deno.test("send() makes an error of a 200 that carries an error document instead of a stream", async () => {
  const body = { code: "The service is currently unavailable", error: "Service temporarily unavailable." };
  await withUpstream(() => json(200, body), async (origin) => {
    const grok = createGrok({ ...grokDefaults, apiUrl: origin }, runtime);
    const reply = await grok.send(callOf("chat"), grant, noAbort());
    assert.equal(reply.kind === "refused" && reply.error.status, 503);
  });
});

Deno.test("prepare() hands back the same object where Grok takes the request as it is", () => {
  const grok = createGrok(grokDefaults, runtime);
  const bodies: readonly (readonly [Dialect, Record<string, unknown>])[] = [
    ["responses", { model: "m", input: "hi", store: false, user: "u", temperature: 0, max_output_tokens: 9 }],
    ["chat", {
      model: "m",
      messages: [],
      stop: ["x"],
      presence_penalty: 1,
      stream_options: { include_usage: true },
    }],
    ["chat", { model: "m", messages: [], tools: [{}], tool_choice: "auto" }],
    ["chat", { model: "m", messages: [], tool_choice: "required" }],
  ];
  for (const [dialect, body] of bodies) {
    const outcome = grok.prepare(dialect, body);
    assert.ok(outcome.kind === "ready");
    assert.equal(outcome.body, body);
    assert.deepEqual(outcome.ignored, []);
  }
});

Deno.test("prepare() drops and names what Grok's Responses endpoint refuses", () => {
  const body = {
    model: "m",
    input: "hi",
    prompt_cache_retention: "24h",
    safety_identifier: "s",
    stop: ["x"],
    stream_options: { include_obfuscation: false },
    previous_response_id: null,
    tool_choice: "auto",
  };
  assert.deepEqual(createGrok(grokDefaults, runtime).prepare("responses", body), {
    kind: "ready",
    body: { model: "m", input: "hi" },
    ignored: ["prompt_cache_retention", "safety_identifier", "stream_options", "stop"],
  });
});

Deno.test("prepare() drops and names the tools of Codex that Grok cannot parse, and refuses custom tools", () => {
  const grok = createGrok(grokDefaults, runtime);
  const shell = { type: "function", name: "shell" };
  const search = { type: "web_search" };
  const body = {
    model: "m",
    input: "hi",
    tools: [{ type: "namespace", name: "agents", tools: [shell] }, shell, { type: "tool_search" }, search],
    tool_choice: "auto",
  };
  assert.deepEqual(grok.prepare("responses", body), {
    kind: "ready",
    body: { ...body, tools: [shell, search] },
    ignored: ["tools[].namespace", "tools[].tool_search"],
  });
  const alone = { model: "m", input: "hi", tools: [{ type: "local_shell" }], tool_choice: "auto" };
  assert.deepEqual(grok.prepare("responses", alone), {
    kind: "ready",
    body: { model: "m", input: "hi", tools: [] },
    ignored: ["tools[].local_shell"],
  });
  const custom = grok.prepare("responses", { ...body, tools: [shell, { type: "custom", name: "patch" }] });
  assert.ok(custom.kind === "refused");
  assert.deepEqual([custom.param, custom.code], ["tools[1]", "unsupported_value"]);
});

Deno.test("prepare() drops a tool choice that has no tools to choose from", () => {
  const grok = createGrok(grokDefaults, runtime);
  for (const choice of ["auto", "none", null]) {
    const outcome = grok.prepare("chat", { model: "m", messages: [], tool_choice: choice, tools: [] });
    assert.deepEqual(outcome, { kind: "ready", body: { model: "m", messages: [], tools: [] }, ignored: [] });
  }
});

Deno.test("prepare() refuses to store an answer in both dialects", () => {
  const grok = createGrok(grokDefaults, runtime);
  for (const dialect of ["chat", "responses"] as const) {
    const outcome = grok.prepare(dialect, { model: "m", store: true });
    assert.ok(outcome.kind === "refused");
    assert.deepEqual([outcome.param, outcome.code], ["store", "unsupported_value"]);
  }
});

Deno.test("prepare() refuses a request that continues one that nobody stored", () => {
  const outcome = createGrok(grokDefaults, runtime).prepare("responses", {
    previous_response_id: "r",
    input: "x",
  });
  assert.deepEqual(outcome.kind === "refused" && [outcome.param, outcome.code], [
    "previous_response_id",
    "unsupported_parameter",
  ]);
});

Deno.test("dialectFor() keeps the client's dialect", async () => {
  const grok = createGrok(grokDefaults, runtime);
  for (const dialect of ["chat", "responses"] as const) {
    assert.equal(await grok.dialectFor(dialect, "grok-4.5", grant, noAbort()), dialect);
  }
});

Deno.test("listModels() reads the account's list", async () => {
  await withUpstream(
    () => json(200, { object: "list", data: [{ id: "grok-4.5" }] }),
    async (origin, received) => {
      const grok = createGrok({ ...grokDefaults, apiUrl: `${origin}/v1` }, runtime);
      const outcome = await grok.listModels(grant, noAbort());
      assert.deepEqual(outcome.kind === "models" && outcome.models.map(({ id }) => id), ["grok-4.5"]);
      assert.deepEqual([received[0]?.method, received[0]?.path], ["GET", "/v1/models"]);
      assert.equal(received[0]?.headers["x-xai-token-auth"], "xai-grok-cli");
      assert.equal(received[0]?.headers["authorization"], "Bearer canary-access-token");
    },
  );
});

Deno.test("readGrokModels() reads both spellings and leaves out what is hidden or unreadable", () => {
  const text = JSON.stringify({
    object: "list",
    data: [
      {
        id: "grok-4.5",
        name: "Grok 4.5",
        created: 1_770_000_000,
        owned_by: "xAI",
        contextWindow: 500_000,
        maxCompletionTokens: 65_536,
        reasoningEfforts: [{ value: "low" }, { value: "high", default: true }],
      },
      {
        id: "grok-4.3",
        context_window: 1_000_000,
        reasoning_effort: "low",
        reasoning_efforts: ["low"],
        input_modalities: ["text", "image"],
      },
      { id: "grok-4.5" },
      { id: "grok-hidden", hidden: true },
      { name: "no id" },
      7,
    ],
  });
  assert.deepEqual(readGrokModels(text), [
    {
      id: "grok-4.5",
      displayName: "Grok 4.5",
      created: 1_770_000_000,
      ownedBy: "xAI",
      dialects: ["responses", "chat"],
      contextWindowTokens: 500_000,
      maxOutputTokens: 65_536,
      reasoningEfforts: ["low", "high"],
      defaultReasoningEffort: "high",
    },
    {
      id: "grok-4.3",
      displayName: "grok-4.3",
      created: 0,
      ownedBy: "xai",
      dialects: ["responses", "chat"],
      contextWindowTokens: 1_000_000,
      inputModalities: ["text", "image"],
      reasoningEfforts: ["low"],
      defaultReasoningEffort: "low",
    },
  ]);
  assert.equal(readGrokModels('{"models":[]}'), undefined);
});
