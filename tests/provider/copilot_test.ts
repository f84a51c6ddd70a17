import assert from "node:assert/strict";
import { createCopilot } from "../../src/provider/copilot.ts";
import { hasImage, initiatorOf } from "../../src/provider/copilot_headers.ts";
import { dialectOfFamily, readCopilotModels } from "../../src/provider/copilot_models.ts";
import { copilotDefaults } from "../../src/provider/copilot_settings.ts";
import type { Grant, UpstreamCall } from "../../src/provider/provider.ts";
import { json, noAbort, nowMs, runtime, runtimeWithFetch, withUpstream } from "./stub_upstream.ts";
import type { Dialect } from "../../src/wire/dialect.ts";

const grant: Grant = {
  accessToken: "tid=canary;exp=1:mac",
  accessExpiresAtMs: 1,
  refreshToken: "ghu_canary0123456789",
  accountId: "42",
  attributes: {},
};

function grantAt(apiUrl: string): Grant {
  return { ...grant, attributes: { apiUrl } };
}

function callOf(dialect: Dialect, members: Record<string, unknown>): UpstreamCall {
  return { dialect, model: "gpt-4.1", body: { model: "gpt-4.1", stream: true, ...members } };
}

const image = { type: "image_url", image_url: { url: "data:image/png;base64,AA==" } };

Deno.test("send() asks the account's own host as the editor would", async () => {
  const answer = (): Response =>
    new Response("data: {}\n\n", { headers: { "content-type": "text/event-stream" } });
  await withUpstream(answer, async (origin, received) => {
    const copilot = createCopilot(copilotDefaults, runtime);
    const calls = [
      callOf("chat", { messages: [{ role: "user", content: [image] }] }),
      callOf("responses", { input: [{ type: "function_call_output", call_id: "c", output: "1" }] }),
    ];
    for (const call of calls) {
      const reply = await copilot.send(call, grantAt(`${origin}/capi`), noAbort());
      assert.ok(reply.kind === "stream");
      await reply.body.cancel();
    }
    assert.deepEqual(received.map(({ method, path, body }) => [method, path, JSON.parse(body)]), [
      ["POST", "/capi/chat/completions", calls[0]?.body],
      ["POST", "/capi/responses", calls[1]?.body],
    ]);
    const expected = {
      authorization: "Bearer tid=canary;exp=1:mac",
      "content-type": "application/json",
      accept: "text/event-stream",
      "editor-version": "vscode/1.107.0",
      "editor-plugin-version": "copilot-chat/0.35.0",
      "copilot-integration-id": "vscode-chat",
      "user-agent": "GitHubCopilotChat/0.35.0",
      "openai-intent": "conversation-agent",
      "x-github-api-version": "2025-05-01",
      "x-request-id": "00000000-0000-4000-8000-000000000000",
    };
    for (const { headers } of received) {
      for (const [name, value] of Object.entries(expected)) assert.equal(headers[name], value, name);
    }
    assert.deepEqual(
      received.map(({ headers }) => [headers["x-initiator"], headers["copilot-vision-request"]]),
      [
        ["user", "true"],
        ["agent", undefined],
      ],
    );
  });
});

Deno.test("send() prefers the host of the settings, and shows no editor for a token of another app", async () => {
  await withUpstream(() => json(401, {}), async (origin, received) => {
    const copilot = createCopilot({ ...copilotDefaults, copilotApiUrl: origin }, runtime);
    const direct = { ...grant, attributes: { apiUrl: "https://never.invalid", direct: "true" } };
    const reply = await copilot.send(callOf("chat", { messages: [] }), direct, noAbort());
    assert.equal(reply.kind === "refused" && reply.error.accessRejected, true);
    assert.equal(received[0]?.path, "/chat/completions");
    const names = Object.keys(received[0]?.headers ?? {});
    assert.ok(
      !names.some((name) => name.startsWith("editor-") || name === "copilot-integration-id"),
      names.join(),
    );
  });
});

Deno.test("send() reads Copilot's refusals, most of them sent as plain text", async () => {
  const cases: readonly (readonly [number, string, string | null, string, boolean])[] = [
    [401, "unauthorized: token expired\n", null, "unauthorized: token expired", true],
    [
      403,
      "unauthorized: not authorized to use this Copilot feature\n",
      null,
      "unauthorized: not authorized to use this Copilot feature",
      false,
    ],
    [
      400,
      '{"error":{"message":"No.","code":"unsupported_api_for_model"}}',
      "unsupported_api_for_model",
      "No.",
      false,
    ],
    [
      402,
      '{"message":"You have no quota","code":"quota_exceeded"}',
      "quota_exceeded",
      "You have no quota",
      false,
    ],
  ];
  for (const [status, body, code, message, accessRejected] of cases) {
    await withUpstream(
      () => new Response(body, { status, headers: { "retry-after": "60" } }),
      async (origin) => {
        const copilot = createCopilot(copilotDefaults, runtime);
        const reply = await copilot.send(callOf("chat", { messages: [] }), grantAt(origin), noAbort());
        assert.ok(reply.kind === "refused");
        const { error } = reply;
        assert.deepEqual([
          error.status,
          error.code,
          error.message,
          error.accessRejected,
          error.retryAfterSeconds,
        ], [
          status,
          code,
          message,
          accessRejected,
          60,
        ]);
      },
    );
  }
});

Deno.test("initiatorOf() counts what the person wrote, and nothing that the agent does for them", () => {
  const user = { role: "user", content: "hi" };
  const cases: readonly (readonly [Dialect, unknown, "user" | "agent"])[] = [
    ["chat", [user], "user"],
    ["chat", [{ role: "system", content: "x" }, user, { role: "assistant" }, user], "user"],
    ["chat", [user, { role: "assistant", tool_calls: [] }, { role: "tool", content: "1" }], "agent"],
    ["chat", [user, { role: "assistant", content: "go on" }], "agent"],
    // What a tool returned beside text stands in a user message behind its result.
    ["chat", [user, { role: "tool", content: "1" }, { role: "user", content: [image] }], "agent"],
    ["chat", [user, { role: "tool", content: "1" }, { role: "user", content: "and this?" }], "user"],
    [
      "chat",
      [{ role: "tool", content: "1" }, { role: "user", content: [image, { type: "text", text: "?" }] }],
      "user",
    ],
    ["chat", [{ role: "user", content: [image] }], "user"],
    ["chat", [], "user"],
    ["responses", "hi", "user"],
    ["responses", [{ type: "message", role: "user", content: "hi" }], "user"],
    ["responses", [user, { type: "function_call_output", output: "1" }], "agent"],
    ["responses", undefined, "user"],
  ];
  for (const [dialect, conversation, expected] of cases) {
    const body = dialect === "chat" ? { messages: conversation } : { input: conversation };
    assert.equal(initiatorOf(dialect, body), expected, JSON.stringify(conversation));
  }
});

Deno.test("hasImage() finds images anywhere in the conversation", () => {
  const inputImage = { type: "input_image", image_url: "data:image/png;base64,AA==" };
  assert.equal(
    hasImage("chat", { messages: [{ role: "user", content: [image] }, { role: "assistant" }] }),
    true,
  );
  assert.equal(hasImage("chat", { messages: [{ role: "user", content: "image_url" }] }), false);
  assert.equal(hasImage("responses", { input: [{ role: "user", content: [inputImage] }] }), true);
  assert.equal(
    hasImage("responses", { input: [{ type: "function_call_output", output: [inputImage] }] }),
    true,
  );
  assert.equal(hasImage("responses", { input: "input_image" }), false);
});

Deno.test("prepare() tells Copilot the token limit by the name that all its models take", () => {
  const { prepare } = createCopilot(copilotDefaults, runtime);
  const cases = [
    [{ max_tokens: 7 }, { max_completion_tokens: 7 }, []],
    [{ max_tokens: 7, max_completion_tokens: 8 }, { max_completion_tokens: 8 }, ["max_tokens"]],
    [{ max_completion_tokens: 8 }, { max_completion_tokens: 8 }, []],
  ] as const;
  for (const [given, body, ignored] of cases) {
    assert.deepEqual(prepare("chat", given), { kind: "ready", body, ignored });
  }
});

Deno.test("prepare() refuses to store an answer in both dialects", () => {
  const { prepare } = createCopilot(copilotDefaults, runtime);
  for (const dialect of ["chat", "responses"] as const) {
    const outcome = prepare(dialect, { model: "m", store: true });
    assert.ok(outcome.kind === "refused");
    assert.deepEqual([outcome.param, outcome.code], ["store", "unsupported_value"]);
  }
});

Deno.test("prepare() leaves requests alone, except those that continue what nobody stored", () => {
  const copilot = createCopilot(copilotDefaults, runtime);
  for (
    const [dialect, body] of [["chat", { messages: [], n: 2 }], ["responses", {
      input: "x",
      user: "u",
    }]] as const
  ) {
    const outcome = copilot.prepare(dialect, body);
    assert.ok(outcome.kind === "ready");
    assert.equal(outcome.body, body);
  }
  const refused = copilot.prepare("responses", { input: "x", previous_response_id: "r" });
  assert.equal(refused.kind === "refused" && refused.param, "previous_response_id");
});

const list = {
  object: "list",
  data: [
    {
      id: "gpt-4.1",
      name: "GPT-4.1",
      vendor: "Azure OpenAI",
      policy: { state: "enabled" },
      capabilities: {
        type: "chat",
        limits: { max_context_window_tokens: 128_000, max_output_tokens: 16_384 },
        supports: { vision: true, tool_calls: true, parallel_tool_calls: false, structured_outputs: true },
      },
    },
    {
      id: "gpt-5.3-codex",
      supported_endpoints: ["/responses", "ws:/responses"],
      capabilities: { supports: { reasoning_effort: ["low", "high"], vision: false } },
    },
    { id: "gpt-5.5", supported_endpoints: ["/v1/chat/completions", "/v1/responses"] },
    { id: "gpt-4.1", name: "again" },
    { id: "claude-messages-only", supported_endpoints: ["/v1/messages"] },
    { id: "text-embedding-3-small", capabilities: { type: "embeddings" } },
    { id: "needs-terms", policy: { state: "unconfigured" } },
    { id: "forbidden", policy: { state: "disabled" } },
    { name: "no id" },
    null,
  ],
};

Deno.test("readCopilotModels() keeps the chat models that the account may use and that we can ask", () => {
  assert.deepEqual(readCopilotModels(JSON.stringify(list)), [
    {
      id: "gpt-4.1",
      displayName: "GPT-4.1",
      created: 0,
      ownedBy: "Azure OpenAI",
      dialects: ["chat"],
      contextWindowTokens: 128_000,
      maxOutputTokens: 16_384,
      inputModalities: ["text", "image"],
      toolCalls: true,
      parallelToolCalls: false,
      structuredOutputs: true,
    },
    {
      id: "gpt-5.3-codex",
      displayName: "gpt-5.3-codex",
      created: 0,
      ownedBy: "github",
      dialects: ["responses"],
      inputModalities: ["text"],
      reasoningEfforts: ["low", "high"],
    },
    {
      id: "gpt-5.5",
      displayName: "gpt-5.5",
      created: 0,
      ownedBy: "github",
      dialects: ["responses", "chat"],
    },
  ]);
  assert.equal(readCopilotModels("[]"), undefined);
});

Deno.test("dialectOfFamily() takes Codex models for Responses and the rest for Chat", () => {
  const cases: readonly (readonly [string, Dialect])[] = [
    ["gpt-5.3-codex", "responses"],
    ["gpt-5-codex-mini", "responses"],
    ["gpt-5.5", "chat"],
    ["claude-opus-4.8", "chat"],
    ["codex", "chat"],
  ];
  for (const [model, dialect] of cases) assert.equal(dialectOfFamily(model), dialect, model);
});

Deno.test("dialectFor() goes by the account's live list and asks for it once in five minutes", async () => {
  let now = nowMs;
  await withUpstream(() => json(200, list), async (origin, received) => {
    const copilot = createCopilot({ ...copilotDefaults, copilotApiUrl: origin }, {
      ...runtime,
      now: () => now,
    });
    const cases: readonly (readonly [Dialect, string, Dialect])[] = [
      ["chat", "gpt-5.5", "chat"],
      ["responses", "gpt-5.5", "responses"],
      ["responses", "gpt-4.1", "chat"],
      ["chat", "gpt-5.3-codex", "responses"],
      ["responses", "unlisted", "chat"],
      ["chat", "gpt-5-codex", "responses"],
    ];
    for (const [preferred, model, expected] of cases) {
      assert.equal(await copilot.dialectFor(preferred, model, grant, noAbort()), expected, model);
    }
    assert.equal(received.length, 1);
    assert.equal(received[0]?.path, "/models");
    assert.equal(received[0]?.headers["openai-intent"], "model-access");
    await copilot.dialectFor("chat", "gpt-5.5", { ...grant, accountId: "43" }, noAbort());
    assert.equal(received.length, 2);
    now += 5 * 60 * 1000;
    await copilot.dialectFor("chat", "gpt-5.5", grant, noAbort());
    assert.equal(received.length, 3);
  });
});

Deno.test("dialectFor() falls back to the last list, then to the family, and does not ask again at once", async () => {
  let now = nowMs;
  let works = false;
  await withUpstream(() => works ? json(200, list) : json(429, {}), async (origin, received) => {
    const copilot = createCopilot({ ...copilotDefaults, copilotApiUrl: origin }, {
      ...runtime,
      now: () => now,
    });
    const ask = (model: string): Promise<Dialect> => copilot.dialectFor("chat", model, grant, noAbort());
    assert.equal(await ask("gpt-5.3-codex"), "responses");
    assert.equal(await ask("gpt-5.5"), "chat");
    assert.equal(received.length, 1);
    now += 60_000;
    works = true;
    assert.equal(await copilot.dialectFor("responses", "gpt-5.5", grant, noAbort()), "responses");
    works = false;
    now += 5 * 60_000;
    assert.equal(await copilot.dialectFor("responses", "gpt-5.5", grant, noAbort()), "responses");
    assert.equal(received.length, 3);
  });
});

Deno.test("dialectFor() asks again at once when the token was refused, because it is renewed", async () => {
  let status = 401;
  await withUpstream(() => json(status, list), async (origin) => {
    const copilot = createCopilot({ ...copilotDefaults, copilotApiUrl: origin }, runtime);
    assert.equal(await copilot.dialectFor("responses", "gpt-5.5", grant, noAbort()), "chat");
    status = 200;
    assert.equal(await copilot.dialectFor("responses", "gpt-5.5", grant, noAbort()), "responses");
  });
});

Deno.test("dialectFor() rejects when the caller leaves, or runs out of time, while the list is read", async () => {
  for (const name of ["AbortError", "TimeoutError"]) {
    const controller = new AbortController();
    const leaving = runtimeWithFetch(() => {
      controller.abort(new DOMException("left", name));
      return Promise.reject(controller.signal.reason);
    });
    const copilot = createCopilot(copilotDefaults, leaving);
    await assert.rejects(copilot.dialectFor("chat", "gpt-5.5", grant, controller.signal), { name });
  }
});
