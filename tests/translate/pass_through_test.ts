import assert from "node:assert/strict";
import { passThrough } from "../../src/translate/pass_through.ts";
import type { StreamTranslator } from "../../src/translate/relay_stream.ts";
import { ownFailure } from "../../src/translate/stream_failure.ts";
import { watchChat } from "../../src/translate/watch_chat.ts";
import { watchResponses } from "../../src/translate/watch_responses.ts";
import { foldChat } from "./chat_fold.ts";
import { eventsOf, everyCut, fixture, LINE_ENDS, objectsOf, replay } from "./replay.ts";

const LIMITS = { maxEventBytes: 1 << 20 };
const IDENTITY = { id: "resp_test", model: "asked-model", nowS: 1 };

const chat = (): StreamTranslator => passThrough(watchChat(), LIMITS);
const responses = (dropPrivateEvents = false): StreamTranslator =>
  passThrough(watchResponses({ identity: IDENTITY, dropPrivateEvents, stableIds: false }), LIMITS);

const UNTOUCHED = [
  ["chat_text", chat],
  ["chat_parallel_tools", chat],
  ["chat_split_choices", chat],
  ["responses_text", responses],
  ["responses_search", responses],
  ["responses_rotating_ids", responses],
  ["responses_incomplete", responses],
  ["responses_failed", responses],
  ["responses_text with private events dropped", (): StreamTranslator => responses(true)],
] as const;

for (const [name, make] of UNTOUCHED) {
  Deno.test(`passThrough() leaves every byte of ${name} as it is, wherever it is cut`, () => {
    const [file = ""] = name.split(" ");
    for (const lineEnd of Object.values(LINE_ENDS)) {
      const bytes = fixture(file, lineEnd);
      const text = new TextDecoder().decode(bytes);
      for (const pieces of everyCut(bytes)) {
        // The LF of a last CRLF can be cut off; it says nothing any more.
        const out = replay(make(), pieces);
        assert.ok(out === text || out + "\n" === text);
      }
    }
  });
}

Deno.test("passThrough() tells how a stream ended and what it used", () => {
  const ends = [
    ["chat_text", chat, "completed", 21],
    ["chat_split_choices", chat, "completed", 21],
    ["responses_text", responses, "completed", 7575],
    ["responses_incomplete", responses, "completed", 7575],
    ["responses_failed", responses, "failed", undefined],
    ["responses_overloaded", responses, "failed", undefined],
    ["chat_error", chat, "failed", undefined],
  ] as const;
  for (const [name, make, ended, totalTokens] of ends) {
    const translator = make();
    assert.equal(translator.ended, undefined);
    replay(translator, [fixture(name)]);
    assert.equal(translator.ended, ended, name);
    assert.equal(translator.usage?.totalTokens, totalTokens, name);
  }
});

Deno.test("passThrough() drops private events and nothing else", () => {
  const before = eventsOf(new TextDecoder().decode(fixture("responses_search")));
  const expected = before.filter((event) => !/^(codex|responsesapi)\./.test(event.type ?? ""));
  assert.equal(before.length, expected.length + 2);
  for (const lineEnd of Object.values(LINE_ENDS)) {
    for (const pieces of everyCut(fixture("responses_search", lineEnd))) {
      const translator = responses(true);
      assert.deepEqual(eventsOf(replay(translator, pieces)), expected);
      assert.equal(translator.ended, "completed");
    }
  }
});

Deno.test("passThrough() ends a Chat stream that is cut with an error event, and sends no half event", () => {
  const bytes = fixture("chat_parallel_tools");
  const text = new TextDecoder().decode(bytes);
  const finishAt =
    new TextEncoder().encode(text.slice(0, text.indexOf('"finish_reason":"tool_calls"'))).length;
  const finishEnd = text.indexOf("\n\n", text.indexOf('"finish_reason":"tool_calls"')) -
    text.length + bytes.length;
  for (let length = 0; length < bytes.length; length++) {
    const translator = chat();
    const folded = foldChat(replay(translator, [bytes.slice(0, length)]));
    if (length <= finishAt) {
      assert.equal((folded.error as { code: string }).code, "incomplete_stream");
      assert.equal(translator.ended, "cut");
    } else if (length >= finishEnd) {
      // The finish reason is a true end, whether or not `[DONE]` follows.
      assert.equal(folded.error, undefined);
      assert.equal(folded.finish, "tool_calls");
      assert.equal(translator.ended, "completed");
    }
  }
});

Deno.test("passThrough() ends a Responses stream that is cut with error and response.failed", () => {
  const bytes = fixture("responses_refusal");
  for (let length = 0; length < bytes.length - 2; length++) {
    const translator = responses();
    const events = objectsOf(replay(translator, [bytes.slice(0, length)]));
    const [error, failed] = events.slice(-2);
    assert.equal(error.type, "error");
    assert.equal(error.code, "incomplete_stream");
    assert.equal(failed.type, "response.failed");
    assert.equal(failed.response.status, "failed");
    assert.equal(failed.response.error.code, "incomplete_stream");
    // The numbers go on where the upstream's ended, and the response keeps the name that it had.
    assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, index) => index));
    assert.equal(failed.response.id, events.length > 2 ? "resp_1" : "resp_test");
    assert.equal(translator.ended, "cut");
  }
});

Deno.test("passThrough() adds response.failed when the upstream tells an error event only", () => {
  const text = new TextDecoder().decode(fixture("responses_failed"));
  const translator = responses();
  const cut = new TextEncoder().encode(text.slice(0, text.indexOf("event: response.failed")));
  const events = objectsOf(replay(translator, [cut]));
  assert.deepEqual(events.map((event) => event.type).slice(-2), ["error", "response.failed"]);
  assert.equal(events.at(-1).response.error.code, "rate_limit_exceeded");
  assert.equal(translator.ended, "failed");
});

Deno.test("passThrough() adds an error event when the upstream tells response.failed only", () => {
  const upstream = objectsOf(new TextDecoder().decode(fixture("responses_overloaded")));
  for (const pieces of everyCut(fixture("responses_overloaded"))) {
    const translator = responses(true);
    const events = objectsOf(replay(translator, pieces));
    const [error, failed] = events.slice(-2);
    assert.equal(error.type, "error");
    assert.equal(error.code, "server_is_overloaded");
    assert.deepEqual(failed, { ...upstream.at(-1), sequence_number: 3 });
    assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, index) => index));
    assert.equal(translator.ended, "failed");
  }
});

Deno.test("passThrough() tells Grok's flat error in OpenAI's shape and keeps back the [DONE] behind it", () => {
  for (const pieces of everyCut(fixture("chat_error"))) {
    const text = replay(chat(), pieces);
    const folded = foldChat(text);
    assert.equal(folded.content, "Half an ans");
    assert.deepEqual(folded.error, {
      message: "Service temporarily unavailable.",
      type: "server_error",
      param: null,
      code: "The service is currently unavailable",
    });
    assert.equal(folded.done, false);
  }
});

Deno.test("passThrough() tells an error without a type in a Responses stream as error and response.failed", () => {
  const frame = 'data: {"code":"rate_limit_exceeded","error":"Too many requests."}\n\n';
  const events = objectsOf(replay(responses(), [new TextEncoder().encode(frame)]));
  assert.deepEqual(events.map((event) => event.type), ["error", "response.failed"]);
  assert.equal(events[0].message, "Too many requests.");
});

Deno.test("passThrough() takes Copilot's finish reason error for a failure", () => {
  const frame = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}\n\ndata: [DONE]\n\n';
  const translator = chat();
  const folded = foldChat(replay(translator, [new TextEncoder().encode(frame)]));
  assert.equal((folded.error as { code: string }).code, "server_error");
  assert.equal(folded.finish, null);
  assert.equal(folded.done, false);
});

Deno.test("passThrough() fails a stream with a broken event, in both dialects", () => {
  const garbage = new TextEncoder().encode("data: {this is no JSON\n\n");
  for (const lineEnd of Object.values(LINE_ENDS)) {
    const inChat = chat();
    const text = new TextDecoder().decode(fixture("chat_text", lineEnd));
    const head = new TextEncoder().encode(
      text.slice(0, 300).slice(0, text.lastIndexOf(lineEnd + lineEnd, 290)),
    );
    const folded = foldChat(
      replay(inChat, [head, new TextEncoder().encode(lineEnd + lineEnd), garbage, fixture("chat_text")]),
    );
    assert.equal((folded.error as { code: string }).code, "unreadable_stream");
    assert.equal(inChat.ended, "cut");
  }
  const inOnePiece = new Uint8Array([...garbage, ...fixture("responses_text")]);
  const events = objectsOf(replay(responses(), [inOnePiece]));
  assert.deepEqual(events.map((event) => event.type), ["error", "response.failed"]);
  assert.equal(events[0].code, "unreadable_stream");
});

Deno.test("passThrough() lets an event of many lines of data through", () => {
  const frame =
    'data: {\ndata: "choices": [{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]\ndata: }\n\n';
  const translator = chat();
  assert.equal(replay(translator, [new TextEncoder().encode(frame)]), frame);
  assert.equal(translator.ended, "completed");
});

Deno.test("passThrough() fails when an event is held back that is too large", () => {
  const translator = passThrough(watchChat(), { maxEventBytes: 100 });
  const text = replay(translator, [new TextEncoder().encode(`data: {"x":"${"x".repeat(100)}`)]);
  assert.equal(objectsOf(text)[0].error.code, "event_too_large");
  assert.equal(translator.ended, "cut");
});

Deno.test("passThrough() says nothing more when a connection breaks behind the end", () => {
  for (const [name, make] of [["chat_text", chat], ["responses_text", responses]] as const) {
    const translator = make();
    translator.chunk(fixture(name));
    assert.equal(translator.fail(ownFailure("connection_lost")), undefined);
    assert.equal(translator.ended, "completed");
  }
});

Deno.test("passThrough() looks at no event in which there is nothing to look at", () => {
  for (const lineEnd of Object.values(LINE_ENDS)) {
    const watch = {
      ...watchChat(),
      scan: (): boolean => false,
      look: (): undefined => assert.fail("An ordinary event was looked at."),
      mayEnd: true,
    };
    const bytes = fixture("responses_text", lineEnd);
    assert.deepEqual(passThrough(watch, LIMITS).chunk(bytes)?.slice(0, 100), bytes.slice(0, 100));
  }
});
