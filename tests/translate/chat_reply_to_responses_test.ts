import assert from "node:assert/strict";
import type OpenAI from "openai";
import {
  chatCompletionToResponse,
  createChatCollector,
  createResponsesReply,
} from "../../src/translate/chat_reply_to_responses.ts";
import { collectResponses, collectStream } from "../../src/translate/collect_responses.ts";
import { translateEvents } from "../../src/translate/event_reply.ts";
import { createChatReply } from "../../src/translate/responses_to_chat.ts";
import type { StreamTranslator } from "../../src/translate/relay_stream.ts";
import { ownFailure } from "../../src/translate/stream_failure.ts";
import { foldChat } from "./chat_fold.ts";
import { eventsOf, everyCut, fixture, LINE_ENDS, objectsOf, replay, streamOf } from "./replay.ts";

const IDENTITY = { id: "resp_test", model: "asked-model", nowS: 1 };
const LIMITS = { maxEventBytes: 1 << 20, maxStreamBytes: 1 << 24 };

const translator = (): StreamTranslator => translateEvents(createResponsesReply(IDENTITY), LIMITS);

const FIXTURES = ["chat_text", "chat_parallel_tools", "chat_split_choices"];

Deno.test("createResponsesReply() tells the full sequence of events for reasoning and text", () => {
  const events = objectsOf(replay(translator(), [fixture("chat_text")]));
  assert.deepEqual(events.map((event) => event.type), [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_text.delta",
    "response.reasoning_summary_text.delta",
    "response.reasoning_summary_text.done",
    "response.reasoning_summary_part.done",
    "response.output_item.done",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
  ]);
  assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, index) => index));
});

Deno.test("createResponsesReply() makes a response object of the reference's form", () => {
  const { response } = objectsOf(replay(translator(), [fixture("chat_text")])).at(-1);
  const expected: Omit<OpenAI.Responses.Response, "output_text"> = {
    id: "resp_test",
    object: "response",
    access_programs: null,
    created_at: 1787000000,
    status: "completed",
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model: "some-model",
    output: [
      {
        id: "rs_test_0",
        type: "reasoning",
        summary: [{ type: "summary_text", text: "Plan: gr\u00fc\u00dfen." }],
      },
      {
        id: "msg_test_1",
        type: "message",
        status: "completed",
        role: "assistant",
        content: [{
          type: "output_text",
          text: 'Gr\u00fc\u00dfe, "w\u00f6rld" \u{1f995}.',
          annotations: [],
          logprobs: [],
        }],
      },
    ],
    parallel_tool_calls: true,
    temperature: null,
    tool_choice: "auto",
    tools: [],
    top_p: null,
    usage: {
      input_tokens: 12,
      input_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
      output_tokens: 9,
      output_tokens_details: { reasoning_tokens: 5 },
      total_tokens: 21,
    },
  };
  assert.deepEqual(response, expected);
});

Deno.test("createResponsesReply() keeps parallel calls apart and their pieces interleaved", () => {
  const events = objectsOf(replay(translator(), [fixture("chat_parallel_tools")]));
  assert.deepEqual(events.map((event) => event.type).slice(4, 8), [
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
  ]);
  const deltas = events.filter((event) => event.type === "response.function_call_arguments.delta");
  assert.deepEqual(deltas.map((event) => [event.output_index, event.delta]), [
    [1, '{"a":'],
    [2, '{"ci'],
    [1, "1}"],
    [2, 'ty":"Z\u00fcrich"}'],
  ]);
  assert.deepEqual(events.at(-1).response.output.slice(1), [
    {
      id: "fc_test_1",
      type: "function_call",
      status: "completed",
      call_id: "call_A",
      name: "add",
      arguments: '{"a":1}',
    },
    {
      id: "fc_test_2",
      type: "function_call",
      status: "completed",
      call_id: "call_B",
      name: "get_weather",
      arguments: '{"city":"Z\u00fcrich"}',
    },
  ]);
});

Deno.test("createResponsesReply() merges the choices over which Copilot spreads an answer", () => {
  const { response } = objectsOf(replay(translator(), [fixture("chat_split_choices")])).at(-1);
  assert.equal(response.status, "completed");
  assert.deepEqual(
    response.output.map((item: { type: string }) => item.type),
    ["message", "function_call"],
  );
  assert.equal(response.output[0].content[0].text, "I will add.");
  assert.equal(response.output[1].call_id, "toolu_1");
  assert.equal(response.usage.total_tokens, 21);
});

for (const name of FIXTURES) {
  Deno.test(`createResponsesReply() says the same of ${name} wherever it is cut, with LF, CRLF and CR`, () => {
    const whole = replay(translator(), [fixture(name)]);
    for (const lineEnd of Object.values(LINE_ENDS)) {
      for (const pieces of everyCut(fixture(name, lineEnd))) {
        assert.equal(replay(translator(), pieces), whole);
      }
    }
  });

  Deno.test(`createResponsesReply() names each event and each item of ${name} consistently`, () => {
    for (const event of eventsOf(replay(translator(), [fixture(name)]))) {
      assert.equal(JSON.parse(event.data).type, event.type);
    }
    const events = objectsOf(replay(translator(), [fixture(name)]));
    const ids = new Map<number, string>();
    for (const { type, output_index: index, item, item_id: id } of events) {
      if (type === "response.output_item.added") ids.set(index, item.id);
      else if (index !== undefined) assert.equal(id ?? item.id, ids.get(index));
    }
    const { output } = events.at(-1).response;
    assert.deepEqual(output.map((item: { id: string }) => item.id), [...ids].map(([, id]) => id));
  });

  Deno.test(`createResponsesReply() and createChatReply() carry ${name} through the hub and back`, () => {
    const hub = replay(translator(), [fixture(name)]);
    const options = { id: "chatcmpl-test", model: "m", nowS: 1, legacyFunctions: false, includeUsage: true };
    const back = translateEvents(createChatReply(options), LIMITS);
    const folded = foldChat(replay(back, [new TextEncoder().encode(hub)]));
    const original = foldChatFixture(name);
    assert.deepEqual(folded, original);
  });

  Deno.test(`createChatCollector() gives the response of which the stream of ${name} tells`, async () => {
    const collected = await collectStream(streamOf(fixture(name)), createChatCollector(IDENTITY), LIMITS);
    const hub = new TextEncoder().encode(replay(translator(), [fixture(name)]));
    assert.deepEqual(collected, await collectResponses(streamOf(hub), LIMITS));
  });
}

/** What the fixtures' authors meant, apart from what the hub writes in its own way. */
function foldChatFixture(name: string): unknown {
  const none = {
    refusal: "",
    calls: [],
    functionCall: undefined,
    annotations: [],
    done: true,
    error: undefined,
    role: "assistant",
  };
  const usage = (reasoning: number, cached: number): unknown => ({
    prompt_tokens: 12,
    completion_tokens: 9,
    total_tokens: 21,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  });
  switch (name) {
    case "chat_text":
      return {
        ...none,
        content: 'Gr\u00fc\u00dfe, "w\u00f6rld" \u{1f995}.',
        reasoning: "Plan: gr\u00fc\u00dfen.",
        finish: "stop",
        usage: usage(5, 4),
      };
    case "chat_parallel_tools":
      return {
        ...none,
        content: "Two calls.",
        reasoning: "",
        calls: [
          { id: "call_A", type: "function", name: "add", input: '{"a":1}' },
          { id: "call_B", type: "function", name: "get_weather", input: '{"city":"Z\u00fcrich"}' },
        ],
        finish: "tool_calls",
        usage: usage(5, 4),
      };
    default:
      return {
        ...none,
        content: "I will add.",
        reasoning: "",
        calls: [{ id: "toolu_1", type: "function", name: "add", input: '{"a":1}' }],
        finish: "tool_calls",
        usage: usage(0, 0),
      };
  }
}

Deno.test("createResponsesReply() never ends a cut stream normally", () => {
  const bytes = fixture("chat_parallel_tools");
  const finishAt = new TextDecoder().decode(bytes).indexOf('"finish_reason":"tool_calls"');
  for (let length = 0; length < finishAt; length++) {
    const events = objectsOf(replay(translator(), [bytes.subarray(0, length)]));
    assert.deepEqual(events.slice(-2).map((event) => event.type), ["error", "response.failed"]);
    assert.equal(events.at(-1).response.error.code, "incomplete_stream");
    assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, index) => index));
  }
});

Deno.test("createResponsesReply() takes a stream without [DONE] for whole once it has a finish reason", () => {
  const text = new TextDecoder().decode(fixture("chat_text")).replace("data: [DONE]\n\n", "");
  const stream = translator();
  assert.equal(objectsOf(replay(stream, [new TextEncoder().encode(text)])).at(-1).type, "response.completed");
  assert.equal(stream.ended, "completed");
});

const ENDS = [
  ["stop", "response.completed", undefined],
  ["tool_calls", "response.completed", undefined],
  ["length", "response.incomplete", "max_output_tokens"],
  ["content_filter", "response.incomplete", "content_filter"],
  ["error", "response.failed", undefined],
] as const;

for (const [finish, type, reason] of ENDS) {
  Deno.test(`createResponsesReply() ends with ${type} when the finish reason is ${finish}`, () => {
    const reply = createResponsesReply(IDENTITY);
    const out = reply.push({ choices: [{ index: 0, delta: { content: "x" } }] }) +
      reply.push({ choices: [{ index: 0, delta: {}, finish_reason: finish }] }) + reply.sentinel();
    const last = objectsOf(out).at(-1);
    assert.equal(last.type, type);
    assert.equal(last.response.incomplete_details?.reason, reason);
    assert.equal(reply.push({ choices: [{ index: 0, delta: { content: "late" } }] }), "");
    assert.equal(reply.fail(ownFailure("connection_lost")), "");
  });
}

Deno.test("createResponsesReply() tells an error inside the stream as error and response.failed", () => {
  const stream = translator();
  const events = objectsOf(replay(stream, [fixture("chat_error")]));
  assert.deepEqual(events.slice(-2).map((event) => event.type), ["error", "response.failed"]);
  assert.equal(events.at(-1).response.id, "resp_test");
  assert.equal(stream.ended, "failed");
});

Deno.test("createResponsesReply() tells refusals, custom tool calls and citations", () => {
  const reply = createResponsesReply(IDENTITY);
  const annotation = {
    type: "url_citation",
    url_citation: { url: "https://e.x", title: "t", start_index: 0, end_index: 2 },
  };
  const call = { index: 0, id: "call_A", type: "custom", custom: { name: "sql", input: "SELECT" } };
  reply.push({ choices: [{ index: 0, delta: { content: "Hi" } }] });
  reply.push({ choices: [{ index: 0, delta: { annotations: [annotation] } }] });
  reply.push({ choices: [{ index: 0, delta: { refusal: "No." } }] });
  reply.push({ choices: [{ index: 0, delta: { tool_calls: [call] }, finish_reason: "tool_calls" }] });
  assert.deepEqual(objectsOf(reply.sentinel()).at(-1).response.output, [
    {
      id: "msg_test_0",
      type: "message",
      status: "completed",
      role: "assistant",
      content: [
        {
          type: "output_text",
          text: "Hi",
          annotations: [{
            type: "url_citation",
            url: "https://e.x",
            title: "t",
            start_index: 0,
            end_index: 2,
          }],
          logprobs: [],
        },
        { type: "refusal", refusal: "No." },
      ],
    },
    {
      id: "ctc_test_1",
      type: "custom_tool_call",
      status: "completed",
      call_id: "call_A",
      name: "sql",
      input: "SELECT",
    },
  ]);
});

Deno.test("chatCompletionToResponse() reads a completion, also one spread over choices", () => {
  const collected = chatCompletionToResponse({
    model: "claude",
    choices: [
      { index: 0, message: { role: "assistant", content: "I will add." }, finish_reason: "tool_calls" },
      {
        index: 1,
        message: {
          role: "assistant",
          content: null,
          tool_calls: [
            { id: "a", type: "function", function: { name: "f", arguments: "1" } },
            { id: "b", type: "function", function: { name: "f", arguments: "2" } },
          ],
        },
        finish_reason: "tool_calls",
      },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 2 },
  }, IDENTITY);
  assert.equal(collected.kind, "response");
  assert.equal(collected.response["model"], "claude");
  const output = collected.response["output"] as { type: string; call_id?: string; arguments?: string }[];
  assert.deepEqual(output.map((item) => [item.type, item.call_id, item.arguments]), [
    ["message", undefined, undefined],
    ["function_call", "a", "1"],
    ["function_call", "b", "2"],
  ]);
});

const BAD_DOCUMENTS = [
  ["an error", { error: { message: "M.", code: "rate_limited" } }, "rate_limited"],
  ["no choices", { choices: [] }, "unreadable_stream"],
  ["another dialect", { object: "response", output: [] }, "unreadable_stream"],
  [
    "the finish reason error",
    { choices: [{ message: { content: "x" }, finish_reason: "error" }] },
    "server_error",
  ],
] as const;

for (const [what, document, code] of BAD_DOCUMENTS) {
  Deno.test(`chatCompletionToResponse() fails for a document with ${what}`, () => {
    const collected = chatCompletionToResponse(document, IDENTITY);
    assert.equal(collected.kind, "failed");
    assert.equal(collected.error.code, code);
  });
}

// The members that the reference requires of each event; the types make every list complete.
type Required<T> = { [K in keyof T as object extends Pick<T, K> ? never : K]: true };
type Event<Type extends string> = Required<Extract<OpenAI.Responses.ResponseStreamEvent, { type: Type }>>;
const delta = { delta: true, item_id: true, output_index: true, sequence_number: true, type: true } as const;
const MEMBERS = {
  "response.created": { response: true, sequence_number: true, type: true } satisfies Event<
    "response.created"
  >,
  "response.in_progress": { response: true, sequence_number: true, type: true } satisfies Event<
    "response.in_progress"
  >,
  "response.completed": { response: true, sequence_number: true, type: true } satisfies Event<
    "response.completed"
  >,
  "response.failed": { response: true, sequence_number: true, type: true } satisfies Event<"response.failed">,
  "error": { code: true, message: true, param: true, sequence_number: true, type: true } satisfies Event<
    "error"
  >,
  "response.output_item.added": {
    item: true,
    output_index: true,
    sequence_number: true,
    type: true,
  } satisfies Event<"response.output_item.added">,
  "response.output_item.done": {
    item: true,
    output_index: true,
    sequence_number: true,
    type: true,
  } satisfies Event<"response.output_item.done">,
  "response.content_part.added": {
    content_index: true,
    item_id: true,
    output_index: true,
    part: true,
    sequence_number: true,
    type: true,
  } satisfies Event<"response.content_part.added">,
  "response.content_part.done": {
    content_index: true,
    item_id: true,
    output_index: true,
    part: true,
    sequence_number: true,
    type: true,
  } satisfies Event<"response.content_part.done">,
  "response.output_text.delta": { ...delta, content_index: true, logprobs: true } satisfies Event<
    "response.output_text.delta"
  >,
  "response.output_text.done": {
    text: true,
    item_id: true,
    output_index: true,
    sequence_number: true,
    type: true,
    content_index: true,
    logprobs: true,
  } satisfies Event<"response.output_text.done">,
  "response.reasoning_summary_part.added": {
    summary_index: true,
    item_id: true,
    output_index: true,
    part: true,
    sequence_number: true,
    type: true,
  } satisfies Event<"response.reasoning_summary_part.added">,
  "response.reasoning_summary_part.done": {
    summary_index: true,
    item_id: true,
    output_index: true,
    part: true,
    sequence_number: true,
    type: true,
  } satisfies Event<"response.reasoning_summary_part.done">,
  "response.reasoning_summary_text.delta": { ...delta, summary_index: true } satisfies Event<
    "response.reasoning_summary_text.delta"
  >,
  "response.reasoning_summary_text.done": {
    text: true,
    item_id: true,
    output_index: true,
    sequence_number: true,
    type: true,
    summary_index: true,
  } satisfies Event<"response.reasoning_summary_text.done">,
  "response.function_call_arguments.delta": delta satisfies Event<"response.function_call_arguments.delta">,
  "response.function_call_arguments.done": {
    arguments: true,
    item_id: true,
    output_index: true,
    sequence_number: true,
    type: true,
  } satisfies Event<"response.function_call_arguments.done">,
} as const;

Deno.test("createResponsesReply() gives every event the members that the reference requires", () => {
  const seen = new Set<string>();
  for (const name of [...FIXTURES, "chat_error"]) {
    for (const event of objectsOf(replay(translator(), [fixture(name)]))) {
      const members = MEMBERS[event.type as keyof typeof MEMBERS];
      assert.ok(members, `${event.type} is not in the list`);
      for (const member of Object.keys(members)) assert.ok(member in event, `${event.type} lacks ${member}`);
      seen.add(event.type);
    }
  }
  assert.deepEqual([...seen].sort(), Object.keys(MEMBERS).sort());
});

Deno.test("createResponsesReply() keeps input that comes before its call has a name", () => {
  const reply = createResponsesReply(IDENTITY);
  const piece = (call: object): string =>
    reply.push({ choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...call }] } }] });
  piece({ function: { arguments: '{"a"' } });
  piece({ id: "call_A", function: { name: "add", arguments: ":" } });
  piece({ function: { arguments: "1}" } });
  const [call] = objectsOf(reply.sentinel()).at(-1).response.output;
  assert.deepEqual([call.call_id, call.name, call.arguments], ["call_A", "add", '{"a":1}']);
});
