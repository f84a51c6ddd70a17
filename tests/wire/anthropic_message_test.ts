import assert from "node:assert/strict";
import { readAnthropicMessage } from "../../src/wire/anthropic_message.ts";

Deno.test("readAnthropicMessage() reads text, thinking, calls, usage and the reason of the end", () => {
  const answer = readAnthropicMessage({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude-opus-4.8",
    content: [
      { type: "thinking", thinking: "Hm.", signature: "s" },
      { type: "text", text: "I will " },
      { type: "text", text: "add." },
      { type: "tool_use", id: "toolu_1", name: "add", input: { a: 1 } },
    ],
    stop_reason: "tool_use",
    usage: {
      input_tokens: 3,
      cache_read_input_tokens: 20,
      cache_creation_input_tokens: 100,
      output_tokens: 5,
    },
  });
  assert.deepEqual(answer, {
    model: "claude-opus-4.8",
    created: undefined,
    pieces: [{
      text: "I will add.",
      refusal: "",
      reasoning: "Hm.",
      calls: [{ key: "0", tool: "function", id: "toolu_1", name: "add", input: '{"a":1}' }],
      citations: [],
      finishReason: "tool_calls",
    }],
    usage: {
      inputTokens: 123,
      cachedTokens: 20,
      cacheWriteTokens: 100,
      outputTokens: 5,
      reasoningTokens: 0,
      totalTokens: 128,
    },
  });
});

Deno.test("readAnthropicMessage() maps every reason of an end", () => {
  const reasons = {
    end_turn: "stop",
    stop_sequence: "stop",
    max_tokens: "length",
    model_context_window_exceeded: "length",
    refusal: "content_filter",
    tool_use: "tool_calls",
    constructor: "stop",
    pause_turn: "stop",
  };
  for (const [told, expected] of Object.entries(reasons)) {
    const answer = readAnthropicMessage({ type: "message", content: [], stop_reason: told });
    assert.equal(answer?.pieces[0]?.finishReason, expected, told);
  }
});

Deno.test("readAnthropicMessage() takes nothing else for a message", () => {
  const others = [
    { type: "message" },
    { type: "error", error: { type: "overloaded_error" } },
    { content: [] },
    { object: "chat.completion", choices: [] },
  ];
  for (const other of others) assert.equal(readAnthropicMessage(other), undefined);
});
