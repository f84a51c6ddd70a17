import assert from "node:assert/strict";
import fc from "fast-check";
import { translationOf } from "../../src/translate/translation.ts";
import { loadApiReference } from "../reference/api_reference.ts";
import { type RandomChatStream, randomChatStream } from "./random_chat_stream.ts";
import { objectsOf, replay, streamOf } from "./replay.ts";

const reference = await loadApiReference();

/** Fixed, so that every run tries the same streams. */
const RUNS = { seed: 20261122, numRuns: 300 };

const WISHES = {
  stream: true,
  model: "m",
  nowS: 1,
  id: "resp_1",
  legacyFunctions: false,
  includeUsage: true,
};

Deno.test("random Chat streams keep text, calls, usage and end as a Responses stream, in its deltas and its output", () => {
  fc.assert(
    fc.property(randomChatStream, fc.nat(), (random, cut) => {
      const bytes = bytesOf(random);
      const place = cut % (bytes.length + 1);
      const events = objectsOf(
        replay(responsesOverChat().stream(), [bytes.subarray(0, place), bytes.subarray(place)]),
      );
      assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, index) => index));
      const last = events.at(-1);
      if (random.end === "failed") {
        assert.equal(last.type, "response.failed");
        assert.equal(events.at(-2).type, "error");
        return;
      }
      const incomplete = random.end !== "completed";
      assert.equal(last.type, incomplete ? "response.incomplete" : "response.completed");
      assert.deepEqual(last.response.incomplete_details, incomplete ? { reason: random.end } : null);
      assert.deepEqual(toldBy(last.response.output), saidBy(random));
      assert.deepEqual(deltasOf(events), saidBy(random));
      const { usage } = last.response;
      assert.deepEqual(usage && { input: usage.input_tokens, output: usage.output_tokens }, random.usage);
    }),
    RUNS,
  );
});

Deno.test("random Chat streams are collected as they are streamed", async () => {
  await fc.assert(
    fc.asyncProperty(randomChatStream, async (random) => {
      const bytes = bytesOf(random);
      const { signal } = new AbortController();
      const answer = await responsesOverChat().collect(streamOf(bytes), signal);
      assert.equal(answer.kind === "failed", random.end === "failed");
      if (answer.kind === "failed") return;
      const { response } = objectsOf(replay(responsesOverChat().stream(), [bytes])).at(-1);
      assert.deepEqual(answer.document, response);
    }),
    RUNS,
  );
});

Deno.test("random Chat streams become valid events", () => {
  fc.assert(
    fc.property(randomChatStream, (random) => {
      const events = objectsOf(replay(responsesOverChat().stream(), [bytesOf(random)]));
      assert.deepEqual(events.flatMap((event) => reference.problems("responseEvent", event)), []);
    }),
    { ...RUNS, numRuns: 50 },
  );
});

function responsesOverChat(): ReturnType<typeof translationOf> {
  return translationOf("responses", { dialect: "chat", strays: false }, WISHES);
}

interface Said {
  text: string;
  refusal: string;
  reasoning: string;
  calls: { id: string; name: string; type: string; input: string }[];
}

function saidBy({ text, refusal, reasoning, calls }: RandomChatStream): Said {
  return { text, refusal, reasoning, calls: [...calls] };
}

// deno-lint-ignore no-explicit-any -- judged member by member
function toldBy(output: any[]): Said {
  const said: Said = { text: "", refusal: "", reasoning: "", calls: [] };
  for (const item of output) {
    for (const part of item.content ?? []) {
      said.text += part.text ?? "";
      said.refusal += part.refusal ?? "";
    }
    for (const part of item.summary ?? []) said.reasoning += part.text;
    if (item.call_id !== undefined) {
      const type = item.type === "custom_tool_call" ? "custom" : "function";
      said.calls.push({ id: item.call_id, name: item.name, type, input: item.input ?? item.arguments });
    }
  }
  return said;
}

/** What a client adds up that reads the deltas alone. */
// deno-lint-ignore no-explicit-any -- judged member by member
function deltasOf(events: any[]): Said {
  const said: Said = { text: "", refusal: "", reasoning: "", calls: [] };
  const calls = new Map<number, Said["calls"][number]>();
  for (const event of events) {
    if (event.type === "response.output_text.delta") said.text += event.delta;
    if (event.type === "response.refusal.delta") said.refusal += event.delta;
    if (event.type === "response.reasoning_summary_text.delta") said.reasoning += event.delta;
    if (event.type === "response.output_item.added" && event.item.call_id !== undefined) {
      const [call] = toldBy([event.item]).calls;
      if (call !== undefined) calls.set(event.output_index, call);
    }
    const call = calls.get(event.output_index);
    if (call !== undefined && /(?:arguments|input)\.delta$/.test(event.type)) call.input += event.delta;
  }
  return { ...said, calls: [...calls.values()] };
}

function bytesOf({ chunks, done }: RandomChatStream): Uint8Array<ArrayBuffer> {
  const text = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("");
  return new TextEncoder().encode(done ? `${text}data: [DONE]\n\n` : text);
}
