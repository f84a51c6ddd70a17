/**
 * Model calls of the simulated Copilot API: Chat Completions and Responses, streamed and not, with the habits of the
 * providers behind it.
 *
 * Source: facts page github-copilot, sections 6, 9, 10 and 11.
 *
 * @module
 */
import { parseChatRequest } from "./chat_request.ts";
import {
  chatChunk,
  chatDialect,
  type ChatEvent,
  chatEvents,
  type ChatHead,
  type ChatStyle,
  DONE,
  encodeChatCompletion,
  printChatEvent,
} from "./chat_wire.ts";
import type { Fault, Plan, SandboxContext, Turn } from "./contract.ts";
import { copilotError, copilotText, invalidBody, MODEL_OVERLOADED } from "./copilot_errors.ts";
import type { CopilotModel } from "./copilot_models.ts";
import { elementsOf, type Members, membersOf } from "./members.ts";
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

/** A call that was let in, of a model that lives at the endpoint. */
export interface CopilotCall {
  readonly model: CopilotModel;
  readonly body: Members;
  /** True when the client announced images (`Copilot-Vision-Request: true`). */
  readonly announcesImages: boolean;
  /** A fault of streams that still has to strike. */
  readonly fault: Fault["kind"] | undefined;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  /** The plan with what the account's prompt cache has of the turn. */
  readonly withCache: (plan: Plan, turn: Turn) => Plan;
}

const MAX_TOOLS = 128;

/** Marks the sandbox's own reasoning ciphertexts; others cannot be verified. */
const ENCRYPTED_PREFIX = "copilot-sandbox-reasoning-";

/** Answers `POST /chat/completions`. A refusal has a status of 400 or more. */
export function answerCopilotChat(ctx: SandboxContext, call: CopilotCall): Response {
  const { model, body, fault } = call;
  const parsed = parseChatRequest(body);
  if (parsed.kind === "wrong") {
    return invalidBody(parsed.problems[0]?.message ?? "", parsed.problems[0]?.param ?? null);
  }
  const { turn, stream, effort, images } = parsed.request;
  if (model.refusesMaxTokens && isGiven(body["max_tokens"])) {
    return invalidBody(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      "max_tokens",
    );
  }
  const refusal = refusedByModel(call, images, turn.tools.length, effort, "reasoning_effort");
  if (refusal !== undefined) return refusal;
  const reasoning = model.efforts.length > 0 && (effort ?? model.defaultEffort ?? "none") !== "none";
  const plan = call.withCache(ctx.planTurn({ ...turn, reasoning }), turn);
  const head: ChatHead = {
    id: `chatcmpl-${plan.digest.slice(0, 29)}`,
    model: model.id,
    created: Math.floor(ctx.now() / 1000),
    systemFingerprint: `fp_${plan.digest.slice(0, 10)}`,
    callIds: plan.toolCalls.map((_, index) =>
      `call_${plan.digest.slice(0, 22)}${String(index).padStart(2, "0")}`
    ),
  };
  const isClaude = model.vendor === "Anthropic";
  const isGemini = model.vendor === "Google";
  const style: ChatStyle = {
    objectMember: false,
    finishKey: false,
    reasoningMember: isClaude ? "reasoning_text" : null,
    wholeToolCalls: false,
    reasoningOutsideCompletion: false,
    promptFilterFirst: model.vendor === "Azure OpenAI",
    splitChoices: isClaude && ctx.switches().copilot.splitChoices,
    callsFinish: isGemini ? "stop" : "tool_calls",
    callExtras: isGemini ? { thought_signature: `sig-${plan.digest}` } : {},
    emptyContent: null,
    usageExtras: {},
    besideUsage: { copilot_usage: copilotUsage(plan) },
  };
  if (fault?.type === "json_error_in_200") return Response.json({ error: MODEL_OVERLOADED });
  if (!stream && isClaude && turn.maxOutputTokens === 1) {
    return Response.json(anthropicMessage(plan, model.id));
  }
  if (!stream) return Response.json(encodeChatCompletion(plan, head, style));
  const bareError: ChatEvent = { data: { error: MODEL_OVERLOADED }, role: "other" };
  if (fault?.type === "overloaded_in_stream") {
    return answerStream(ctx, call, [{ kind: "event", event: bareError }], printChatEvent);
  }
  const dialect = chatDialect(head, style, {
    // The API's own finish reason: an answer that ended in an error.
    failed: [{ data: chatChunk(head, style, 0, {}, "error"), role: "finish" }, DONE],
    error: [bareError],
  });
  // Usage comes without being asked for.
  return answerStream(
    ctx,
    call,
    streamSteps(chatEvents(plan, head, style, true), fault, dialect),
    printChatEvent,
  );
}

/** The shape of Anthropic's own API, in which Claude models answer when they may say next to nothing (section 10). */
function anthropicMessage(plan: Plan, model: string): Members {
  const { inputTokens, cachedTokens } = plan.usage;
  return {
    id: `msg_${plan.digest.slice(0, 24)}`,
    type: "message",
    role: "assistant",
    model,
    content: [{ type: "text", text: plan.text[0] ?? "" }],
    stop_reason: "max_tokens",
    stop_sequence: null,
    usage: {
      input_tokens: inputTokens - cachedTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: cachedTokens,
      output_tokens: 1,
    },
  };
}

/** Answers `POST /responses`. A refusal has a status of 400 or more. */
export function answerCopilotResponses(ctx: SandboxContext, call: CopilotCall): Response {
  const { model, body, fault } = call;
  const parsed = parseResponsesRequest(body, {
    ...(model.defaultEffort === undefined ? {} : { defaultEffort: model.defaultEffort }),
    checkItemIds: false,
    checkItemMembers: false,
  });
  if (parsed.kind === "wrong") {
    const { message, param, code } = parsed.problems[0] ?? { message: "", param: null, code: null };
    return copilotError(400, { message, param, code, type: "invalid_request_error" });
  }
  if (isGiven(body["previous_response_id"])) {
    return copilotError(400, {
      message: `Previous response with id '${String(body["previous_response_id"])}' not found.`,
      code: "previous_response_not_found",
      param: "previous_response_id",
      type: "invalid_request_error",
    });
  }
  const { request } = parsed;
  const { turn } = request;
  if (request.replayedReasoning.some((text) => !text.startsWith(ENCRYPTED_PREFIX))) {
    return copilotError(400, {
      message: "The encrypted content could not be verified.",
      code: "invalid_encrypted_content",
      type: "invalid_request_error",
    });
  }
  const images = turn.messages.reduce((sum, message) => sum + message.images, 0);
  const refusal = refusedByModel(
    call,
    images,
    elementsOf(body["tools"]).length,
    request.effort,
    "reasoning.effort",
  );
  if (refusal !== undefined) return refusal;
  const plan = call.withCache(ctx.planTurn(turn), turn);
  const answer = describeAnswer(ctx, call, request, plan);
  if (fault?.type === "json_error_in_200") return Response.json({ error: MODEL_OVERLOADED });
  if (!request.stream) return Response.json({ ...responseObject(answer), copilot_usage: copilotUsage(plan) });
  const frame = responsesFrames({ eventLines: false });
  if (fault?.type === "overloaded_in_stream") {
    const event: ResponsesEvent = { type: "error", ...MODEL_OVERLOADED, param: null };
    return answerStream(ctx, call, [{ kind: "event", event }], frame);
  }
  const events = withCopilotUsage(responsesEvents(answer), plan);
  return answerStream(ctx, call, streamSteps(events, fault, responsesDialect(answer)), frame);
}

/** What the provider behind the model refuses. */
function refusedByModel(
  { model, announcesImages }: CopilotCall,
  images: number,
  tools: number,
  effort: string | undefined,
  effortParam: string,
): Response | undefined {
  if (images > 0 && !announcesImages) {
    return copilotText(
      400,
      "bad request: missing required Copilot-Vision-Request header for vision requests",
    );
  }
  if (images > 0 && !model.vision) {
    return invalidBody(`Model ${model.id} does not support images.`, "messages");
  }
  if (tools > MAX_TOOLS) {
    return invalidBody(`Invalid 'tools': array too long, at most ${MAX_TOOLS}.`, "tools");
  }
  if (effort !== undefined && !model.efforts.includes(effort)) {
    const legal = model.efforts.map((one) => `'${one}'`).join(", ");
    return invalidBody(
      legal === ""
        ? `Unsupported parameter: '${effortParam}' is not supported with this model.`
        : `Unsupported value: '${effortParam}' does not support '${effort}' with this model. Supported values: ${legal}.`,
      effortParam,
    );
  }
  return undefined;
}

function describeAnswer(
  ctx: SandboxContext,
  { model, body }: CopilotCall,
  request: ResponsesRequest,
  plan: Plan,
): ResponsesAnswer {
  const { turn, summary, effort, encryptedReasoning } = request;
  return {
    plan,
    model: model.id,
    style: {
      ids: ctx.switches().copilot.rotatingIds ? "rotating" : "prefixed",
      terminalOutput: "filled",
      phase: true,
      summary,
      encryptedContent: encryptedReasoning ? `${ENCRYPTED_PREFIX}${plan.digest}` : undefined,
      createdAt: Math.floor(ctx.now() / 1000),
      responseMembers: {
        parallel_tool_calls: turn.parallelToolCalls,
        tool_choice: body["tool_choice"] ?? "auto",
        tools: elementsOf(body["tools"]),
        text: { format: { type: "text" }, verbosity: "medium", ...membersOf(body["text"]) },
        reasoning: {
          context: "current_turn",
          effort: effort ?? null,
          mode: "standard",
          summary: summary ? "detailed" : null,
        },
        store: false,
        metadata: {},
        temperature: 1,
        top_p: 1,
        moderation: null,
        safety_identifier: null,
        tool_usage: { web_search: { num_requests: 0 } },
        prompt_cache_retention: "24h",
        service_tier: "default",
        previous_response_id: null,
      },
      usageMembers: {
        input_tokens_details: { cached_tokens: plan.usage.cachedTokens, cache_write_tokens: 0 },
      },
    },
  };
}

/** Adds the bill beside `response` in the event that ends an answer. */
function* withCopilotUsage(events: Iterable<ResponsesEvent>, plan: Plan): Generator<ResponsesEvent> {
  for (const event of events) {
    yield event.type === "response.completed" ? { ...event, copilot_usage: copilotUsage(plan) } : event;
  }
}

/** The bill: nano AI credits are the sum of count x cost / batch size. */
function copilotUsage({ usage }: Plan): Members {
  const batchSize = 1_000_000;
  const details = [
    {
      token_type: "input",
      token_count: usage.inputTokens - usage.cachedTokens,
      cost_per_batch: 175_000_000_000,
    },
    { token_type: "cache_read", token_count: usage.cachedTokens, cost_per_batch: 17_500_000_000 },
    { token_type: "output", token_count: usage.outputTokens, cost_per_batch: 1_400_000_000_000 },
  ];
  return {
    token_details: details.map((detail) => ({ ...detail, batch_size: batchSize })),
    total_nano_aiu: details.reduce((sum, one) => sum + one.token_count * one.cost_per_batch / batchSize, 0),
  };
}

function answerStream<Event>(
  ctx: SandboxContext,
  call: CopilotCall,
  steps: Iterable<StreamStep<Event>>,
  frame: (event: Event) => string,
): Response {
  return new Response(streamBody(steps, { frame, context: ctx, signal: call.signal }), {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" },
  });
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}
