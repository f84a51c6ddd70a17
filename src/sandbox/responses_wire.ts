/**
 * Writes a plan as a Responses answer: the event sequence of a stream, or the one object of an answer that is not
 * streamed. Requests are read in responses_request.ts.
 *
 * Source: the facts page on ChatGPT, sections 4.2 and 4.3; on Grok, section 8; on Copilot, section 11.
 *
 * @module
 */
import type { Plan } from "./contract.ts";
import { uuidOfDigest } from "./digest_id.ts";
import { elementsOf, isMembers, type Members, membersOf } from "./members.ts";
import type { StreamDialect } from "./stream_steps.ts";

/** One event before it is numbered and framed. */
export type ResponsesEvent = { readonly type: string; readonly [member: string]: unknown };

/** Where the upstreams and the requests differ in what an answer looks like. */
export interface ResponsesStyle {
  /**
   * `prefixed`: `resp_...`, `msg_...`, `call_...`. `uuid`: the response id is a bare UUID and items are named after it
   * (Grok). `rotating`: every event names other opaque ids for the same response and item; only `output_index` and
   * `call_id` can be relied on (Copilot).
   */
  readonly ids: "prefixed" | "uuid" | "rotating";
  /** Whether the terminal event repeats the items; ChatGPT mostly sends `[]`. */
  readonly terminalOutput: "filled" | "empty";
  /** Marks messages with `phase: "final_answer"`. */
  readonly phase: boolean;
  /** Streams the reasoning as a summary; without it the reasoning item has none. */
  readonly summary: boolean;
  /** Ciphertext that reasoning items carry, when the request included it. */
  readonly encryptedContent: string | undefined;
  /** Unix seconds. */
  readonly createdAt: number;
  /** Further members of every response object, e.g. echoes of the request. */
  readonly responseMembers: Members;
  /** Further members of `usage`. */
  readonly usageMembers: Members;
}

/** Everything that the functions here need to write one answer. */
export interface ResponsesAnswer {
  readonly plan: Plan;
  readonly model: string;
  readonly style: ResponsesStyle;
}

/** What an item streams between its `added` and its `done`: parts made of pieces, or nothing. */
interface Item {
  readonly index: number;
  readonly begun: Members;
  readonly done: Members;
  readonly inner: readonly ResponsesEvent[];
}

/** The events of a whole answer that goes well (which includes being cut by length or filter), without numbers. */
export function* responsesEvents(answer: ResponsesAnswer): Generator<ResponsesEvent> {
  const items = planItems(answer);
  const rename = answer.style.ids === "rotating"
    ? rotation(answer.plan.digest)
    : (event: ResponsesEvent) => event;
  for (const type of ["response.created", "response.in_progress"]) {
    yield rename({ type, response: responseMembers(answer, "in_progress", [], null) });
  }
  const calls = items.filter((item) => "call_id" in item.done);
  for (const item of items.filter((item) => !calls.includes(item))) yield* itemEvents(item).map(rename);
  yield* interleaved(calls.map(itemEvents)).map(rename);
  const status = answer.plan.finish === "stop" ? "completed" : "incomplete";
  const output = answer.style.terminalOutput === "filled" ? items.map((item) => item.done) : [];
  yield rename({
    type: `response.${status}`,
    response: responseMembers(answer, status, output, usage(answer)),
  });
}

/** The answer that is not streamed: the response object with all items. */
export function responseObject(answer: ResponsesAnswer): Members {
  const status = answer.plan.finish === "stop" ? "completed" : "incomplete";
  const output = planItems(answer).map((item) => item.done);
  return responseMembers(answer, status, output, usage(answer));
}

/**
 * How stream faults look in this dialect. The failure events are unnumbered; the failure's code is `server_error`.
 */
export function responsesDialect(answer: ResponsesAnswer): StreamDialect<ResponsesEvent> {
  const message = "An error occurred while processing your request.";
  const failed: ResponsesEvent = {
    type: "response.failed",
    response: { ...responseMembers(answer, "failed", [], null), error: { code: "server_error", message } },
  };
  return {
    isPiece: (event) => event.type === "response.output_text.delta",
    isLast: (event) => /^response\.(completed|incomplete|failed)$/.test(event.type),
    failed: [failed],
    incomplete: [{
      type: "response.incomplete",
      response: {
        ...responseMembers(answer, "incomplete", [], usage(answer)),
        incomplete_details: { reason: "max_output_tokens" },
      },
    }],
    error: [
      { type: "error", error: { type: "server_error", code: "server_error", message, param: null } },
      failed,
    ],
  };
}

/** The stream whose first events say that the upstream is overloaded. */
export function overloadedEvents(answer: ResponsesAnswer): readonly ResponsesEvent[] {
  const response = responseMembers(answer, "failed", [], null);
  const error = {
    code: "server_is_overloaded",
    message: "Our servers are currently overloaded. Please try again later.",
  };
  return [{ type: "response.failed", response: { ...response, error } }];
}

/**
 * Makes the function that turns events into SSE frames: it numbers them from 0 in `sequence_number`, and writes
 * `event:` lines unless told otherwise.
 */
export function responsesFrames(
  options: { readonly eventLines: boolean },
): (event: ResponsesEvent) => string {
  let next = 0;
  return ({ type, ...members }) => {
    const data = JSON.stringify({ type, sequence_number: next++, ...members });
    return `${options.eventLines ? `event: ${type}\n` : ""}data: ${data}\n\n`;
  };
}

function itemEvents({ index, begun, done, inner }: Item): readonly ResponsesEvent[] {
  return [
    { type: "response.output_item.added", output_index: index, item: begun },
    ...inner,
    { type: "response.output_item.done", output_index: index, item: done },
  ];
}

/** Parallel calls take turns event by event: who assumes that one ends before the next begins is found out. */
function interleaved(sequences: readonly (readonly ResponsesEvent[])[]): readonly ResponsesEvent[] {
  const rounds = Math.max(0, ...sequences.map((sequence) => sequence.length));
  return Array.from(
    { length: rounds },
    (_, round) => sequences.flatMap((sequence) => sequence.slice(round, round + 1)),
  )
    .flat();
}

function planItems({ plan, style }: ResponsesAnswer): readonly Item[] {
  const items: Item[] = [];
  if (plan.reasoning.length > 0) items.push(reasoningItem(plan, style, items.length));
  if (plan.text.length > 0 || plan.refusal.length > 0 || plan.toolCalls.length === 0) {
    items.push(messageItem(plan, style, items.length));
  }
  plan.toolCalls.forEach((call, order) => items.push(callItem(call, order, plan, style, items.length)));
  return items;
}

function reasoningItem(plan: Plan, style: ResponsesStyle, index: number): Item {
  const id = itemId("rs", plan, style, index);
  const at = { item_id: id, output_index: index, summary_index: 0 };
  const text = plan.reasoning.join("");
  const encrypted = style.encryptedContent === undefined ? {} : { encrypted_content: style.encryptedContent };
  const inner: ResponsesEvent[] = [
    { type: "response.reasoning_summary_part.added", ...at, part: { type: "summary_text", text: "" } },
    ...plan.reasoning.map((delta) => ({ type: "response.reasoning_summary_text.delta", ...at, delta })),
    { type: "response.reasoning_summary_text.done", ...at, text },
    { type: "response.reasoning_summary_part.done", ...at, part: { type: "summary_text", text } },
  ];
  return {
    index,
    begun: { id, type: "reasoning", summary: [], ...encrypted },
    done: {
      id,
      type: "reasoning",
      summary: style.summary ? [{ type: "summary_text", text }] : [],
      ...encrypted,
    },
    inner: style.summary ? inner : [],
  };
}

function messageItem(plan: Plan, style: ResponsesStyle, index: number): Item {
  const id = itemId("msg", plan, style, index);
  const at = { item_id: id, output_index: index, content_index: 0 };
  const isRefusal = plan.refusal.length > 0;
  const pieces = isRefusal ? plan.refusal : plan.text;
  const whole = pieces.join("");
  const part = (text: string) =>
    isRefusal
      ? { type: "refusal", refusal: text }
      : { type: "output_text", text, annotations: [], logprobs: [] };
  const type = isRefusal ? "response.refusal" : "response.output_text";
  const extra = isRefusal ? {} : { logprobs: [] };
  const item = (status: string, content: readonly Members[]) => ({
    id,
    type: "message",
    status,
    role: "assistant",
    content,
    ...(style.phase ? { phase: plan.toolCalls.length > 0 ? "commentary" : "final_answer" } : {}),
  });
  return {
    index,
    begun: item("in_progress", []),
    done: item(plan.finish === "stop" ? "completed" : "incomplete", [part(whole)]),
    inner: [
      { type: "response.content_part.added", ...at, part: part("") },
      ...pieces.map((delta) => ({ type: `${type}.delta`, ...at, delta, ...extra })),
      { type: `${type}.done`, ...at, [isRefusal ? "refusal" : "text"]: whole, ...extra },
      { type: "response.content_part.done", ...at, part: part(whole) },
    ],
  };
}

function callItem(
  call: Plan["toolCalls"][number],
  order: number,
  plan: Plan,
  style: ResponsesStyle,
  index: number,
): Item {
  const { type, prefix, member, event } = CALLS[call.freeform === true ? "custom" : "function"];
  const id = itemId(prefix, plan, style, index);
  const at = { item_id: id, output_index: index };
  const whole = call.fragments.join("");
  const item = (status: string, text: string) => ({
    id,
    type,
    status,
    call_id: callId(plan, style, order),
    name: call.name,
    [member]: text,
  });
  return {
    index,
    begun: item("in_progress", ""),
    done: item("completed", whole),
    inner: [
      ...call.fragments.map((delta) => ({ type: `${event}.delta`, ...at, delta })),
      { type: `${event}.done`, ...at, [member]: whole },
    ],
  };
}

/** How the two kinds of calls are spelt. */
const CALLS = Object.freeze({
  function: {
    type: "function_call",
    prefix: "fc",
    member: "arguments",
    event: "response.function_call_arguments",
  },
  custom: {
    type: "custom_tool_call",
    prefix: "ctc",
    member: "input",
    event: "response.custom_tool_call_input",
  },
});

function responseMembers(
  { plan, model, style }: ResponsesAnswer,
  status: "in_progress" | "completed" | "incomplete" | "failed",
  output: readonly Members[],
  usage: Members | null,
): Members {
  const reason = plan.finish === "content_filter" ? "content_filter" : "max_output_tokens";
  return {
    id: style.ids === "uuid" ? uuidOfDigest(plan.digest) : `resp_${plan.digest.slice(0, 48)}`,
    object: "response",
    created_at: style.createdAt,
    status,
    error: null,
    incomplete_details: status === "incomplete" ? { reason } : null,
    model,
    output,
    usage,
    ...style.responseMembers,
  };
}

function usage({ plan, style }: ResponsesAnswer): Members {
  const { inputTokens, cachedTokens, outputTokens, reasoningTokens } = plan.usage;
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
    ...style.usageMembers,
  };
}

function itemId(prefix: string, plan: Plan, style: ResponsesStyle, index: number): string {
  return style.ids === "uuid"
    ? `${prefix}_${uuidOfDigest(plan.digest)}${index === 0 ? "" : `_${index}`}`
    : `${prefix}_${plan.digest.slice(0, 46)}${String(index).padStart(2, "0")}`;
}

function callId(plan: Plan, style: ResponsesStyle, order: number): string {
  const number = parseInt(plan.digest.slice(-12), 16) + order;
  return style.ids === "uuid"
    ? `call_${String(number % 100_000_000).padStart(8, "0")}`
    : `call_${plan.digest.slice(0, 22)}${String(order).padStart(2, "0")}`;
}

/** Replaces the ids of response and items by other opaque ones in each event. */
function rotation(digest: string): (event: ResponsesEvent) => ResponsesEvent {
  let count = 0;
  const opaque = () => btoa(`${digest.slice(0, 24)}#${String(count++).padStart(6, "0")}`);
  return (event) => {
    const renamed: Record<string, unknown> = { ...event };
    for (const name of ["response", "item"]) {
      const value = event[name];
      if (!isMembers(value)) continue;
      const output = elementsOf(value["output"]).map((item) => ({ ...membersOf(item), id: opaque() }));
      renamed[name] = { ...value, id: opaque(), ...("output" in value ? { output } : {}) };
    }
    if ("item_id" in event) renamed["item_id"] = opaque();
    return { ...renamed, type: event.type };
  };
}
