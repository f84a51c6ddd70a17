import assert from "node:assert/strict";
import type OpenAI from "openai";
import { CHAT_FIELDS } from "../../src/translate/chat_fields.ts";
import { chatToResponses } from "../../src/translate/chat_to_responses.ts";
import type { JsonObject } from "../../src/wire/json.ts";

type ChatRequest = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;
type HubRequest = OpenAI.Responses.ResponseCreateParamsNonStreaming;

const HELLO: ChatRequest = { model: "m", messages: [{ role: "user", content: "Hello" }] };
const HELLO_INPUT = [{ type: "message", role: "user", content: [{ type: "input_text", text: "Hello" }] }];

/** A request as JSON, so that the SDK's types check what the test says. */
function json(request: ChatRequest): JsonObject {
  return { ...request };
}

function ready(body: JsonObject): { body: JsonObject; ignored: readonly string[] } {
  const translated = chatToResponses(body);
  assert.equal(translated.kind, "ready", JSON.stringify(translated));
  return translated;
}

// The type makes this list complete: a field that a new version of the SDK has is a type error here.
const REFERENCE: Record<keyof OpenAI.Chat.ChatCompletionCreateParamsStreaming, true> = {
  messages: true,
  model: true,
  audio: true,
  frequency_penalty: true,
  function_call: true,
  functions: true,
  logit_bias: true,
  logprobs: true,
  max_completion_tokens: true,
  max_tokens: true,
  metadata: true,
  modalities: true,
  moderation: true,
  n: true,
  parallel_tool_calls: true,
  prediction: true,
  presence_penalty: true,
  prompt_cache_key: true,
  prompt_cache_options: true,
  prompt_cache_retention: true,
  reasoning_effort: true,
  response_format: true,
  safety_identifier: true,
  seed: true,
  service_tier: true,
  stop: true,
  store: true,
  stream: true,
  stream_options: true,
  temperature: true,
  tool_choice: true,
  tools: true,
  top_logprobs: true,
  top_p: true,
  user: true,
  verbosity: true,
  web_search_options: true,
};

Deno.test("CHAT_FIELDS has every request field of the reference, and no other", () => {
  assert.deepEqual(Object.keys(CHAT_FIELDS).sort(), Object.keys(REFERENCE).sort());
});

/** One row for each field: what it gives in the hub dialect, or how it is dropped or refused. */
const FIELDS: {
  [Field in keyof typeof REFERENCE]: {
    set: Partial<ChatRequest> | Record<string, unknown>;
    gives?: Partial<HubRequest>;
    ignored?: string[];
    refused?: string;
  }[];
} = {
  model: [{ set: { model: "gpt-5.5" }, gives: { model: "gpt-5.5" } }, {
    set: { model: "" },
    refused: "invalid_value",
  }, {
    set: { model: null },
    refused: "invalid_type",
  }],
  messages: [{ set: { messages: [] }, refused: "invalid_value" }, {
    set: { messages: "Hello" },
    refused: "invalid_type",
  }],
  audio: [{ set: { audio: { format: "wav", voice: "alloy" } }, refused: "unsupported_parameter" }],
  frequency_penalty: [{ set: { frequency_penalty: 0.5 }, ignored: ["frequency_penalty"] }, {
    set: { frequency_penalty: 0 },
  }],
  function_call: [
    {
      set: { functions: [{ name: "f" }], function_call: { name: "f" } },
      gives: { tool_choice: { type: "function", name: "f" } },
    },
    { set: { function_call: "auto" }, gives: { tool_choice: "auto" } },
    {
      set: { function_call: "auto", tool_choice: "none" },
      gives: { tool_choice: "none" },
      ignored: ["function_call"],
    },
    { set: { function_call: "required" }, refused: "invalid_value" },
  ],
  functions: [{
    set: { functions: [{ name: "f", description: "d", parameters: { type: "object" } }] },
    gives: {
      tools: [{
        type: "function",
        name: "f",
        description: "d",
        parameters: { type: "object" },
        strict: false,
      }],
      parallel_tool_calls: false,
    },
  }],
  logit_bias: [{ set: { logit_bias: { "50256": -100 } }, ignored: ["logit_bias"] }, {
    set: { logit_bias: {} },
  }],
  logprobs: [{ set: { logprobs: true }, refused: "unsupported_parameter" }, { set: { logprobs: false } }],
  max_completion_tokens: [{ set: { max_completion_tokens: 7 }, gives: { max_output_tokens: 7 } }, {
    set: { max_completion_tokens: "7" },
    refused: "invalid_type",
  }],
  max_tokens: [
    { set: { max_tokens: 8 }, gives: { max_output_tokens: 8 } },
    {
      set: { max_tokens: 8, max_completion_tokens: 7 },
      gives: { max_output_tokens: 7 },
      ignored: ["max_tokens"],
    },
  ],
  metadata: [{ set: { metadata: { a: "b" } }, gives: { metadata: { a: "b" } } }],
  modalities: [{ set: { modalities: ["text"] } }, {
    set: { modalities: ["text", "audio"] },
    refused: "unsupported_parameter",
  }],
  moderation: [{ set: { moderation: { model: "m" } }, gives: { moderation: { model: "m" } } }],
  n: [{ set: { n: 1 } }, { set: { n: 2 }, refused: "unsupported_parameter" }],
  parallel_tool_calls: [{ set: { parallel_tool_calls: false }, gives: { parallel_tool_calls: false } }],
  prediction: [{ set: { prediction: { type: "content", content: "x" } }, ignored: ["prediction"] }],
  presence_penalty: [{ set: { presence_penalty: -1 }, ignored: ["presence_penalty"] }],
  prompt_cache_key: [{ set: { prompt_cache_key: "k" }, gives: { prompt_cache_key: "k" } }],
  prompt_cache_options: [{
    set: { prompt_cache_options: { mode: "explicit" } },
    gives: { prompt_cache_options: { mode: "explicit" } },
  }],
  prompt_cache_retention: [{
    set: { prompt_cache_retention: "24h" },
    gives: { prompt_cache_retention: "24h" },
  }],
  reasoning_effort: [
    { set: { reasoning_effort: "high" }, gives: { reasoning: { effort: "high", summary: "auto" } } },
    { set: { reasoning_effort: "none" }, gives: { reasoning: { effort: "none" } } },
    { set: { reasoning_effort: null } },
  ],
  response_format: [
    { set: { response_format: { type: "text" } } },
    {
      set: { response_format: { type: "json_object" } },
      gives: { text: { format: { type: "json_object" } } },
    },
    {
      set: {
        response_format: {
          type: "json_schema",
          json_schema: {
            name: "n",
            description: "d",
            strict: true,
            schema: { type: "object", additionalProperties: true },
          },
        },
      },
      gives: {
        text: {
          format: {
            type: "json_schema",
            name: "n",
            description: "d",
            strict: true,
            schema: { type: "object", additionalProperties: true },
          },
        },
      },
    },
    {
      set: { response_format: { type: "json_schema", json_schema: { name: "n" } } },
      gives: { text: { format: { type: "json_schema", name: "n", schema: {} } } },
    },
    { set: { response_format: { type: "xml" } }, refused: "invalid_value" },
    { set: { response_format: { type: "json_schema" } }, refused: "missing_required_parameter" },
  ],
  safety_identifier: [{ set: { safety_identifier: "s" }, gives: { safety_identifier: "s" } }],
  seed: [{ set: { seed: 7 }, ignored: ["seed"] }],
  service_tier: [{ set: { service_tier: "priority" }, gives: { service_tier: "priority" } }],
  stop: [{ set: { stop: ["\n"] }, ignored: ["stop"] }],
  store: [{ set: { store: false }, gives: { store: false } }],
  stream: [{ set: { stream: true }, gives: { stream: true } as unknown as Partial<HubRequest> }],
  stream_options: [
    { set: { stream_options: { include_usage: true } } },
    {
      set: { stream_options: { include_obfuscation: true } },
      ignored: ["stream_options.include_obfuscation"],
    },
    { set: { stream_options: { include_obfuscation: false } } },
  ],
  temperature: [{ set: { temperature: 0.2 }, gives: { temperature: 0.2 } }],
  tool_choice: [
    { set: { tool_choice: "required" }, gives: { tool_choice: "required" } },
    {
      set: { tool_choice: { type: "function", function: { name: "f" } } },
      gives: { tool_choice: { type: "function", name: "f" } },
    },
    {
      set: { tool_choice: { type: "custom", custom: { name: "c" } } },
      gives: { tool_choice: { type: "custom", name: "c" } },
    },
    {
      set: {
        tool_choice: {
          type: "allowed_tools",
          allowed_tools: {
            mode: "required",
            tools: [{ type: "function", function: { name: "f" } }, { type: "custom", custom: { name: "c" } }],
          },
        },
      },
      gives: {
        tool_choice: {
          type: "allowed_tools",
          mode: "required",
          tools: [{ type: "function", name: "f" }, { type: "custom", name: "c" }],
        },
      },
    },
    { set: { tool_choice: "any" }, refused: "invalid_value" },
    { set: { tool_choice: { type: "function" } }, refused: "missing_required_parameter" },
    { set: { tool_choice: { type: "web_search" } }, refused: "invalid_value" },
  ],
  tools: [
    {
      set: {
        tools: [
          { type: "function", function: { name: "f" } },
          { type: "function", function: { name: "g", strict: true, parameters: { type: "object" } } },
          { type: "custom", custom: { name: "c", description: "d", format: { type: "text" } } },
          {
            type: "custom",
            custom: {
              name: "e",
              format: { type: "grammar", grammar: { syntax: "lark", definition: "start: x" } },
            },
          },
        ],
      },
      gives: {
        tools: [
          {
            type: "function",
            name: "f",
            parameters: { type: "object", properties: {}, required: [], additionalProperties: false },
            strict: false,
          },
          { type: "function", name: "g", parameters: { type: "object" }, strict: true },
          { type: "custom", name: "c", description: "d", format: { type: "text" } },
          { type: "custom", name: "e", format: { type: "grammar", syntax: "lark", definition: "start: x" } },
        ],
      },
    },
    { set: { tools: [{ type: "web_search" }] }, refused: "invalid_value" },
    { set: { tools: [{ type: "function", name: "flat" }] }, refused: "missing_required_parameter" },
  ],
  top_logprobs: [{ set: { top_logprobs: 3 }, refused: "unsupported_parameter" }, {
    set: { top_logprobs: 0 },
  }],
  top_p: [{ set: { top_p: 0.9 }, gives: { top_p: 0.9 } }],
  user: [{ set: { user: "u" }, gives: { user: "u" } }],
  verbosity: [{ set: { verbosity: "low" }, gives: { text: { verbosity: "low" } } }, {
    set: { verbosity: "low", response_format: { type: "json_object" } },
    gives: { text: { verbosity: "low", format: { type: "json_object" } } },
  }],
  web_search_options: [{
    set: {
      web_search_options: {
        search_context_size: "low",
        user_location: { type: "approximate", approximate: { city: "Bern", country: "CH" } },
      },
    },
    gives: {
      tools: [{
        type: "web_search",
        search_context_size: "low",
        user_location: { type: "approximate", city: "Bern", country: "CH" },
      }],
    },
  }],
};

for (const [field, rows] of Object.entries(FIELDS)) {
  for (const { set, gives, ignored, refused } of rows) {
    Deno.test(`chatToResponses() treats ${field} as its table says: ${JSON.stringify(set)}`, () => {
      const translated = chatToResponses({ ...json(HELLO), ...set });
      if (refused !== undefined) {
        assert.equal(translated.kind, "refused");
        assert.equal(translated.code, refused);
        assert.ok(translated.param?.startsWith(field), `param is ${translated.param}`);
        assert.match(translated.message, /^[A-Z].*\.$/);
        return;
      }
      assert.deepEqual(translated, {
        kind: "ready",
        body: { model: "m", input: HELLO_INPUT, ...functionsDefault(set), ...gives },
        ignored: ignored ?? [],
      });
    });
  }
}

/** The row for `function_call` has to bring functions, whose own result is told in their row. */
function functionsDefault(set: object): JsonObject {
  return "functions" in set && "function_call" in set
    ? {
      tools: [{
        type: "function",
        name: "f",
        parameters: { type: "object", properties: {}, required: [], additionalProperties: false },
        strict: false,
      }],
      parallel_tool_calls: false,
    }
    : {};
}

Deno.test("chatToResponses() drops and names fields that no table knows", () => {
  const { body, ignored } = ready({ ...json(HELLO), top_k: 3, __proto__x: 1, constructor: 1 });
  assert.deepEqual(ignored, ["top_k", "__proto__x", "constructor"]);
  assert.deepEqual(body, { model: "m", input: HELLO_INPUT });
});

Deno.test("chatToResponses() takes null for absent in every optional field", () => {
  const nulls = Object.fromEntries(
    Object.keys(CHAT_FIELDS).filter((field) => !(field in HELLO)).map((field) => [field, null]),
  );
  assert.deepEqual(ready({ ...json(HELLO), ...nulls }), {
    kind: "ready",
    body: { model: "m", input: HELLO_INPUT },
    ignored: [],
  });
});

Deno.test("chatToResponses() keeps the order of system, developer and other messages", () => {
  const { body } = ready(json({
    model: "m",
    messages: [
      { role: "system", content: "One" },
      { role: "user", content: "Two" },
      { role: "developer", content: [{ type: "text", text: "Three" }] },
      { role: "assistant", content: "Four" },
      { role: "system", content: "Five" },
    ],
  }));
  const input = body["input"] as { role: string; content: { type: string; text: string }[] }[];
  assert.deepEqual(
    input.map(({ role, content: [part] }) => [role, part?.type, part?.text]),
    [
      ["system", "input_text", "One"],
      ["user", "input_text", "Two"],
      ["developer", "input_text", "Three"],
      ["assistant", "output_text", "Four"],
      ["system", "input_text", "Five"],
    ],
  );
});

Deno.test("chatToResponses() carries every content part of a user message", () => {
  const { body, ignored } = ready({
    model: "m",
    messages: [{
      role: "user",
      name: "ada",
      content: [
        { type: "text", text: "Look", prompt_cache_breakpoint: { mode: "explicit" } },
        { type: "image_url", image_url: { url: "https://e.x/a.png", detail: "low" } },
        { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
        { type: "image_url", image_url: "https://e.x/b.png" },
        { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" } },
        { type: "file", file: { file_id: "file_1" } },
      ],
    }],
  });
  const expected: OpenAI.Responses.ResponseInputItem[] = [{
    type: "message",
    role: "user",
    content: [
      { type: "input_text", text: "Look", prompt_cache_breakpoint: { mode: "explicit" } },
      { type: "input_image", detail: "low", image_url: "https://e.x/a.png" },
      { type: "input_image", detail: "auto", image_url: "data:image/png;base64,AAAA" },
      { type: "input_image", detail: "auto", image_url: "https://e.x/b.png" },
      { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" },
      { type: "input_file", file_id: "file_1" },
    ],
  }];
  assert.deepEqual(body["input"], expected);
  assert.deepEqual(ignored, ["messages[].name"]);
});

Deno.test("chatToResponses() relates calls and results by the client's ids, functions and custom tools alike", () => {
  const { body } = ready(json({
    model: "m",
    messages: [
      { role: "user", content: "Go" },
      {
        role: "assistant",
        content: "Two calls",
        tool_calls: [
          { id: "call_A", type: "function", function: { name: "f", arguments: '{"a":1}' } },
          { id: "call_B", type: "custom", custom: { name: "sql", input: "SELECT 1" } },
        ],
      },
      { role: "tool", tool_call_id: "call_B", content: "1" },
      {
        role: "tool",
        tool_call_id: "call_A",
        content: [{ type: "text", text: "x" }, { type: "text", text: "y" }],
      },
    ],
  }));
  assert.deepEqual((body["input"] as unknown[]).slice(1), [
    {
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text: "Two calls", annotations: [] }],
    },
    { type: "function_call", call_id: "call_A", name: "f", arguments: '{"a":1}' },
    { type: "custom_tool_call", call_id: "call_B", name: "sql", input: "SELECT 1" },
    { type: "custom_tool_call_output", call_id: "call_B", output: "1" },
    {
      type: "function_call_output",
      call_id: "call_A",
      output: [{ type: "input_text", text: "x" }, { type: "input_text", text: "y" }],
    },
  ]);
});

Deno.test("chatToResponses() carries pictures in tool results", () => {
  const { body } = ready({
    model: "m",
    messages: [
      {
        role: "assistant",
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      {
        role: "tool",
        tool_call_id: "c",
        content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }],
      },
    ],
  });
  assert.deepEqual((body["input"] as unknown[])[1], {
    type: "function_call_output",
    call_id: "c",
    output: [{ type: "input_image", detail: "auto", image_url: "data:image/png;base64,AAAA" }],
  });
});

Deno.test("chatToResponses() says nothing for an assistant message that only calls, and keeps refusals", () => {
  const { body } = ready(json({
    model: "m",
    messages: [
      {
        role: "assistant",
        content: "",
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "" } }],
      },
      { role: "assistant", content: [{ type: "text", text: "a" }, { type: "refusal", refusal: "b" }] },
      { role: "assistant", content: null, refusal: "No." },
    ],
  }));
  assert.deepEqual(body["input"], [
    { type: "function_call", call_id: "c", name: "f", arguments: "" },
    {
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text: "a", annotations: [] }, { type: "refusal", refusal: "b" }],
    },
    { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "No." }] },
  ]);
});

Deno.test("chatToResponses() gives legacy calls and results ids that belong together", () => {
  const { body } = ready(json({
    model: "m",
    messages: [
      { role: "assistant", content: null, function_call: { name: "f", arguments: "1" } },
      { role: "function", name: "f", content: "one" },
      { role: "assistant", content: null, function_call: { name: "f", arguments: "2" } },
      { role: "function", name: "f", content: null },
    ],
  }));
  assert.deepEqual(body["input"], [
    { type: "function_call", call_id: "call_message_0", name: "f", arguments: "1" },
    { type: "function_call_output", call_id: "call_message_0", output: "one" },
    { type: "function_call", call_id: "call_message_2", name: "f", arguments: "2" },
    { type: "function_call_output", call_id: "call_message_2", output: "" },
  ]);
});

const BAD_MESSAGES: readonly (readonly [string, unknown, string, string])[] = [
  ["no object", "Hello", "messages[0]", "invalid_type"],
  ["no role", { content: "x" }, "messages[0].role", "invalid_value"],
  ["an unknown role", { role: "robot", content: "x" }, "messages[0].role", "invalid_value"],
  ["no content", { role: "user" }, "messages[0].content", "missing_required_parameter"],
  ["null content", { role: "user", content: null }, "messages[0].content", "invalid_type"],
  ["a part that is no object", { role: "user", content: ["x"] }, "messages[0].content[0]", "invalid_type"],
  [
    "a part without type",
    { role: "user", content: [{ text: "x" }] },
    "messages[0].content[0].type",
    "invalid_value",
  ],
  [
    "an unknown part",
    { role: "user", content: [{ type: "text", text: "x" }, { type: "video" }] },
    "messages[0].content[1].type",
    "invalid_value",
  ],
  [
    "a text part without text",
    { role: "user", content: [{ type: "text" }] },
    "messages[0].content[0].text",
    "missing_required_parameter",
  ],
  [
    "audio",
    { role: "user", content: [{ type: "input_audio", input_audio: { data: "AAAA", format: "wav" } }] },
    "messages[0].content[0]",
    "unsupported_value",
  ],
  [
    "an image without url",
    { role: "user", content: [{ type: "image_url", image_url: {} }] },
    "messages[0].content[0].image_url.url",
    "missing_required_parameter",
  ],
  [
    "an empty file",
    { role: "user", content: [{ type: "file", file: { filename: "a" } }] },
    "messages[0].content[0].file",
    "missing_required_parameter",
  ],
  [
    "an image in an answer",
    { role: "assistant", content: [{ type: "image_url" }] },
    "messages[0].content[0].type",
    "invalid_value",
  ],
  [
    "a call without id",
    { role: "assistant", tool_calls: [{ type: "function", function: { name: "f", arguments: "" } }] },
    "messages[0].tool_calls[0].id",
    "missing_required_parameter",
  ],
  [
    "arguments that are no string",
    {
      role: "assistant",
      tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: {} } }],
    },
    "messages[0].tool_calls[0].function.arguments",
    "invalid_type",
  ],
  [
    "a call of an unknown type",
    { role: "assistant", tool_calls: [{ id: "c", type: "magic" }] },
    "messages[0].tool_calls[0].type",
    "invalid_value",
  ],
  [
    "a result without id",
    { role: "tool", content: "x" },
    "messages[0].tool_call_id",
    "missing_required_parameter",
  ],
  [
    "a legacy result without its call",
    { role: "function", name: "f", content: "x" },
    "messages[0]",
    "invalid_value",
  ],
];

for (const [what, message, param, code] of BAD_MESSAGES) {
  Deno.test(`chatToResponses() refuses ${what} and names the place`, () => {
    const translated = chatToResponses({ model: "m", messages: [message] });
    assert.equal(translated.kind, "refused");
    assert.equal(translated.param, param);
    assert.equal(translated.code, code);
    assert.match(translated.message, /^[A-Z].*\.$/);
  });
}

Deno.test("chatToResponses() refuses a request without model or messages", () => {
  for (const field of ["model", "messages"]) {
    const { [field]: _, ...body } = json(HELLO);
    const translated = chatToResponses(body);
    assert.equal(translated.kind, "refused");
    assert.equal(translated.param, field);
    assert.equal(translated.code, "missing_required_parameter");
  }
});

Deno.test("chatToResponses() does not change what it was given", () => {
  const body = json({
    ...HELLO,
    functions: [{ name: "f" }],
    web_search_options: {},
    reasoning_effort: "low",
  });
  const before = structuredClone(body);
  ready(body);
  assert.deepEqual(body, before);
});
