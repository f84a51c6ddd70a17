/**
 * Writes a plan as Chat Completions: the chunks of a stream, or one completion. The API reference leaves room that
 * each upstream uses in its own way; those habits are a {@linkcode ChatStyle}.
 *
 * Sources: OpenAI's API reference, "The chat completion chunk object"; facts pages xai-grok section 8 and
 * github-copilot section 10.
 *
 * @module
 */
import type { Plan } from "./contract.ts";
import type { Members } from "./members.ts";
import type { StreamDialect } from "./stream_steps.ts";

/** The habits of one upstream and model. */
export interface ChatStyle {
  /** False: chunks lack `object` (Copilot). */
  readonly objectMember: boolean;
  /** True: chunks before the finish carry `finish_reason: null`. False: they have no such key (Grok). */
  readonly finishKey: boolean;
  /** Where visible reasoning goes; null hides it. */
  readonly reasoningMember: "reasoning_content" | "reasoning_text" | null;
  /** True: a tool call arrives in one chunk (Grok). False: its arguments arrive in fragments. */
  readonly wholeToolCalls: boolean;
  /** True: `completion_tokens` leaves reasoning out, and `total_tokens` adds it (Grok). */
  readonly reasoningOutsideCompletion: boolean;
  /** True: the stream starts with a chunk without id and choices that carries `prompt_filter_results` (Copilot). */
  readonly promptFilterFirst: boolean;
  /** True: text in choice 0, tool calls whole in choice 1 (Copilot's Claude models). */
  readonly splitChoices: boolean;
  /** The finish reason of an answer that calls tools; `stop` is seen at Copilot. */
  readonly callsFinish: "tool_calls" | "stop";
  /** Members that the upstream adds to a tool call where it begins. */
  readonly callExtras: Members;
  /** `content` of an answer that only calls tools: `""` (Grok) or null. */
  readonly emptyContent: "" | null;
  /** Members that the upstream adds to its `usage`. */
  readonly usageExtras: Members;
  /** Members that the upstream adds beside `usage`. */
  readonly besideUsage: Members;
}

/** What is the same in every chunk of one answer. */
export interface ChatHead {
  readonly id: string;
  readonly model: string;
  /** Unix seconds. */
  readonly created: number;
  readonly systemFingerprint: string;
  /** Ids of the plan's tool calls, in order. */
  readonly callIds: readonly string[];
}

/** One event of a stream. */
export interface ChatEvent {
  readonly data: Members | "[DONE]";
  /** `piece`: carries answer text. `finish`: the first that tells a finish reason. */
  readonly role: "piece" | "finish" | "other";
}

/** The events of a streamed answer, in order; usage comes after the finish when `withUsage`, `[DONE]` last. */
export function* chatEvents(
  plan: Plan,
  head: ChatHead,
  style: ChatStyle,
  withUsage: boolean,
): Generator<ChatEvent> {
  if (style.promptFilterFirst) {
    yield other({ choices: [], created: 0, id: "", prompt_filter_results: [PROMPT_FILTER] });
  }
  let role: Members = { role: "assistant" };
  const first = (delta: Members): Members => {
    const whole = { ...delta, ...role };
    role = {};
    return whole;
  };
  const chunk = (index: number, delta: Members) => chatChunk(head, style, index, first(delta));
  if (style.reasoningMember !== null) {
    for (const text of plan.reasoning) yield other(chunk(0, { [style.reasoningMember]: text }));
  }
  for (const text of plan.text) yield { data: chunk(0, { content: text }), role: "piece" };
  for (const text of plan.refusal) yield { data: chunk(0, { refusal: text }), role: "piece" };
  const callChoice = style.splitChoices ? 1 : 0;
  for (const [index, call] of plan.toolCalls.entries()) {
    const whole = style.wholeToolCalls || style.splitChoices;
    const start = {
      index,
      id: head.callIds[index],
      type: "function",
      function: { name: call.name, arguments: whole ? call.fragments.join("") : "" },
      ...style.callExtras,
    };
    yield other(chunk(callChoice, { tool_calls: [start] }));
    if (whole) continue;
    for (const fragment of call.fragments) {
      yield other(chunk(callChoice, { tool_calls: [{ index, function: { arguments: fragment } }] }));
    }
  }
  const reason = finishReason(plan, style);
  yield { data: chatChunk(head, style, 0, first({}), reason), role: "finish" };
  if (style.splitChoices && plan.toolCalls.length > 0) yield other(chatChunk(head, style, 1, {}, reason));
  if (withUsage) {
    const usage = { choices: [], usage: encodeUsage(plan, style), ...style.besideUsage };
    yield other({ ...chatChunk(head, style, 0, {}), ...usage });
  }
  yield DONE;
}

/**
 * How stream faults look in this dialect. A stream that is cut by length finishes in order; the documents of the other
 * two are the upstream's own.
 */
export function chatDialect(
  head: ChatHead,
  style: ChatStyle,
  failures: { readonly failed: readonly ChatEvent[]; readonly error: readonly ChatEvent[] },
): StreamDialect<ChatEvent> {
  return {
    isPiece: (event) => event.role === "piece",
    isLast: (event) => event.role === "finish",
    failed: failures.failed,
    incomplete: [{ data: chatChunk(head, style, 0, {}, "length"), role: "finish" }, DONE],
    error: failures.error,
  };
}

/** One `chat.completion.chunk` with one choice. */
export function chatChunk(
  head: ChatHead,
  style: ChatStyle,
  index: number,
  delta: Members,
  finish?: string,
): Members {
  const reason = finish ?? (style.finishKey ? null : undefined);
  return {
    id: head.id,
    ...(style.objectMember ? { object: "chat.completion.chunk" } : {}),
    created: head.created,
    model: head.model,
    choices: [{ index, delta, ...(reason === undefined ? {} : { finish_reason: reason }) }],
    system_fingerprint: head.systemFingerprint,
  };
}

/** The answer as one `chat.completion`. */
export function encodeChatCompletion(plan: Plan, head: ChatHead, style: ChatStyle): Members {
  const text = plan.text.join("");
  const reasoning = plan.reasoning.join("");
  const refusal = plan.refusal.join("");
  const calls = plan.toolCalls.map((call, index) => ({
    id: head.callIds[index],
    type: "function",
    function: { name: call.name, arguments: call.fragments.join("") },
    ...style.callExtras,
  }));
  const finish_reason = finishReason(plan, style);
  const message = {
    role: "assistant",
    content: text === "" ? style.emptyContent : text,
    ...(style.reasoningMember !== null && reasoning !== "" ? { [style.reasoningMember]: reasoning } : {}),
    refusal: refusal === "" ? null : refusal,
  };
  const choices = calls.length === 0 ? [{ index: 0, message, finish_reason }] : style.splitChoices
    ? [
      { index: 0, message, finish_reason },
      { index: 1, message: { role: "assistant", content: null, tool_calls: calls }, finish_reason },
    ]
    : [{ index: 0, message: { ...message, tool_calls: calls }, finish_reason }];
  return {
    id: head.id,
    ...(style.objectMember ? { object: "chat.completion" } : {}),
    created: head.created,
    model: head.model,
    choices,
    usage: encodeUsage(plan, style),
    ...style.besideUsage,
    system_fingerprint: head.systemFingerprint,
  };
}

/** The data-only server-sent event of `event`. */
export function printChatEvent({ data }: ChatEvent): string {
  return `data: ${data === "[DONE]" ? data : JSON.stringify(data)}\n\n`;
}

/** The event that ends a stream in order. */
export const DONE: ChatEvent = Object.freeze({ data: "[DONE]", role: "other" });

/** Azure's content filter verdict on the prompt, as Copilot forwards it. */
const PROMPT_FILTER = Object.freeze({
  prompt_index: 0,
  content_filter_results: Object.freeze({
    hate: Object.freeze({ filtered: false, severity: "safe" }),
    self_harm: Object.freeze({ filtered: false, severity: "safe" }),
    sexual: Object.freeze({ filtered: false, severity: "safe" }),
    violence: Object.freeze({ filtered: false, severity: "safe" }),
  }),
});

function other(data: Members): ChatEvent {
  return { data, role: "other" };
}

function finishReason(plan: Plan, style: ChatStyle): string {
  return plan.finish === "stop" && plan.toolCalls.length > 0 ? style.callsFinish : plan.finish;
}

function encodeUsage(plan: Plan, style: ChatStyle): Members {
  const { inputTokens, cachedTokens, outputTokens, reasoningTokens } = plan.usage;
  const completion = style.reasoningOutsideCompletion ? outputTokens - reasoningTokens : outputTokens;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: completion,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: {
      text_tokens: inputTokens,
      audio_tokens: 0,
      image_tokens: 0,
      cached_tokens: cachedTokens,
    },
    completion_tokens_details: {
      reasoning_tokens: reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
    ...style.usageExtras,
  };
}
