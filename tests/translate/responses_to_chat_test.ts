import assert from "node:assert/strict";
import type OpenAI from "openai";
import { collectResponses } from "../../src/translate/collect_responses.ts";
import { translateEvents } from "../../src/translate/event_reply.ts";
import { createChatReply, responseToChatCompletion } from "../../src/translate/responses_to_chat.ts";
import { foldChat } from "./chat_fold.ts";
import { everyCut, fixture, LINE_ENDS, objectsOf, replay, streamOf } from "./replay.ts";

const OPTIONS = { id: "chatcmpl-test", model: "asked-model", nowS: 1, legacyFunctions: false };
const LIMITS = { maxEventBytes: 1 << 20, maxStreamBytes: 1 << 24 };

function chatTranslator(
  options: Partial<Parameters<typeof createChatReply>[0]> = {},
): ReturnType<typeof translateEvents> {
  return translateEvents(createChatReply({ ...OPTIONS, includeUsage: true, ...options }), LIMITS);
}

const USAGE = {
  prompt_tokens: 7112,
  completion_tokens: 463,
  total_tokens: 7575,
  prompt_tokens_details: { cached_tokens: 3072 },
  completion_tokens_details: { reasoning_tokens: 64 },
};

const ANSWERS = {
  responses_text: { content: 'Gr\u00fc\u00dfe, w\u00f6rld \u2028 "quoted" \\ \u{1f995}.', finish: "stop" },
  responses_parallel_tools: {
    content: "Looking it up.",
    reasoning: "**Plan**\n\nThen act.",
    calls: [
      { id: "call_A", type: "function", name: "add", input: '{"a":1}' },
      { id: "call_B", type: "function", name: "get_weather", input: '{"city":"Z\u00fcrich"}' },
    ],
    finish: "tool_calls",
  },
  responses_tools_without_deltas: {
    calls: [
      { id: "call_A", type: "function", name: "add", input: '{"a":1}' },
      { id: "call_B", type: "function", name: "add", input: "{}" },
    ],
    finish: "tool_calls",
  },
  responses_custom_tool: {
    calls: [{ id: "call_B", type: "custom", name: "sql", input: "SELECT 1;" }],
    finish: "tool_calls",
  },
  responses_refusal: { refusal: "I cannot help with that.", finish: "stop" },
  responses_incomplete: { content: "Once upon a ti", finish: "length" },
  responses_search: {
    content: "Let me search.\n\nDeno is a runtime.",
    annotations: [
      {
        type: "url_citation",
        url_citation: { url: "https://example.org/1", title: "Page 1", start_index: 16, end_index: 20 },
      },
      {
        type: "url_citation",
        url_citation: { url: "https://example.org/2", title: "Page 2", start_index: 26, end_index: 33 },
      },
    ],
    finish: "stop",
  },
  responses_rotating_ids: {
    reasoning: "Thinking.",
    calls: [
      { id: "call_A", type: "function", name: "add", input: '{"a":1}' },
      { id: "call_B", type: "function", name: "add", input: '{"b":2}' },
    ],
    finish: "tool_calls",
  },
} as const;

for (const [name, expected] of Object.entries(ANSWERS)) {
  Deno.test(`createChatReply() tells the whole answer of ${name}`, () => {
    const folded = foldChat(replay(chatTranslator(), [fixture(name)]));
    assert.deepEqual(folded, {
      role: "assistant",
      content: null,
      refusal: "",
      reasoning: "",
      calls: [],
      functionCall: undefined,
      annotations: [],
      usage: USAGE,
      done: true,
      error: undefined,
      ...expected,
    });
  });

  Deno.test(`createChatReply() says the same of ${name} wherever it is cut, with LF, CRLF and CR`, () => {
    const whole = replay(chatTranslator(), [fixture(name)]);
    for (const lineEnd of Object.values(LINE_ENDS)) {
      for (const pieces of everyCut(fixture(name, lineEnd))) {
        assert.equal(replay(chatTranslator(), pieces), whole);
      }
    }
  });

  Deno.test(`createChatReply() never ends ${name} normally when the stream stops early`, () => {
    const bytes = fixture(name);
    // Without its last two line ends the last event is still whole.
    for (let length = 0; length < bytes.length - 2; length++) {
      const folded = foldChat(replay(chatTranslator(), [bytes.subarray(0, length)]));
      assert.equal(folded.done, false);
      assert.equal(folded.finish, null);
      assert.equal((folded.error as { code: string }).code, "incomplete_stream");
    }
  });

  Deno.test(`responseToChatCompletion() says of ${name} what the stream says`, async () => {
    const collected = await collectResponses(streamOf(fixture(name)), LIMITS);
    assert.equal(collected.kind, "response");
    const completion = responseToChatCompletion(collected, OPTIONS);
    // The SDK's types cannot be checked at run time; its member names can.
    const typed = completion as unknown as OpenAI.Chat.ChatCompletion & {
      choices: { message: { reasoning_content?: string } }[];
    };
    const [choice] = typed.choices;
    assert.ok(choice);
    const streamed = foldChat(replay(chatTranslator(), [fixture(name)]));
    assert.equal(choice.message.role, "assistant");
    assert.equal(choice.message.content, streamed.content);
    assert.equal(choice.message.refusal ?? "", streamed.refusal);
    assert.equal(choice.message.reasoning_content ?? "", streamed.reasoning);
    assert.deepEqual(choice.message.annotations ?? [], streamed.annotations);
    assert.deepEqual(
      (choice.message.tool_calls ?? []).map((call) =>
        call.type === "function"
          ? { id: call.id, type: call.type, name: call.function.name, input: call.function.arguments }
          : { id: call.id, type: call.type, name: call.custom.name, input: call.custom.input }
      ),
      streamed.calls,
    );
    assert.equal(choice.finish_reason, streamed.finish);
    assert.deepEqual(typed.usage, streamed.usage);
    assert.equal(typed.id, "chatcmpl-test");
    assert.equal(typed.created, 1787000000);
  });
}

Deno.test("createChatReply() keeps the chunks of parallel calls interleaved as they came", () => {
  const chunks = objectsOf(replay(chatTranslator(), [fixture("responses_parallel_tools")]));
  const calls = chunks.flatMap((chunk) => chunk.choices).flatMap((choice) => choice.delta.tool_calls ?? []);
  assert.deepEqual(calls, [
    { index: 0, id: "call_A", type: "function", function: { name: "add", arguments: "" } },
    { index: 0, function: { arguments: '{"a":' } },
    { index: 1, id: "call_B", type: "function", function: { name: "get_weather", arguments: "" } },
    { index: 1, function: { arguments: '{"city":' } },
    { index: 0, function: { arguments: "1}" } },
    { index: 1, function: { arguments: '"Z\u00fcrich"}' } },
  ]);
});

Deno.test("createChatReply() makes chunks of the reference's form", () => {
  const text = replay(chatTranslator(), [fixture("responses_text")]);
  const chunks: OpenAI.Chat.ChatCompletionChunk[] = objectsOf(text);
  const first: OpenAI.Chat.ChatCompletionChunk = {
    id: "chatcmpl-test",
    object: "chat.completion.chunk",
    created: 1787000000,
    model: "gpt-5.5",
    service_tier: "default",
    choices: [{
      index: 0,
      delta: { role: "assistant", content: "", refusal: null },
      logprobs: null,
      finish_reason: null,
    }],
    usage: null,
  };
  assert.deepEqual(chunks[0], first);
  assert.deepEqual(chunks.at(-1)?.choices, []);
  assert.ok(text.endsWith("data: [DONE]\n\n"));
});

Deno.test("createChatReply() leaves the usage out when it is not asked for", () => {
  const text = replay(chatTranslator({ includeUsage: false }), [fixture("responses_text")]);
  assert.ok(objectsOf(text).every((chunk) => !("usage" in chunk) && chunk.choices.length === 1));
});

Deno.test("createChatReply() tells a legacy client its call as function_call", async () => {
  const name = "responses_tools_without_deltas";
  const folded = foldChat(replay(chatTranslator({ legacyFunctions: true }), [fixture(name)]));
  assert.deepEqual(folded.functionCall, { name: "add", arguments: '{"a":1}' });
  assert.equal(folded.finish, "function_call");
  const collected = await collectResponses(streamOf(fixture(name)), LIMITS);
  assert.equal(collected.kind, "response");
  const completion = responseToChatCompletion(collected, { ...OPTIONS, legacyFunctions: true });
  const { choices: [choice] } = completion as unknown as OpenAI.Chat.ChatCompletion;
  assert.deepEqual(choice?.message.function_call, { name: "add", arguments: '{"a":1}' });
  assert.equal(choice?.message.tool_calls?.[0]?.id, "call_B");
  assert.equal(choice?.finish_reason, "function_call");
});

Deno.test("createChatReply() tells a failed response as an error, whatever the line ends and cuts", () => {
  const expected = {
    message: "Rate limit reached for gpt-5.5. Please try again in 11.054s.",
    type: "rate_limit_error",
    param: null,
    code: "rate_limit_exceeded",
  };
  for (const lineEnd of Object.values(LINE_ENDS)) {
    for (const pieces of everyCut(fixture("responses_failed", lineEnd))) {
      const folded = foldChat(replay(chatTranslator(), pieces));
      assert.deepEqual(folded.error, expected);
      assert.equal(folded.content, "Half an ans");
      assert.equal(folded.finish, null);
      assert.equal(folded.done, false);
    }
  }
});

Deno.test("createChatReply() sends nothing but the error when the upstream is overloaded from the start", () => {
  const text = replay(chatTranslator(), [fixture("responses_overloaded")]);
  assert.deepEqual(objectsOf(text), [{
    error: {
      message: "Selected model is at capacity. Please try a different model.",
      type: "server_error",
      param: null,
      code: "server_is_overloaded",
    },
  }]);
});

Deno.test("createChatReply() tells text once when deltas, done, item and final output all bring it", () => {
  const item = {
    type: "message",
    content: [{ type: "output_text", text: "Hello", annotations: [] }],
  };
  const reply = createChatReply({ ...OPTIONS, includeUsage: false });
  const text = [
    { type: "response.output_item.added", output_index: 0, item: { type: "message", content: [] } },
    { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "Hel" },
    { type: "response.output_text.done", output_index: 0, content_index: 0, text: "Hello" },
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: { status: "completed", output: [item] } },
  ].map((event) => reply.push(event)).join("");
  assert.equal(foldChat(text).content, "Hello");
});

Deno.test("createChatReply() takes the final output when no item was streamed", () => {
  const reply = createChatReply({ ...OPTIONS, includeUsage: false });
  const text = reply.push({
    type: "response.completed",
    response: {
      status: "completed",
      output: [{ type: "message", content: [{ type: "output_text", text: "Hello" }] }],
    },
  });
  assert.equal(foldChat(text).content, "Hello");
  assert.equal(foldChat(text).finish, "stop");
});

Deno.test("createChatReply() is silent after its end", () => {
  const reply = createChatReply({ ...OPTIONS, includeUsage: false });
  reply.push({ type: "response.completed", response: { status: "completed", output: [] } });
  assert.equal(reply.end, "completed");
  assert.equal(reply.push({ type: "response.output_text.delta", delta: "late" }), "");
  assert.equal(
    reply.fail({ status: 502, type: "server_error", code: "x", param: null, message: "Late." }),
    "",
  );
});

Deno.test("createChatReply() does not repeat an item that the final output has at another position", () => {
  const item = { type: "message", content: [{ type: "output_text", text: "Hello" }] };
  const reply = createChatReply({ ...OPTIONS, includeUsage: false });
  const text = [
    { type: "response.output_item.done", output_index: 1, item },
    { type: "response.completed", response: { status: "completed", output: [item] } },
  ].map((event) => reply.push(event)).join("");
  assert.equal(foldChat(text).content, "Hello");
});

Deno.test("createChatReply() tells a reasoning item in one of its two forms", () => {
  const item = {
    type: "reasoning",
    summary: [{ type: "summary_text", text: "Short." }],
    content: [{ type: "reasoning_text", text: "The same, but long." }],
  };
  const done = { type: "response.output_item.done", output_index: 0, item };
  const delta = {
    type: "response.reasoning_text.delta",
    output_index: 0,
    content_index: 0,
    delta: "The same",
  };
  const fromItem = createChatReply({ ...OPTIONS, includeUsage: false });
  assert.equal(foldChat(fromItem.push(done)).reasoning, "Short.");
  const fromDeltas = createChatReply({ ...OPTIONS, includeUsage: false });
  const text = fromDeltas.push(delta) + fromDeltas.push(done);
  assert.equal(foldChat(text).reasoning, "The same, but long.");
});

Deno.test("createChatReply() takes a last event without its blank line when its data is whole", () => {
  for (const [name, lineEnd] of [["responses_text", "\n"], ["responses_incomplete", "\r\n"]] as const) {
    const bytes = fixture(name, lineEnd);
    const whole = replay(chatTranslator(), [bytes]);
    for (const missing of [1, 2]) {
      const cut = bytes.slice(0, bytes.length - missing * lineEnd.length);
      assert.equal(replay(chatTranslator(), [cut]), whole);
    }
  }
});
