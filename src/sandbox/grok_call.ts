/**
 * Model calls of the simulated xAI: Chat Completions and Responses, streamed and not, with the parameter rules of its
 * models.
 *
 * Source: facts page xai-grok, sections 8 to 10.
 *
 * @module
 */
import { parseChatRequest } from "./chat_request.ts";
import {
  chatDialect,
  type ChatEvent,
  chatEvents,
  type ChatHead,
  type ChatStyle,
  encodeChatCompletion,
  printChatEvent,
} from "./chat_wire.ts";
import type { Fault, Plan, SandboxContext, SandboxUser, Turn } from "./contract.ts";
import { uuidOfDigest } from "./digest_id.ts";
import {
  freeUsageExhausted,
  invalidArgument,
  SERVICE_UNAVAILABLE,
  undeserializable,
  unknownModel,
} from "./grok_errors.ts";
import { findGrokModel, type GrokModel } from "./grok_models.ts";
import { elementsOf, type Members, membersOf } from "./members.ts";
import type { PromptCache } from "./prompt_cache.ts";
import { parseResponsesRequest, type ResponsesRequest } from "./responses_request.ts";
import {
  responseObject,
  type ResponsesAnswer,
  responsesDialect,
  type ResponsesEvent,
  responsesEvents,
  responsesFrames,
} from "./responses_wire.ts";
import { streamBody } from "./stream_body.ts";
import { type StreamStep, streamSteps } from "./stream_steps.ts";

/** A call that was let in. */
export interface GrokCall {
  readonly user: SandboxUser;
  /** The parsed JSON of the body. */
  readonly body: unknown;
  /** The model that routes the call: the override header of the proxy, else the body's. */
  readonly model: unknown;
  /** A fault of streams that still has to strike. */
  readonly fault: Fault["kind"] | undefined;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  /** The header `x-grok-conv-id`, which leads to the cache of a conversation. */
  readonly conversation: string | null;
  /** Counts tokens of free plans, by `sub`. */
  readonly freeTokensUsed: Map<string, number>;
  readonly promptCache: PromptCache;
}

/** What a free plan may use before every call is refused. The real pool is a million in 24 hours; this one ends sooner. */
const FREE_TOKENS = 2_000;

/** Members that the Responses endpoint refuses whatever their value. */
const REFUSED_IN_RESPONSES: readonly string[] = Object.freeze([
  "previous_response_id",
  "prompt_cache_retention",
  "safety_identifier",
  "stream_options",
  "stop",
]);

/** Parameters that reasoning models refuse, and how the error spells them. */
const REFUSED_WHEN_REASONING: Readonly<Record<string, string>> = Object.freeze({
  presence_penalty: "presencePenalty",
  frequency_penalty: "frequencyPenalty",
  stop: "stop",
});

const UNSUPPORTED_TOOLS: readonly unknown[] = Object.freeze([
  "custom",
  "namespace",
  "tool_search",
  "local_shell",
  "apply_patch",
]);

/** Answers `POST /chat/completions`. */
export function answerGrokChat(ctx: SandboxContext, call: GrokCall): Response {
  const parsed = parseChatRequest(call.body);
  if (parsed.kind === "wrong") {
    const problem = parsed.problems.find((one) => one.kind === "shape") ?? parsed.problems[0];
    return problem?.kind === "rule"
      ? invalidArgument(problem.message)
      : undeserializable(problem?.param ?? "", problem?.message ?? "");
  }
  const { turn, stream, includeUsage, effort } = parsed.request;
  const model = findGrokModel(call.model);
  if (model === undefined) return unknownModel(call.model);
  const refusal = refusedParameter(model, membersOf(call.body), effort);
  if (refusal !== undefined) return invalidArgument(refusal);
  const planned = plan(ctx, call, model, turn, effort);
  if (planned instanceof Response) return planned;
  const head: ChatHead = {
    id: uuidOfDigest(planned.digest),
    model: model.id,
    created: Math.floor(ctx.now() / 1000),
    systemFingerprint: `fp_${planned.digest.slice(0, 10)}`,
    callIds: planned.toolCalls.map((_, index) => callId(planned, index)),
  };
  const style: ChatStyle = {
    objectMember: true,
    finishKey: false,
    reasoningMember: model.showsReasoning ? "reasoning_content" : null,
    wholeToolCalls: true,
    reasoningOutsideCompletion: true,
    promptFilterFirst: false,
    splitChoices: false,
    callsFinish: "tool_calls",
    callExtras: {},
    emptyContent: "",
    usageExtras: { num_sources_used: 0, cost_in_usd_ticks: planned.usage.outputTokens * 5_000 },
    besideUsage: {},
  };
  if (call.fault?.type === "json_error_in_200") return Response.json(SERVICE_UNAVAILABLE);
  if (!stream) return answerDocument(model, encodeChatCompletion(planned, head, style));
  const flat: ChatEvent = { data: SERVICE_UNAVAILABLE, role: "other" };
  if (call.fault?.type === "overloaded_in_stream") {
    return answerStream(ctx, call, model, [{ kind: "event", event: flat }], printChatEvent);
  }
  const nested: ChatEvent = { data: { error: STREAM_FAILURE }, role: "other" };
  const dialect = chatDialect(head, style, { failed: [nested], error: [flat] });
  const steps = streamSteps(chatEvents(planned, head, style, includeUsage), call.fault, dialect);
  return answerStream(ctx, call, model, steps, printChatEvent);
}

/** Answers `POST /responses`. */
export function answerGrokResponses(ctx: SandboxContext, call: GrokCall): Response {
  const body = membersOf(call.body);
  const model = findGrokModel(call.model);
  const parsed = parseResponsesRequest(call.body, {
    ...(model?.reasons === true ? { defaultEffort: model.defaultEffort ?? "high" } : {}),
    checkItemIds: false,
    checkItemMembers: false,
  });
  if (parsed.kind === "wrong") {
    const problem = parsed.problems[0];
    const deserializes = problem === undefined ||
      !/^(missing|invalid_type|invalid_value)/.test(problem.code ?? "");
    return deserializes
      ? invalidArgument(problem?.message ?? "")
      : undeserializable(problem.param ?? "", problem.message);
  }
  const { request } = parsed;
  const { turn, stream } = request;
  const unsupported = elementsOf(body["tools"]).map((tool) => membersOf(tool)["type"])
    .find((type) => UNSUPPORTED_TOOLS.includes(type));
  if (unsupported !== undefined) {
    return undeserializable("tools", `unknown variant \`${String(unsupported)}\``);
  }
  if (model === undefined) return unknownModel(call.model);
  const effort = membersOf(body["reasoning"])["effort"];
  const refusal = REFUSED_IN_RESPONSES.filter((name) => isGiven(body[name]))
    .map((name) => `Argument not supported: ${name}`)[0] ??
    (isGiven(body["tool_choice"]) && elementsOf(body["tools"]).length === 0
      ? "A tool_choice was set on the request but no tools were specified."
      : refusedParameter(model, body, typeof effort === "string" ? effort : undefined));
  if (refusal !== undefined) return invalidArgument(refusal);
  if (request.replayedReasoning.some((text) => !text.startsWith(ENCRYPTED_PREFIX))) {
    return invalidArgument("The encrypted content could not be decrypted.");
  }
  const planned = plan(ctx, call, model, turn, request.effort);
  if (planned instanceof Response) return planned;
  if (call.fault?.type === "json_error_in_200") return Response.json(SERVICE_UNAVAILABLE);
  const answer = describeAnswer(ctx, planned, model, request, body);
  if (!stream) return answerDocument(model, responseObject(answer));
  const frame = responsesFrames({ eventLines: true });
  if (call.fault?.type === "overloaded_in_stream") {
    const { code, error: message } = SERVICE_UNAVAILABLE;
    const event: ResponsesEvent = { type: "error", code, message, param: null };
    return answerStream(ctx, call, model, [{ kind: "event", event }], frame);
  }
  const steps = streamSteps(responsesEvents(answer), call.fault, responsesDialect(answer));
  return answerStream(ctx, call, model, steps, frame);
}

function describeAnswer(
  ctx: SandboxContext,
  planned: Plan,
  model: GrokModel,
  request: ResponsesRequest,
  body: Members,
): ResponsesAnswer {
  const { inputTokens, outputTokens } = planned.usage;
  return {
    plan: planned,
    model: model.id,
    style: {
      ids: "uuid",
      terminalOutput: "filled",
      phase: false,
      summary: request.summary || model.showsReasoning,
      encryptedContent: request.encryptedReasoning ? `${ENCRYPTED_PREFIX}${planned.digest}` : undefined,
      createdAt: Math.floor(ctx.now() / 1000),
      responseMembers: {
        parallel_tool_calls: request.turn.parallelToolCalls,
        tool_choice: body["tool_choice"] ?? "auto",
        tools: elementsOf(body["tools"]),
        text: body["text"] ?? { format: { type: "text" } },
        reasoning: { effort: request.effort ?? null, summary: request.summary ? "detailed" : null },
        store: body["store"] ?? true,
        metadata: {},
        temperature: body["temperature"] ?? null,
        top_p: body["top_p"] ?? null,
        previous_response_id: null,
      },
      usageMembers: {
        num_sources_used: 0,
        num_server_side_tools_used: 0,
        cost_in_usd_ticks: outputTokens * 5_000,
        context_details: { input_tokens: inputTokens, output_tokens: outputTokens },
      },
    },
  };
}

/** What the model itself refuses, as the error's sentence. */
function refusedParameter(model: GrokModel, body: Members, effort: string | undefined): string | undefined {
  if (effort !== undefined && model.efforts.length === 0) {
    return `Model ${model.id} does not support parameter reasoningEffort.`;
  }
  if (effort !== undefined && !model.efforts.includes(effort)) {
    return `Invalid reasoning effort '${effort}' for model ${model.id}. Supported values: ${
      model.efforts.join(", ")
    }.`;
  }
  if (!model.reasons) return undefined;
  const refused = Object.keys(REFUSED_WHEN_REASONING).find((name) => isGiven(body[name]));
  return refused === undefined
    ? undefined
    : `Argument not supported on this model: ${String(REFUSED_WHEN_REASONING[refused])}`;
}

/** Plans the answer, or refuses it because the free pool is empty. */
function plan(
  ctx: SandboxContext,
  call: GrokCall,
  model: GrokModel,
  turn: Turn,
  effort: string | undefined,
): Plan | Response {
  const { user, freeTokensUsed, promptCache } = call;
  const used = freeTokensUsed.get(user.xaiSubject) ?? 0;
  if (user.xaiTier === 0 && used >= FREE_TOKENS) return freeUsageExhausted(model.id, used, FREE_TOKENS);
  const asked = {
    ...turn,
    model: model.id,
    reasoning: model.reasons && (effort ?? model.defaultEffort) !== "none",
  };
  const cacheKey = call.conversation ?? membersOf(call.body)["prompt_cache_key"];
  const planned = promptCache.apply(ctx.planTurn(asked), asked, {
    account: user.xaiSubject,
    key: typeof cacheKey === "string" ? cacheKey : undefined,
  });
  freeTokensUsed.set(user.xaiSubject, used + planned.usage.inputTokens + planned.usage.outputTokens);
  return planned;
}

function answerDocument(model: GrokModel, document: Members): Response {
  return Response.json(document, { headers: callHeaders(model) });
}

function answerStream<Event>(
  ctx: SandboxContext,
  call: GrokCall,
  model: GrokModel,
  steps: Iterable<StreamStep<Event>>,
  frame: (event: Event) => string,
): Response {
  return new Response(streamBody(steps, { frame, context: ctx, signal: call.signal }), {
    headers: { ...callHeaders(model), "content-type": "text/event-stream", "cache-control": "no-cache" },
  });
}

function callHeaders(model: GrokModel): Readonly<Record<string, string>> {
  return {
    "x-grok-context-window": String(model.contextWindowTokens),
    "x-grok-max-completion-tokens": String(model.maxOutputTokens),
    "x-data-retention": "zdr",
    "x-zero-data-retention": "true",
  };
}

/** `call_` and eight digits, as xAI writes them. */
function callId(planned: Plan, index: number): string {
  const number = Number.parseInt(planned.digest.slice(-12), 16) + index;
  return `call_${String(number % 100_000_000).padStart(8, "0")}`;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** Marks the sandbox's own reasoning ciphertexts; others cannot be "decrypted". */
const ENCRYPTED_PREFIX = "xai-sandbox-reasoning-";

const STREAM_FAILURE = Object.freeze({
  message: "Internal error while generating the answer.",
  type: "server_error",
  param: null,
  code: "internal_error",
});
