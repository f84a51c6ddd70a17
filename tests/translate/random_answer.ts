/** Random answers, and the event streams of both upstream dialects that can tell them. */
import fc from "fast-check";
import type { JsonObject } from "../../src/wire/json.ts";

/** A call that an answer makes. */
export interface Call {
  readonly tool: "function" | "custom";
  readonly id: string;
  readonly name: string;
  /** In the pieces in which it streams. */
  readonly input: readonly string[];
}

/** An event stream, and what a client of Chat Completions has to be told of it. */
export interface RandomStream {
  readonly events: readonly JsonObject[];
  readonly text: string;
  readonly refusal: string;
  readonly reasoning: string;
  readonly calls: readonly {
    readonly id: string;
    readonly name: string;
    readonly type: string;
    readonly input: string;
  }[];
  readonly usage: {
    readonly input: number;
    readonly cached: number;
    readonly output: number;
    readonly reasoning: number;
  } | undefined;
  readonly end: "completed" | "max_output_tokens" | "content_filter" | "failed" | "error" | "cut";
}

const piece = fc.string({ unit: "grapheme", minLength: 1, maxLength: 6 });
const pieces = fc.array(piece, { minLength: 1, maxLength: 4 });
const name = fc.stringMatching(/^[a-z_]{1,8}$/);

/** How a stream tells a text: its deltas, the whole text after them, the finished item. At least one of them is whole. */
interface Forms {
  readonly deltas: "all" | "first" | "none";
  readonly whole: boolean;
  readonly item: boolean;
}

const forms: fc.Arbitrary<Forms> = fc.record({
  deltas: fc.constantFrom("all" as const, "first" as const, "none" as const),
  whole: fc.boolean(),
  item: fc.boolean(),
}).filter(({ deltas, whole, item }) => deltas === "all" || whole || item);

const item = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("message" as const),
      parts: fc.array(fc.record({ of: fc.constantFrom("text" as const, "refusal" as const), pieces }), {
        minLength: 1,
        maxLength: 3,
      }),
      forms,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("reasoning" as const),
      parts: fc.array(pieces, { minLength: 1, maxLength: 2 }),
      forms,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("call" as const),
      tool: fc.constantFrom("function" as const, "custom" as const),
      name,
      // An empty input is one too.
      input: fc.array(piece, { maxLength: 4 }),
      forms,
      added: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("search" as const) }) },
);

type Item = typeof item extends fc.Arbitrary<infer Value> ? Value : never;

const usage = fc.record({ input: fc.nat(), cached: fc.nat(), output: fc.nat(), reasoning: fc.nat() });
const end: fc.Arbitrary<RandomStream["end"]> = fc.oneof(
  { weight: 3, arbitrary: fc.constant("completed" as const) },
  { weight: 2, arbitrary: fc.constantFrom("max_output_tokens" as const, "content_filter" as const) },
  { weight: 3, arbitrary: fc.constantFrom("failed" as const, "error" as const, "cut" as const) },
);

/**
 * A random Responses stream: several messages, refusals, reasoning, parallel calls whose events are interleaved, forms
 * left out, and every kind of end. The final output is empty or whole.
 */
export const randomResponsesStream: fc.Arbitrary<RandomStream> = fc.record({
  items: fc.array(item, { maxLength: 6 }),
  order: fc.array(fc.nat({ max: 1000 }), { maxLength: 40 }),
  usage: fc.option(usage, { nil: undefined }),
  end,
  finalOutput: fc.boolean(),
}).map(({ items, order, usage, end, finalOutput }) => {
  const tracks = items.map((item, index) => eventsOf(item, index));
  const merged = interleave(tracks, items, order);
  // Places are given in the order in which items begin.
  const places = new Map<number, number>();
  for (const { item } of merged) if (!places.has(item)) places.set(item, places.size);
  const events: JsonObject[] = [
    {
      type: "response.created",
      response: { id: "resp_x", object: "response", status: "in_progress", output: [] },
    },
    ...merged.map(({ item, event }) => ({ ...event, output_index: places.get(item) })),
  ];
  // Searches are left out, so that positions here are not those of the events.
  const output = [...places.keys()].filter((index) => items[index]?.kind !== "search")
    .map((index) => wholeItem(items[index], index));
  const response = {
    id: "resp_x",
    object: "response",
    output: finalOutput ? output : [],
    ...(usage === undefined ? {} : { usage: responsesUsage(usage) }),
  };
  events.push(...endOf(end, response));
  const begun = [...places.keys()].map((index) => ({ item: items[index], index }));
  return {
    events,
    end,
    usage,
    text: begun.flatMap(({ item }) => textOf(item, "text")).join("\n\n"),
    refusal: begun.flatMap(({ item }) => textOf(item, "refusal")).join(""),
    reasoning: begun.flatMap(({ item }) =>
      item?.kind === "reasoning" ? item.parts.map((one) => one.join("")) : []
    )
      .join("\n\n"),
    calls: begun.flatMap(({ item, index }) =>
      item?.kind === "call"
        ? [{ id: `call_${index}`, name: item.name, type: item.tool, input: item.input.join("") }]
        : []
    ),
  };
});

function textOf(item: Item | undefined, of: "text" | "refusal"): string[] {
  if (item?.kind !== "message") return [];
  const told = item.parts.filter((part) => part.of === of).flatMap((part) => part.pieces).join("");
  return told === "" ? [] : [told];
}

function endOf(end: RandomStream["end"], response: JsonObject): JsonObject[] {
  switch (end) {
    case "completed":
      return [{ type: "response.completed", response: { ...response, status: "completed" } }];
    case "max_output_tokens":
    case "content_filter":
      return [{
        type: "response.incomplete",
        response: { ...response, status: "incomplete", incomplete_details: { reason: end } },
      }];
    case "failed":
      return [{
        type: "response.failed",
        response: { ...response, status: "failed", error: { code: "server_error", message: "No." } },
      }];
    case "error":
      return [{ type: "error", code: "server_error", message: "No.", param: null }];
    case "cut":
      return [];
  }
}

function responsesUsage(usage: NonNullable<RandomStream["usage"]>): JsonObject {
  return {
    input_tokens: usage.input,
    input_tokens_details: { cached_tokens: usage.cached },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: usage.input + usage.output,
  };
}

/** The item as it is in the end. */
function wholeItem(item: Item | undefined, index: number): JsonObject {
  switch (item?.kind) {
    case "message":
      return {
        type: "message",
        id: `msg_${index}`,
        role: "assistant",
        status: "completed",
        content: item.parts.map(({ of, pieces }) =>
          of === "text"
            ? { type: "output_text", text: pieces.join(""), annotations: [] }
            : { type: "refusal", refusal: pieces.join("") }
        ),
      };
    case "reasoning":
      return {
        type: "reasoning",
        id: `rs_${index}`,
        summary: item.parts.map((pieces) => ({ type: "summary_text", text: pieces.join("") })),
      };
    case "call": {
      const common = { id: `fc_${index}`, call_id: `call_${index}`, name: item.name, status: "completed" };
      return item.tool === "custom"
        ? { ...common, type: "custom_tool_call", input: item.input.join("") }
        : { ...common, type: "function_call", arguments: item.input.join("") };
    }
    default:
      return { type: "web_search_call", id: `ws_${index}`, status: "completed" };
  }
}

/** The events of one item, in their order. */
function eventsOf(item: Item, index: number): JsonObject[] {
  const done = { type: "response.output_item.done", item: wholeItem(item, index) };
  switch (item.kind) {
    case "message":
      return [
        {
          type: "response.output_item.added",
          item: { ...wholeItem(item, index), status: "in_progress", content: [] },
        },
        ...item.parts.flatMap(({ of, pieces }, part) =>
          textEvents(of === "text" ? "response.output_text" : "response.refusal", of, pieces, item.forms, {
            content_index: part,
          })
        ),
        ...(item.forms.item ? [done] : []),
      ];
    case "reasoning":
      return [
        { type: "response.output_item.added", item: { ...wholeItem(item, index), summary: [] } },
        ...item.parts.flatMap((pieces, part) =>
          textEvents("response.reasoning_summary_text", "text", pieces, item.forms, { summary_index: part })
        ),
        ...(item.forms.item ? [done] : []),
      ];
    case "call": {
      const member = item.tool === "custom" ? "input" : "arguments";
      const base = item.tool === "custom"
        ? "response.custom_tool_call_input"
        : "response.function_call_arguments";
      // A call that was not announced is only known by its last event.
      if (!item.added) return [done];
      return [
        {
          type: "response.output_item.added",
          item: { ...wholeItem(item, index), [member]: "", status: "in_progress" },
        },
        ...textEvents(base, member, item.input, item.forms, {}),
        ...(item.forms.item ? [done] : []),
      ];
    }
    case "search":
      return [
        { type: "response.output_item.added", item: wholeItem(item, index) },
        { type: "response.web_search_call.completed" },
        done,
      ];
  }
}

/** How many deltas a stream has. */
const DELTAS = { all: Infinity, first: 1, none: 0 } as const;

function textEvents(
  base: string,
  member: string,
  pieces: readonly string[],
  forms: Forms,
  place: JsonObject,
): JsonObject[] {
  return [
    ...pieces.slice(0, DELTAS[forms.deltas]).map((delta) => ({ type: `${base}.delta`, ...place, delta })),
    // A rest that only the finished item brings comes too late when other parts were told before it.
    ...(forms.whole || forms.deltas === "first"
      ? [{ type: `${base}.done`, ...place, [member]: pieces.join("") }]
      : []),
  ];
}

/** Merges the tracks. Calls and searches go on at the same time as anything; messages and reasoning take turns. */
function interleave(
  tracks: readonly JsonObject[][],
  items: readonly Item[],
  order: readonly number[],
): { item: number; event: JsonObject }[] {
  const rest = tracks.map((track) => [...track]);
  const merged: { item: number; event: JsonObject }[] = [];
  const isText = (index: number): boolean => ["message", "reasoning"].includes(items[index]?.kind ?? "");
  for (;;) {
    const open = rest.flatMap((track, index) => track.length > 0 ? [index] : []);
    const firstText = open.find(isText);
    const ready = open.filter((index) => !isText(index) || index === firstText);
    const chosen = ready[(order[merged.length] ?? 0) % Math.max(ready.length, 1)];
    const event = chosen === undefined ? undefined : rest[chosen]?.shift();
    if (chosen === undefined || event === undefined) return merged;
    merged.push({ item: chosen, event });
  }
}
