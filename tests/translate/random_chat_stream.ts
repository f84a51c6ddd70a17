/** Random Chat streams as upstreams send them, and what a client of Responses has to be told of them. */
import fc from "fast-check";
import type { JsonObject } from "../../src/wire/json.ts";

/** A stream of chunks, and what it says. */
export interface RandomChatStream {
  readonly chunks: readonly JsonObject[];
  readonly done: boolean;
  readonly text: string;
  readonly refusal: string;
  readonly reasoning: string;
  readonly calls: readonly {
    readonly id: string;
    readonly name: string;
    readonly type: string;
    readonly input: string;
  }[];
  readonly usage: { readonly input: number; readonly output: number } | undefined;
  readonly end: "completed" | "max_output_tokens" | "content_filter" | "failed";
}

const piece = fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 });
const call = fc.record({
  type: fc.constantFrom("function" as const, "custom" as const),
  name: fc.stringMatching(/^[a-z_]{1,8}$/),
  input: fc.array(piece, { maxLength: 4 }),
  /** Whether the first piece of the input comes before the name. */
  lateName: fc.boolean(),
});
const step = fc.oneof(
  fc.record({
    of: fc.constantFrom("content", "refusal", "reasoning_content", "reasoning_text"),
    text: piece,
  }),
  // The next piece of one of the calls.
  fc.record({ of: fc.constant("call"), chosen: fc.nat({ max: 100 }) }),
  fc.constant({ of: "noise" }),
);

type Call = typeof call extends fc.Arbitrary<infer Value> ? Value : never;

const ends = {
  stop: "completed",
  tool_calls: "completed",
  length: "max_output_tokens",
  content_filter: "content_filter",
  error: "failed",
} as const;

/** The random stream: parallel calls in pieces, answers spread over two choices, and every kind of end. */
export const randomChatStream: fc.Arbitrary<RandomChatStream> = fc.record({
  steps: fc.array(step, { maxLength: 12 }),
  calls: fc.array(call, { maxLength: 3 }),
  split: fc.boolean(),
  usage: fc.option(fc.record({ input: fc.nat(), output: fc.nat() }, { noNullPrototype: true }), {
    nil: undefined,
  }),
  finish: fc.constantFrom("stop", "tool_calls", "length", "content_filter", "error") as fc.Arbitrary<
    keyof typeof ends
  >,
  close: fc.constantFrom("done" as const, "done" as const, "eof" as const, "error" as const, "cut" as const),
}).map(({ steps, calls, split, usage, finish, close }) => {
  const told = { content: "", refusal: "", reasoning: "" };
  const begun: number[] = [];
  const rest = calls.map((call, index) => pieces(call, index));
  const deltas: { choice: number; delta: JsonObject }[] = [];

  function tellCall(index: number): void {
    const delta = rest[index]?.shift();
    if (delta === undefined) return;
    if ("id" in delta) begun.push(index);
    deltas.push({ choice: split ? 1 : 0, delta: { content: null, tool_calls: [delta] } });
  }

  for (const step of steps) {
    if ("chosen" in step) tellCall(step.chosen % Math.max(calls.length, 1));
    else if ("text" in step) {
      deltas.push({ choice: 0, delta: { role: "assistant", [step.of]: step.text } });
      if (step.of === "content" || step.of === "refusal") told[step.of] += step.text;
      else told.reasoning += step.text;
    } else deltas.push({ choice: 0, delta: { role: null, content: "", refusal: null } });
  }
  rest.forEach((track, index) => {
    while (track.length > 0) tellCall(index);
  });

  const head = { id: "x", object: "chat.completion.chunk", created: 5, model: "m" };
  const chunks: JsonObject[] = deltas.map(({ choice, delta }) => ({
    ...head,
    choices: [{ index: choice, delta, finish_reason: null }],
  }));
  chunks.unshift({ choices: null, copilot_references: [] }, { choices: [], prompt_filter_results: [] });
  if (close === "error") chunks.push({ error: { code: "model_overloaded", message: "No." } });
  if (close === "done" || close === "eof") {
    chunks.push({ ...head, choices: [{ index: 0, delta: {}, finish_reason: finish }] });
    if (usage !== undefined) chunks.push({ ...head, choices: [], usage: chatUsage(usage) });
  }
  return {
    chunks,
    done: close === "done",
    text: told.content,
    refusal: told.refusal,
    reasoning: told.reasoning,
    calls: begun.map((index) => ({
      id: `call_${index}`,
      name: calls[index]?.name ?? "",
      type: calls[index]?.type ?? "",
      input: calls[index]?.input.join("") ?? "",
    })),
    usage,
    end: close === "error" || close === "cut" ? "failed" : ends[finish],
  };
});

/** The pieces of a call: its id and name come once, with the first piece or right after it. */
function pieces({ type, name, input, lateName }: Call, index: number): JsonObject[] {
  const member = type === "custom" ? "input" : "arguments";
  const [first = "", ...others] = input;
  const named = (text: string): JsonObject => ({
    index,
    id: `call_${index}`,
    type,
    [type]: { name, [member]: text },
  });
  const further = (text: string): JsonObject => ({ index, [type]: { [member]: text } });
  return [...(lateName ? [further(first), named("")] : [named(first)]), ...others.map(further)];
}

function chatUsage({ input, output }: { input: number; output: number }): JsonObject {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}
