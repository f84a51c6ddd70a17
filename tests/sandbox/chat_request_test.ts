import assert from "node:assert/strict";
import { parseChatRequest, type ParsedChatRequest } from "../../src/sandbox/chat_request.ts";

const PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA";
const CALL = { id: "call_1", type: "function", function: { name: "look", arguments: "{}" } };
const TOOL = { type: "function", function: { name: "look", parameters: { type: "object", properties: {} } } };
const USER = { role: "user", content: "Hi" };

function parse(more: Record<string, unknown>): ParsedChatRequest {
  return parseChatRequest({ model: "m", messages: [USER], ...more });
}

Deno.test("parseChatRequest() makes a turn of a whole conversation", () => {
  const parsed = parse({
    messages: [
      { role: "system", content: "Be brief." },
      { role: "developer", content: [{ type: "text", text: "Be kind." }] },
      {
        role: "user",
        content: [{ type: "text", text: "See " }, { type: "image_url", image_url: { url: PIXEL } }],
      },
      { role: "assistant", content: null, tool_calls: [CALL] },
      { role: "tool", tool_call_id: "call_1", content: "a cat" },
    ],
    tools: [TOOL],
    tool_choice: { type: "function", function: { name: "look" } },
    parallel_tool_calls: false,
    reasoning_effort: "low",
    max_completion_tokens: 9,
    response_format: { type: "json_schema", json_schema: { name: "s", schema: { type: "object" } } },
    stream: true,
    stream_options: { include_usage: true },
  });
  assert.deepEqual(parsed, {
    kind: "request",
    request: {
      turn: {
        model: "m",
        instructions: ["Be brief.", "Be kind."],
        messages: [{ role: "user", text: "See ", images: 1 }],
        tools: [{ name: "look", parameters: { type: "object", properties: {} } }],
        toolResults: [{ callId: "call_1", name: "look", output: "a cat" }],
        toolChoice: { name: "look" },
        parallelToolCalls: false,
        reasoning: true,
        schema: { type: "object" },
        maxOutputTokens: 9,
      },
      stream: true,
      includeUsage: true,
      effort: "low",
      images: 1,
    },
  });
});

Deno.test("parseChatRequest() forgets tool results when the person speaks again", () => {
  const parsed = parse({
    messages: [
      USER,
      { role: "assistant", content: null, tool_calls: [CALL] },
      { role: "tool", tool_call_id: "call_1", content: "a cat" },
      { role: "assistant", content: "A cat." },
      { role: "user", content: "Thanks" },
    ],
  });
  assert.ok(parsed.kind === "request");
  assert.deepEqual(parsed.request.turn.toolResults, []);
  assert.deepEqual(parsed.request.turn.messages.map(({ text }) => text), ["Hi", "A cat.", "Thanks"]);
});

const WRONG: readonly (readonly [string, Record<string, unknown>, "shape" | "rule", string])[] = [
  ["no model", { model: undefined }, "shape", "model"],
  ["no messages", { messages: [] }, "shape", "messages"],
  ["an unknown role", { messages: [{ role: "robot", content: "Hi" }] }, "shape", "messages[0].role"],
  ["content that is a number", { messages: [{ role: "user", content: 1 }] }, "shape", "messages[0].content"],
  [
    "an assistant that says nothing",
    { messages: [{ role: "assistant", content: null }] },
    "shape",
    "messages[0].content",
  ],
  [
    "a part of the Responses dialect",
    { messages: [{ role: "user", content: [{ type: "input_text", text: "Hi" }] }] },
    "shape",
    "messages[0].content[0].type",
  ],
  [
    "damaged image data",
    {
      messages: [{
        role: "user",
        content: [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }],
      }],
    },
    "shape",
    "messages[0].content[0].image_url",
  ],
  [
    "an image in a tool result",
    {
      messages: [
        { role: "assistant", content: null, tool_calls: [CALL] },
        { role: "tool", tool_call_id: "call_1", content: [{ type: "image_url", image_url: { url: PIXEL } }] },
      ],
    },
    "shape",
    "messages[1].content[0].type",
  ],
  [
    "a result without its call",
    { messages: [{ role: "tool", tool_call_id: "x", content: "" }] },
    "rule",
    "messages[0]",
  ],
  [
    "a call without its result",
    { messages: [{ role: "assistant", content: null, tool_calls: [CALL] }, USER] },
    "rule",
    "messages[1]",
  ],
  [
    "a last call without its result",
    { messages: [{ role: "assistant", tool_calls: [CALL] }] },
    "rule",
    "messages",
  ],
  [
    "arguments that are no text",
    {
      messages: [
        { role: "assistant", tool_calls: [{ ...CALL, function: { name: "look", arguments: {} } }] },
        { role: "tool", tool_call_id: "call_1", content: "" },
      ],
    },
    "shape",
    "messages[0].tool_calls[0].function.arguments",
  ],
  ["a tool of another dialect", { tools: [{ type: "function", name: "look" }] }, "shape", "tools[0].type"],
  [
    "parameters that are no object",
    { tools: [{ type: "function", function: { name: "look", parameters: { type: "array" } } }] },
    "shape",
    "tools[0].function.parameters",
  ],
  ["a choice without tools", { tool_choice: "auto" }, "rule", "tool_choice"],
  [
    "a choice of an absent tool",
    { tools: [TOOL], tool_choice: { type: "function", function: { name: "other" } } },
    "rule",
    "tool_choice",
  ],
  ["stream options without a stream", { stream_options: { include_usage: true } }, "rule", "stream_options"],
  ["both output limits", { max_tokens: 1, max_completion_tokens: 1 }, "rule", "max_tokens"],
  ["an output limit of zero", { max_tokens: 0 }, "shape", "max_tokens"],
  ["two answers", { n: 2 }, "rule", "n"],
  ["a stream flag that is text", { stream: "true" }, "shape", "stream"],
  ["a format without a schema", { response_format: { type: "json_schema" } }, "shape", "response_format"],
];

Deno.test("parseChatRequest() names exactly what is wrong", async (test) => {
  for (const [what, more, kind, param] of WRONG) {
    await test.step(what, () => {
      const parsed = parse(more);
      assert.ok(parsed.kind === "wrong", "It was accepted.");
      assert.deepEqual(parsed.problems.map((problem) => [problem.kind, problem.param]), [[kind, param]]);
    });
  }
  assert.equal(parseChatRequest([]).kind, "wrong");
});
