import assert from "node:assert/strict";
import type OpenAI from "openai";
import { chatToResponses } from "../../src/translate/chat_to_responses.ts";
import { RESPONSES_FIELDS } from "../../src/translate/responses_fields.ts";
import { responsesToChat } from "../../src/translate/responses_to_chat_request.ts";
import type { JsonObject } from "../../src/wire/json.ts";

type HubRequest = OpenAI.Responses.ResponseCreateParamsNonStreaming;
type Message = OpenAI.Chat.ChatCompletionMessageParam;

const HELLO = { model: "m", input: "Hello" };
const TOOLS = [{ type: "function", name: "f", parameters: { type: "object" }, strict: false }];
const CHAT_TOOLS = [{
  type: "function",
  function: { name: "f", parameters: { type: "object" }, strict: false },
}];

function ready(body: JsonObject): { body: JsonObject; ignored: readonly string[] } {
  const translated = responsesToChat(body);
  assert.equal(translated.kind, "ready", JSON.stringify(translated));
  return translated;
}

// The type makes this list complete: a field that a new version of the SDK has is a type error here.
const REFERENCE: Record<keyof OpenAI.Responses.ResponseCreateParamsStreaming, true> = {
  access_programs: true,
  background: true,
  context_management: true,
  conversation: true,
  image: true,
  include: true,
  input: true,
  instructions: true,
  max_output_tokens: true,
  max_tool_calls: true,
  metadata: true,
  model: true,
  moderation: true,
  parallel_tool_calls: true,
  previous_response_id: true,
  prompt: true,
  prompt_cache_key: true,
  prompt_cache_options: true,
  prompt_cache_retention: true,
  reasoning: true,
  safety_identifier: true,
  service_tier: true,
  store: true,
  stream: true,
  stream_options: true,
  temperature: true,
  text: true,
  tool_choice: true,
  tools: true,
  top_logprobs: true,
  top_p: true,
  truncation: true,
  user: true,
};

Deno.test("RESPONSES_FIELDS has every request field of the reference, and no other", () => {
  assert.deepEqual(Object.keys(RESPONSES_FIELDS).sort(), Object.keys(REFERENCE).sort());
});

const FIELDS: {
  [Field in keyof typeof REFERENCE]: {
    set: Record<string, unknown>;
    gives?: Record<string, unknown>;
    ignored?: string[];
    refused?: string;
  }[];
} = {
  access_programs: [{ set: { access_programs: { a: 1 } }, ignored: ["access_programs"] }],
  background: [{ set: { background: false } }, {
    set: { background: true },
    refused: "unsupported_parameter",
  }],
  context_management: [{ set: { context_management: [{}] }, ignored: ["context_management"] }],
  conversation: [{ set: { conversation: "conv_1" }, refused: "unsupported_parameter" }],
  image: [{ set: { image: { a: 1 } }, ignored: ["image"] }],
  include: [{ set: { include: ["reasoning.encrypted_content"] }, ignored: ["include"] }],
  input: [{ set: { input: 7 }, refused: "invalid_type" }],
  instructions: [{
    set: { instructions: "Be brief." },
    gives: { messages: [{ role: "system", content: "Be brief." }, { role: "user", content: "Hello" }] },
  }],
  max_output_tokens: [{ set: { max_output_tokens: 7 }, gives: { max_completion_tokens: 7 } }],
  max_tool_calls: [{ set: { max_tool_calls: 7 }, ignored: ["max_tool_calls"] }],
  metadata: [{ set: { metadata: { a: "b" } }, gives: { metadata: { a: "b" } } }],
  model: [{ set: { model: null }, refused: "invalid_type" }],
  moderation: [{ set: { moderation: { model: "m" } }, gives: { moderation: { model: "m" } } }],
  parallel_tool_calls: [
    {
      set: { parallel_tool_calls: false, tools: TOOLS },
      gives: { parallel_tool_calls: false, tools: CHAT_TOOLS },
    },
    { set: { parallel_tool_calls: true } },
  ],
  previous_response_id: [{ set: { previous_response_id: "resp_1" }, refused: "unsupported_parameter" }],
  prompt: [{ set: { prompt: { id: "p" } }, refused: "unsupported_parameter" }],
  prompt_cache_key: [{ set: { prompt_cache_key: "k" }, gives: { prompt_cache_key: "k" } }],
  prompt_cache_options: [{
    set: { prompt_cache_options: { mode: "explicit" } },
    gives: { prompt_cache_options: { mode: "explicit" } },
  }],
  prompt_cache_retention: [{
    set: { prompt_cache_retention: "24h" },
    gives: { prompt_cache_retention: "24h" },
  }],
  reasoning: [{
    set: { reasoning: { effort: "high", summary: "auto", context: null } },
    gives: { reasoning_effort: "high" },
    ignored: ["reasoning.summary"],
  }],
  safety_identifier: [{ set: { safety_identifier: "s" }, gives: { safety_identifier: "s" } }],
  service_tier: [{ set: { service_tier: "priority" }, gives: { service_tier: "priority" } }],
  store: [{ set: { store: false } }, { set: { store: true }, refused: "unsupported_parameter" }],
  stream: [
    { set: { stream: true }, gives: { stream: true, stream_options: { include_usage: true } } },
    { set: { stream: false }, gives: { stream: false } },
    { set: { stream: "yes" }, refused: "invalid_type" },
  ],
  stream_options: [{ set: { stream_options: { include_obfuscation: false } } }, {
    set: { stream_options: { include_obfuscation: true } },
    ignored: ["stream_options.include_obfuscation"],
  }],
  temperature: [{ set: { temperature: 0.2 }, gives: { temperature: 0.2 } }],
  text: [
    { set: { text: { verbosity: "low", format: { type: "text" } } }, gives: { verbosity: "low" } },
    {
      set: { text: { format: { type: "json_object" } } },
      gives: { response_format: { type: "json_object" } },
    },
    {
      set: { text: { format: { type: "json_schema", name: "n", strict: true, schema: { type: "object" } } } },
      gives: {
        response_format: {
          type: "json_schema",
          json_schema: { name: "n", schema: { type: "object" }, strict: true },
        },
      },
    },
  ],
  tool_choice: [
    { set: { tool_choice: "auto" } },
    {
      set: { tool_choice: { type: "function", name: "f" }, tools: TOOLS },
      gives: { tool_choice: { type: "function", function: { name: "f" } }, tools: CHAT_TOOLS },
    },
    {
      set: {
        tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "f" }] },
        tools: TOOLS,
      },
      gives: {
        tool_choice: {
          type: "allowed_tools",
          allowed_tools: { mode: "auto", tools: [{ type: "function", function: { name: "f" } }] },
        },
        tools: CHAT_TOOLS,
      },
    },
    { set: { tool_choice: { type: "web_search" } }, refused: "invalid_value" },
  ],
  tools: [{
    set: {
      tools: [...TOOLS, { type: "web_search" }, {
        type: "custom",
        name: "c",
        format: { type: "grammar", syntax: "lark", definition: "d" },
      }],
    },
    gives: {
      tools: [...CHAT_TOOLS, {
        type: "custom",
        custom: { name: "c", format: { type: "grammar", grammar: { syntax: "lark", definition: "d" } } },
      }],
    },
    ignored: ["tools[].web_search"],
  }, { set: { tools: [{ type: "web_search" }], tool_choice: "auto" }, ignored: ["tools[].web_search"] }],
  top_logprobs: [{ set: { top_logprobs: 0 } }, {
    set: { top_logprobs: 2 },
    refused: "unsupported_parameter",
  }],
  top_p: [{ set: { top_p: 0.9 }, gives: { top_p: 0.9 } }],
  truncation: [{ set: { truncation: "disabled" } }, { set: { truncation: "auto" }, ignored: ["truncation"] }],
  user: [{ set: { user: "u" }, gives: { user: "u" } }],
};

for (const [field, rows] of Object.entries(FIELDS)) {
  for (const { set, gives, ignored, refused } of rows) {
    Deno.test(`responsesToChat() treats ${field} as its table says: ${JSON.stringify(set)}`, () => {
      const translated = responsesToChat({ ...HELLO, ...set });
      if (refused !== undefined) {
        assert.equal(translated.kind, "refused");
        assert.equal(translated.code, refused);
        assert.ok(translated.param?.startsWith(field), `param is ${translated.param}`);
        return;
      }
      assert.deepEqual(translated, {
        kind: "ready",
        body: { model: "m", messages: [{ role: "user", content: "Hello" }], ...gives },
        ignored: ignored ?? [],
      });
    });
  }
}

Deno.test("responsesToChat() puts the calls of one turn into one message, behind its text", () => {
  const input: HubRequest["input"] = [
    { role: "user", content: "Go" },
    { type: "reasoning", id: "rs_1", summary: [] },
    {
      type: "message",
      id: "msg_1",
      status: "completed",
      role: "assistant",
      phase: "commentary",
      content: [{ type: "output_text", text: "Two calls", annotations: [] }],
    },
    { type: "function_call", call_id: "call_A", name: "f", arguments: "{}" },
    { type: "custom_tool_call", call_id: "call_B", name: "sql", input: "SELECT 1" },
    { type: "function_call_output", call_id: "call_A", output: "one" },
    { type: "custom_tool_call_output", call_id: "call_B", output: [{ type: "input_text", text: "two" }] },
    { type: "function_call", call_id: "call_C", name: "f", arguments: "{}" },
    { type: "function_call_output", call_id: "call_C", output: "three" },
    {
      role: "user",
      content: [{ type: "input_image", detail: "low", image_url: "https://e.x/a.png" }, {
        type: "input_file",
        filename: "a.pdf",
        file_data: "data:,",
      }],
    },
  ];
  const { body, ignored } = ready({ model: "m", input });
  const expected: Message[] = [
    { role: "user", content: "Go" },
    {
      role: "assistant",
      content: "Two calls",
      tool_calls: [
        { id: "call_A", type: "function", function: { name: "f", arguments: "{}" } },
        { id: "call_B", type: "custom", custom: { name: "sql", input: "SELECT 1" } },
      ],
    },
    { role: "tool", tool_call_id: "call_A", content: "one" },
    { role: "tool", tool_call_id: "call_B", content: [{ type: "text", text: "two" }] },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "call_C", type: "function", function: { name: "f", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "call_C", content: "three" },
    {
      role: "user",
      content: [
        { type: "image_url", image_url: { url: "https://e.x/a.png", detail: "low" } },
        { type: "file", file: { file_data: "data:,", filename: "a.pdf" } },
      ],
    },
  ];
  assert.deepEqual(body["messages"], expected);
  assert.deepEqual(ignored, ["input[].reasoning", "input[].phase"]);
});

Deno.test("responsesToChat() moves the pictures of tool outputs behind the outputs that belong together", () => {
  const { body } = ready({
    model: "m",
    input: [
      { type: "function_call", call_id: "a", name: "f", arguments: "" },
      { type: "function_call", call_id: "b", name: "f", arguments: "" },
      {
        type: "function_call_output",
        call_id: "a",
        output: [{ type: "input_text", text: "See" }, { type: "input_image", image_url: "data:," }],
      },
      { type: "function_call_output", call_id: "b", output: "two" },
    ],
  });
  assert.deepEqual((body["messages"] as unknown[]).slice(1), [
    {
      role: "tool",
      tool_call_id: "a",
      content: [{ type: "text", text: "See" }, {
        type: "text",
        text: "The files of this result follow in the next user message.",
      }],
    },
    { role: "tool", tool_call_id: "b", content: "two" },
    { role: "user", content: [{ type: "image_url", image_url: { url: "data:," } }] },
  ]);
});

const BAD_ITEMS: readonly (readonly [string, unknown, string])[] = [
  ["no object", "x", "input[0]"],
  ["no type and no role", {}, "input[0].type"],
  ["an unknown role", { role: "robot", content: "x" }, "input[0].role"],
  ["a reference", { type: "item_reference", id: "msg_1" }, "input[0]"],
  ["a call without call_id", { type: "function_call", name: "f", arguments: "" }, "input[0].call_id"],
  [
    "a stored image",
    { role: "user", content: [{ type: "input_image", file_id: "f" }] },
    "input[0].content[0]",
  ],
  [
    "a file by URL",
    { role: "user", content: [{ type: "input_file", file_url: "https://e.x" }] },
    "input[0].content[0]",
  ],
  ["an unknown part", { role: "user", content: [{ type: "text", text: "x" }] }, "input[0].content[0].type"],
];

for (const [what, item, param] of BAD_ITEMS) {
  Deno.test(`responsesToChat() refuses ${what} and names the place`, () => {
    const translated = responsesToChat({ model: "m", input: [item] });
    assert.equal(translated.kind, "refused");
    assert.equal(translated.param, param);
    assert.match(translated.message, /\.$/);
  });
}

Deno.test("responsesToChat() gives back the conversation that chatToResponses() was given", () => {
  const messages: Message[] = [
    { role: "system", content: [{ type: "text", text: "One" }] },
    {
      role: "user",
      content: [{ type: "text", text: "Two" }, {
        type: "image_url",
        image_url: { url: "data:,", detail: "low" },
      }],
    },
    {
      role: "assistant",
      content: "Three",
      tool_calls: [
        { id: "a", type: "function", function: { name: "f", arguments: "{}" } },
        { id: "b", type: "custom", custom: { name: "c", input: "x" } },
      ],
    },
    { role: "tool", tool_call_id: "a", content: "r" },
    { role: "tool", tool_call_id: "b", content: [{ type: "text", text: "s" }] },
    { role: "assistant", content: [{ type: "text", text: "Four" }, { type: "refusal", refusal: "No." }] },
  ];
  const request: JsonObject = {
    model: "m",
    messages,
    tools: [{ type: "function", function: { name: "f", parameters: { type: "object" }, strict: true } }],
    tool_choice: { type: "function", function: { name: "f" } },
    response_format: { type: "json_schema", json_schema: { name: "n", schema: {}, strict: true } },
    max_completion_tokens: 7,
    reasoning_effort: "low",
    verbosity: "high",
  };
  const hub = chatToResponses(request);
  assert.equal(hub.kind, "ready");
  assert.deepEqual(ready(hub.body), { kind: "ready", body: request, ignored: ["reasoning.summary"] });
});
