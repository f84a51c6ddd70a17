import assert from "node:assert/strict";
import type { Turn } from "../../src/sandbox/contract.ts";
import { planTurn } from "../../src/sandbox/engine.ts";
import {
  responseObject,
  type ResponsesAnswer,
  responsesEvents,
  responsesFrames,
  type ResponsesStyle,
} from "../../src/sandbox/responses_wire.ts";

const STYLE: ResponsesStyle = {
  ids: "prefixed",
  terminalOutput: "filled",
  phase: false,
  summary: true,
  encryptedContent: "cipher",
  createdAt: 1_800_000_000,
  responseMembers: { store: false },
  usageMembers: { num_sources_used: 0 },
};

function answerTo(
  text: string,
  style: Partial<ResponsesStyle> = {},
  turn: Partial<Turn> = {},
): ResponsesAnswer {
  const plan = planTurn({
    model: "sim-1",
    instructions: [],
    messages: [{ role: "user", text, images: 0 }],
    tools: [{ name: "get_time", parameters: { type: "object", properties: { zone: { type: "string" } } } }],
    toolResults: [],
    toolChoice: "auto",
    parallelToolCalls: true,
    reasoning: true,
    schema: undefined,
    ...turn,
  });
  return { plan, model: "sim-1", style: { ...STYLE, ...style } };
}

/** Every id of responses and items in an event, wherever it stands. */
function idsIn(value: unknown): string[] {
  return JSON.stringify(value).match(/"(?:id|item_id)":"([^"]+)"/g) ?? [];
}

Deno.test("responsesEvents() and responseObject() give the same response", () => {
  const answer = answerTo("Hi");
  const last = [...responsesEvents(answer)].at(-1);
  assert.deepEqual(last?.["response"], responseObject(answer));
  const { id, created_at, output, store, usage } = responseObject(answer);
  assert.match(String(id), /^resp_/);
  assert.deepEqual([created_at, store], [1_800_000_000, false]);
  assert.match(JSON.stringify(usage), /"num_sources_used":0/);
  assert.match(JSON.stringify(output), /"type":"reasoning".*"encrypted_content":"cipher".*"type":"message"/);
});

Deno.test("responsesEvents() announces announced calls as a message before the call", () => {
  const events = [...responsesEvents(answerTo("announce it: get_time"))];
  const added = events.filter((event) => event.type === "response.output_item.added");
  assert.match(JSON.stringify(added.map((event) => event["output_index"])), /\[0,1,2\]/);
  assert.match(JSON.stringify(added), /"type":"reasoning".*"type":"message".*"type":"function_call"/);
});

Deno.test("responsesEvents() names responses and items after a UUID in the style of xAI", () => {
  const events = [...responsesEvents(answerTo("get_time", { ids: "uuid" }))];
  const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}";
  assert.match(JSON.stringify(events[0]), new RegExp(`"id":"${uuid}"`));
  assert.match(JSON.stringify(events[2]), new RegExp(`"id":"rs_${uuid}"`));
  assert.match(JSON.stringify(events.at(-1)), /"call_id":"call_\d{8}"/);
});

Deno.test("responsesEvents() never repeats an id in rotating style, but keeps call ids", () => {
  const events = [...responsesEvents(answerTo("get_time", { ids: "rotating" }))];
  const ids = events.flatMap(idsIn);
  assert.ok(ids.length >= events.length);
  assert.equal(new Set(ids).size, ids.length);
  const callIds = JSON.stringify(events).match(/"call_id":"[^"]+"/g) ?? [];
  assert.ok(callIds.length >= 3);
  assert.equal(new Set(callIds).size, 1);
});

Deno.test("responsesEvents() leaves out what was not asked for", () => {
  const events = [...responsesEvents(answerTo("Hi", {
    summary: false,
    encryptedContent: undefined,
    terminalOutput: "empty",
  }))];
  assert.ok(!events.some((event) => event.type.startsWith("response.reasoning_summary")));
  const item = JSON.stringify(events.find((event) => event.type === "response.output_item.done"));
  assert.match(item, /"type":"reasoning","summary":\[\]\}/);
  assert.match(JSON.stringify(events.at(-1)), /"output":\[\]/);
});

Deno.test("responsesFrames() numbers events, with and without event lines", () => {
  const frame = responsesFrames({ eventLines: true });
  assert.equal(
    frame({ type: "a", x: "\n" }),
    'event: a\ndata: {"type":"a","sequence_number":0,"x":"\\n"}\n\n',
  );
  assert.equal(frame({ type: "b" }), 'event: b\ndata: {"type":"b","sequence_number":1}\n\n');
  assert.equal(
    responsesFrames({ eventLines: false })({ type: "a" }),
    'data: {"type":"a","sequence_number":0}\n\n',
  );
});
