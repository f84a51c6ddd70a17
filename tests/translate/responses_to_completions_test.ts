import assert from "node:assert/strict";
import {
  chatCompletionToResponse,
  createReplyOverChat,
} from "../../src/translate/chat_reply_to_responses.ts";
import { collectResponses } from "../../src/translate/collect_responses.ts";
import { translateEvents } from "../../src/translate/event_reply.ts";
import type { StreamTranslator } from "../../src/translate/relay_stream.ts";
import { createCompletionReply, responseToCompletion } from "../../src/translate/responses_to_completions.ts";
import { eventsOf, everyCut, fixture, LINE_ENDS, objectsOf, replay, streamOf } from "./replay.ts";

const LIMITS = { maxEventBytes: 1 << 20, maxStreamBytes: 1 << 24 };
const OPTIONS = { id: "cmpl-1", model: "asked-model", nowS: 1, includeUsage: true };

const overResponses = (includeUsage = true): StreamTranslator =>
  translateEvents(createCompletionReply({ ...OPTIONS, includeUsage }), LIMITS);
const overChat = (): StreamTranslator =>
  translateEvents(createReplyOverChat(OPTIONS, createCompletionReply(OPTIONS)), LIMITS);

/** What a client's user sees of a stream. */
function fold(text: string) {
  const chunks = objectsOf(text);
  const answers = chunks.filter((chunk) => chunk.error === undefined);
  const choices = answers.flatMap((chunk) => chunk.choices);
  assert.ok(answers.every((chunk) => chunk.object === "text_completion" && chunk.id === "cmpl-1"));
  return {
    text: choices.map((choice) => choice.text).join(""),
    finish: choices.map((choice) => choice.finish_reason).filter((reason) => reason !== null),
    usage: answers.findLast((chunk) => chunk.usage)?.usage,
    model: answers.at(0)?.model,
    error: chunks.find((chunk) => chunk.error !== undefined)?.error,
    done: eventsOf(text).at(-1)?.data === "[DONE]",
  };
}

const EXPECTED = [
  ["responses_text", overResponses, "stop"],
  ["responses_refusal", overResponses, "content_filter"],
  ["responses_incomplete", overResponses, "length"],
  ["responses_search", overResponses, "stop"],
  ["chat_text", overChat, "stop"],
  ["chat_split_choices", overChat, "stop"],
] as const;

for (const [name, make, finish] of EXPECTED) {
  Deno.test(`createCompletionReply() tells ${name} the same wherever it is cut, as when it is collected`, async () => {
    const whole = fold(replay(make(), [fixture(name)]));
    assert.deepEqual(whole.finish, [finish]);
    assert.ok(whole.done && whole.text !== "" && whole.usage?.total_tokens > 0);
    for (const lineEnd of Object.values(LINE_ENDS)) {
      for (const pieces of everyCut(fixture(name, lineEnd))) {
        assert.deepEqual(fold(replay(make(), pieces)), whole);
      }
    }
    if (make === overChat) return;
    const collected = await collectResponses(streamOf(fixture(name)), LIMITS);
    assert.ok(collected.kind === "response");
    const { choices: [choice], usage, model } = responseToCompletion(collected, OPTIONS) as unknown as {
      choices: [{ text: string; finish_reason: string }];
      usage: unknown;
      model: string;
    };
    assert.deepEqual(
      [choice.text, choice.finish_reason, usage, model],
      [whole.text, finish, whole.usage, whole.model],
    );
  });
}

Deno.test("createCompletionReply() tells the usage in a chunk without choices, and only on request", () => {
  const [last] = objectsOf(replay(overResponses(), [fixture("responses_text")])).slice(-1);
  assert.deepEqual(last.choices, []);
  assert.deepEqual(Object.keys(last.usage).slice(0, 3), [
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
  ]);
  const unasked = objectsOf(replay(overResponses(false), [fixture("responses_text")]));
  assert.ok(unasked.every((chunk) => !("usage" in chunk) && chunk.choices.length === 1));
});

Deno.test("createCompletionReply() tells a failure as an error and never as an end", () => {
  for (
    const [name, make] of [
      ["responses_failed", overResponses],
      ["responses_overloaded", overResponses],
      ["chat_error", overChat],
    ] as const
  ) {
    const translator = make();
    const folded = fold(replay(translator, [fixture(name)]));
    assert.ok(folded.error.message !== "");
    assert.deepEqual([folded.finish, folded.done, translator.ended], [[], false, "failed"]);
  }
});

Deno.test("createCompletionReply() tells a cut stream as an error, in front of either upstream", () => {
  for (
    const [name, make] of [["responses_text", overResponses], ["chat_parallel_tools", overChat]] as const
  ) {
    const bytes = fixture(name);
    const translator = make();
    const folded = fold(replay(translator, [bytes.subarray(0, bytes.length / 2)]));
    assert.equal(folded.error.code, "incomplete_stream");
    assert.deepEqual([folded.finish, folded.done, translator.ended], [[], false, "cut"]);
  }
});

Deno.test("createReplyOverChat() ends an answer without any choice as failed", () => {
  const translator = overChat();
  const folded = fold(replay(translator, [new TextEncoder().encode("data: [DONE]\n\n")]));
  assert.equal(folded.error.code, "unreadable_stream");
  assert.equal(folded.done, false);
});

Deno.test("responseToCompletion() tells a Chat document's text", () => {
  const collected = chatCompletionToResponse(
    { model: "m", created: 5, choices: [{ message: { content: "Hello" }, finish_reason: "length" }] },
    OPTIONS,
  );
  assert.ok(collected.kind === "response");
  assert.deepEqual(responseToCompletion(collected, OPTIONS), {
    id: "cmpl-1",
    object: "text_completion",
    created: 5,
    model: "m",
    choices: [{ text: "Hello", index: 0, logprobs: null, finish_reason: "length" }],
  });
});
