import assert from "node:assert/strict";
import fc from "fast-check";
import { translationOf } from "../../src/translate/translation.ts";
import type { JsonObject } from "../../src/wire/json.ts";
import { foldChat } from "./chat_fold.ts";
import { randomResponsesStream, type RandomStream } from "./random_answer.ts";
import { replay, streamOf } from "./replay.ts";

/** Fixed, so that every run tries the same streams. */
const RUNS = { seed: 20261122, numRuns: 400 };

const CHAT = {
  stream: true,
  model: "m",
  nowS: 1,
  id: "chatcmpl-1",
  legacyFunctions: false,
  includeUsage: true,
};

Deno.test("random Responses streams keep text, calls, usage and end as a Chat stream", () => {
  fc.assert(
    fc.property(randomResponsesStream, fc.nat(), (random, cut) => {
      const told = foldChat(replay(chatOverResponses().stream(), cutAt(bytesOf(random.events), cut)));
      if (isFailure(random)) {
        assert.ok(told.error !== undefined && !told.done && told.finish === null, JSON.stringify(told));
        return;
      }
      assert.equal(told.error, undefined);
      assert.ok(told.done);
      assert.deepEqual(
        { text: told.content ?? "", refusal: told.refusal, reasoning: told.reasoning, calls: told.calls },
        { text: random.text, refusal: random.refusal, reasoning: random.reasoning, calls: random.calls },
      );
      assert.equal(told.finish, finishOf(random));
      assert.deepEqual(told.usage, usageOf(random));
    }),
    RUNS,
  );
});

Deno.test("random Responses streams are collected as they are streamed", async () => {
  await fc.assert(
    fc.asyncProperty(randomResponsesStream, async (random) => {
      const { signal } = new AbortController();
      const answer = await chatOverResponses().collect(streamOf(bytesOf(random.events)), signal);
      assert.equal(answer.kind === "failed", isFailure(random));
      if (answer.kind === "failed") return;
      // deno-lint-ignore no-explicit-any -- judged member by member
      const { choices: [{ message, finish_reason: finish }], usage } = answer.document as any;
      const calls = (message.tool_calls ?? []).map((call: JsonObject) => callOf(call));
      assert.deepEqual(
        {
          text: message.content ?? "",
          refusal: message.refusal ?? "",
          reasoning: message.reasoning_content ?? "",
          calls,
        },
        { text: random.text, refusal: random.refusal, reasoning: random.reasoning, calls: random.calls },
      );
      assert.equal(finish, finishOf(random));
      assert.deepEqual(usage, usageOf(random));
    }),
    RUNS,
  );
});

function chatOverResponses(): ReturnType<typeof translationOf> {
  return translationOf("chat", { dialect: "responses", strays: false }, CHAT);
}

function isFailure({ end }: RandomStream): boolean {
  return end === "failed" || end === "error" || end === "cut";
}

function finishOf({ end, calls }: RandomStream): string {
  if (end === "max_output_tokens") return "length";
  if (end === "content_filter") return "content_filter";
  return calls.length > 0 ? "tool_calls" : "stop";
}

function usageOf({ usage }: RandomStream): JsonObject | undefined {
  if (usage === undefined) return undefined;
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cached },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}

// deno-lint-ignore no-explicit-any -- judged member by member
function callOf({ id, type, function: called, custom }: any): JsonObject {
  return { id, name: (called ?? custom).name, type, input: called?.arguments ?? custom?.input };
}

function bytesOf(events: readonly JsonObject[]): Uint8Array<ArrayBuffer> {
  const text = events.map((event) => `event: ${event["type"]}\ndata: ${JSON.stringify(event)}\n\n`).join("");
  return new TextEncoder().encode(text);
}

function cutAt(bytes: Uint8Array, at: number): Uint8Array[] {
  const place = at % (bytes.length + 1);
  return [bytes.subarray(0, place), bytes.subarray(place)];
}
