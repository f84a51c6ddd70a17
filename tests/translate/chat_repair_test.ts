import assert from "node:assert/strict";
import { createRepairedChatReply, repairCompletion } from "../../src/translate/chat_repair.ts";
import { translateEvents } from "../../src/translate/event_reply.ts";
import type { StreamTranslator } from "../../src/translate/relay_stream.ts";
import type { ReplyWishes } from "../../src/translate/client_request.ts";
import { translationOf } from "../../src/translate/translation.ts";
import type { JsonObject } from "../../src/wire/json.ts";
import { foldChat } from "./chat_fold.ts";
import { everyCut, fixture, LINE_ENDS, objectsOf, replay } from "./replay.ts";

const make = (includeUsage = true): StreamTranslator =>
  translateEvents(createRepairedChatReply({ includeUsage }), { maxEventBytes: 1 << 20 });

/** A stream of chunks, `[DONE]` last. */
function stream(...chunks: JsonObject[]): Uint8Array<ArrayBuffer> {
  const frames = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("");
  return new TextEncoder().encode(`${frames}data: [DONE]\n\n`);
}

function chunk(index: number, delta: JsonObject, finish?: string): JsonObject {
  return {
    id: "c",
    created: 5,
    model: "m",
    choices: [{ index, delta, ...(finish && { finish_reason: finish }) }],
  };
}

function call(index: number, name: string, args: string): JsonObject {
  return {
    tool_calls: [{ index, id: `id_${name}`, type: "function", function: { name, arguments: args } }],
  };
}

Deno.test("createRepairedChatReply() tells split choices as one, wherever the stream is cut", () => {
  for (const lineEnd of Object.values(LINE_ENDS)) {
    for (const pieces of everyCut(fixture("chat_split_choices", lineEnd))) {
      const translator = make();
      const text = replay(translator, pieces);
      const folded = foldChat(text);
      assert.equal(folded.content, "I will add.");
      assert.deepEqual(folded.calls, [{ id: "toolu_1", name: "add", input: '{"a":1}', type: "function" }]);
      assert.deepEqual([folded.finish, folded.done, folded.error], ["tool_calls", true, undefined]);
      assert.deepEqual([translator.ended, translator.usage?.totalTokens], ["completed", 21]);
      const chunks = objectsOf(text);
      assert.ok(
        chunks.every(({ object, choices: [choice, ...others] }) =>
          object === "chat.completion.chunk" && choice.index === 0 && others.length === 0 &&
          choice.delta.role !== null && choice.finish_reason !== undefined
        ),
      );
      assert.equal(chunks.filter(({ choices }) => choices[0].finish_reason !== null).length, 1);
    }
  }
});

Deno.test("createRepairedChatReply() tells the calls of a choice that comes after another one's finish", () => {
  const folded = foldChat(
    replay(make(), [stream(
      chunk(0, { role: "assistant", content: "Both." }),
      chunk(0, {}, "tool_calls"),
      chunk(1, call(0, "first", "{}")),
      chunk(2, call(0, "second", "{")),
      chunk(2, { tool_calls: [{ index: 0, function: { arguments: "}" } }] }),
      chunk(1, {}, "stop"),
    )]),
  );
  assert.deepEqual(folded.calls.map(({ name, input }) => [name, input]), [["first", "{}"], ["second", "{}"]]);
  assert.deepEqual([folded.finish, folded.done], ["tool_calls", true]);
});

Deno.test("createRepairedChatReply() finishes by what the answer has, not by the upstream's word alone", () => {
  const finishOf = (delta: JsonObject, word: string): string | null =>
    foldChat(replay(make(), [stream(chunk(0, delta), chunk(0, {}, word))])).finish;
  assert.equal(finishOf(call(0, "f", "{}"), "stop"), "tool_calls");
  assert.equal(finishOf({ content: "x" }, "tool_calls"), "stop");
  assert.equal(finishOf({ function_call: { name: "f", arguments: "{}" } }, "stop"), "function_call");
  assert.equal(finishOf(call(0, "f", "{}"), "length"), "length");
  assert.equal(finishOf({ content: "x" }, "content_filter"), "content_filter");
});

Deno.test("createRepairedChatReply() keeps what is in a chunk together with its finish reason", () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  const text = replay(make(), [stream({ ...chunk(0, { content: "All." }, "stop"), usage, extra: 1 })]);
  const folded = foldChat(text);
  assert.deepEqual([folded.content, folded.finish, folded.usage], ["All.", "stop", usage]);
  assert.equal(objectsOf(text).filter((sent) => sent.usage).length, 1);
});

Deno.test("createRepairedChatReply() leaves out chunks without choices, and usage that nobody asked for", () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  const bytes = stream(
    { id: "", created: 0, choices: [], prompt_filter_results: [] },
    { choices: null, copilot_references: [] },
    chunk(0, { content: "x" }),
    chunk(0, {}, "stop"),
    { id: "c", created: 5, model: "m", choices: [], usage },
  );
  const asked = objectsOf(replay(make(), [bytes]));
  assert.deepEqual(asked.map(({ choices }) => choices.length), [1, 1, 0]);
  assert.equal(asked[1].choices[0].finish_reason, "stop");
  const translator = make(false);
  const unasked = objectsOf(replay(translator, [bytes]));
  assert.deepEqual(unasked.map(({ choices }) => choices.length), [1, 1]);
  assert.equal(translator.usage?.totalTokens, 3);
});

Deno.test("createRepairedChatReply() keeps what clients send back, and tells reasoning by the name that they know", () => {
  const opaque = { reasoning_text: "Hm.", reasoning_opaque: "sealed" };
  const signed = {
    tool_calls: [{
      index: 0,
      id: "1",
      type: "function",
      function: { name: "f", arguments: "{}" },
      thought_signature: "s",
    }],
  };
  const [first, second] = objectsOf(replay(make(), [stream(chunk(0, opaque), chunk(0, signed))]));
  assert.deepEqual(first.choices[0].delta, { reasoning_content: "Hm.", ...opaque });
  assert.deepEqual(second.choices[0].delta, signed);
});

Deno.test("createRepairedChatReply() tells the finish when the stream ends without [DONE], or breaks behind it", () => {
  const whole = new TextDecoder().decode(stream(chunk(0, { content: "x" }), chunk(0, {}, "stop")));
  const bytes = new TextEncoder().encode(whole.replace("data: [DONE]\n\n", ""));
  assert.equal(foldChat(replay(make(), [bytes])).finish, "stop");
  const translator = make();
  const begun = new TextDecoder().decode(translator.chunk(bytes));
  const failure = {
    status: 502,
    type: "server_error",
    code: "connection_lost",
    param: null,
    message: "Broken.",
  };
  const folded = foldChat(begun + new TextDecoder().decode(translator.fail(failure)));
  assert.deepEqual([folded.finish, folded.error, translator.ended], ["stop", undefined, "completed"]);
});

Deno.test("createRepairedChatReply() tells failures as errors and never as an end", () => {
  const text = chunk(0, { content: "x" });
  const cases: readonly [string, Uint8Array<ArrayBuffer>, string][] = [
    ["the finish reason error", stream(text, chunk(0, {}, "error")), "server_error"],
    ["an error of one choice", stream(text, chunk(0, {}, "stop"), chunk(1, {}, "error")), "server_error"],
    ["an error object", stream(text, { error: { code: "rate_limited", message: "Slow." } }), "rate_limited"],
    ["no choice at all", stream({ choices: [] }), "unreadable_stream"],
    ["another API's events", stream({ type: "message_start", message: {} }), "unreadable_stream"],
    ["a cut", stream(text).subarray(0, -20), "incomplete_stream"],
    ["garbage", new TextEncoder().encode("data: {no JSON\n\n"), "unreadable_stream"],
  ];
  for (const [what, bytes, code] of cases) {
    const translator = make();
    const folded = foldChat(replay(translator, [bytes]));
    assert.equal((folded.error as { code: string })?.code, code, what);
    assert.deepEqual([folded.finish, folded.done], [null, false], what);
    assert.ok(translator.ended === "failed" || translator.ended === "cut", what);
  }
});

const WISHES: ReplyWishes = {
  stream: false,
  includeUsage: false,
  legacyFunctions: false,
  model: "asked-model",
  nowS: 1,
  id: "chatcmpl-1",
};

function document(json: JsonObject) {
  const { document } = translationOf("chat", { dialect: "chat", strays: true }, WISHES);
  assert.ok(document !== undefined);
  return document(json);
}

Deno.test("repairCompletion() makes one choice of several and keeps what else there is", () => {
  const calls = [{
    id: "1",
    type: "function",
    function: { name: "f", arguments: "{}" },
    thought_signature: "s",
  }];
  const repaired = repairCompletion({
    id: "c",
    created: 5,
    model: "m",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: "Text.", reasoning_text: "Hm." },
        finish_reason: "stop",
      },
      { index: 1, message: { role: "assistant", content: null, tool_calls: calls }, finish_reason: "stop" },
    ],
    usage: { total_tokens: 3 },
    copilot_usage: {},
  });
  assert.deepEqual(repaired, {
    id: "c",
    object: "chat.completion",
    created: 5,
    model: "m",
    choices: [{
      index: 0,
      logprobs: null,
      message: {
        role: "assistant",
        content: "Text.",
        refusal: null,
        reasoning_content: "Hm.",
        reasoning_text: "Hm.",
        tool_calls: calls,
      },
      finish_reason: "tool_calls",
    }],
    usage: { total_tokens: 3 },
    copilot_usage: {},
  });
});

Deno.test("translationOf() leaves documents and streams of an upstream that does not stray as they are", () => {
  const untouched = translationOf("chat", { dialect: "chat", strays: false }, WISHES);
  assert.equal(untouched.document, undefined);
  const bytes = fixture("chat_split_choices");
  assert.equal(replay(untouched.stream(), [bytes]), new TextDecoder().decode(bytes));
});

Deno.test("translationOf() tells an answer in Anthropic's shape as a completion", () => {
  const answer = document({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "claude",
    content: [{ type: "text", text: "He" }],
    stop_reason: "max_tokens",
    usage: { input_tokens: 9, output_tokens: 1 },
  });
  assert.ok(answer.kind === "document");
  const { object, model, choices, usage } = answer.document as unknown as {
    object: string;
    model: string;
    choices: [{ message: { content: string }; finish_reason: string }];
    usage: { total_tokens: number };
  };
  assert.deepEqual([object, model, usage.total_tokens], ["chat.completion", "claude", 10]);
  assert.deepEqual([choices[0].message.content, choices[0].finish_reason], ["He", "length"]);
});

Deno.test("translationOf() judges documents that are no answers as failures", () => {
  const cases: readonly [JsonObject, string][] = [
    [{ choices: [{ message: { content: "x" }, finish_reason: "error" }] }, "server_error"],
    [{ error: { code: "model_overloaded", message: "Busy." } }, "model_overloaded"],
    [{ type: "error", error: { type: "overloaded_error", message: "Busy." } }, "overloaded_error"],
    [{ choices: [] }, "unreadable_stream"],
    [{}, "unreadable_stream"],
  ];
  for (const [json, code] of cases) {
    const answer = document(json);
    assert.ok(answer.kind === "failed", JSON.stringify(json));
    assert.equal(answer.error.code, code);
  }
});
