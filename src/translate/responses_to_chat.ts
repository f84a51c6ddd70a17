/**
 * The reply half for clients that speak Chat Completions: Responses events to chunks as they come, and a collected
 * response to a completion.
 *
 * @module
 */
import {
  chatAnnotation,
  chatChunk,
  chatCompletion,
  type ChatHead,
  chatUsageChunk,
  toolCall,
  toolCallInput,
  toolCallStart,
} from "../wire/chat.ts";
import { finiteNumber, type JsonObject, nonEmptyString } from "../wire/json.ts";
import { outputOf } from "../wire/responses.ts";
import { incompleteReason } from "../wire/responses_events.ts";
import { chatUsage, readResponsesUsage } from "../wire/token_usage.ts";
import { createAnswerReader } from "./answer_reader.ts";
import { createChunkReply } from "./chunk_reply.ts";
import type { AnsweredResponse } from "./collect_responses.ts";
import type { EventReply } from "./event_reply.ts";
import { finishReason } from "./finish_reason.ts";

/** What a Chat answer needs that the upstream may not tell, or that the client asked for. */
export interface ChatReplyOptions {
  /** The answer's id, `chatcmpl-...`. The upstream's own ids are of another kind, and Copilot changes them. */
  readonly id: string;
  /** Told when the upstream names no model. */
  readonly model: string;
  /** Told when the upstream names no time; unix seconds. */
  readonly nowS: number;
  /** Whether calls are told as `function_call`. The second and later ones, if any, are told as `tool_calls`. */
  readonly legacyFunctions: boolean;
}

/**
 * Makes the streaming reply half. `push` returns the event text for one upstream event, possibly empty: the role first,
 * pieces of text, refusal, reasoning (`reasoning_content`) and tool input as they come, then the finish reason, then
 * the usage if asked for, then `[DONE]`. A failed response becomes an error event and no `[DONE]`.
 */
export function createChatReply(options: ChatReplyOptions & { readonly includeUsage: boolean }): EventReply {
  return createChunkReply((sendChunk) => {
    let head: ChatHead = headOf({}, options);
    let begun = false;
    const tools: ("function" | "custom")[] = [];

    function send(delta: JsonObject, finish: string | null = null): void {
      if (!begun) {
        begun = true;
        // An answer that does not begin with text may have none at all, which Chat tells as null.
        send({ role: "assistant", content: "content" in delta ? "" : null, refusal: null });
      }
      sendChunk(chatChunk(head, delta, finish, options.includeUsage ? null : undefined));
    }

    function isLegacy(index: number): boolean {
      return options.legacyFunctions && index === 0 && tools[index] === "function";
    }

    return {
      response(response: JsonObject): void {
        if (!begun) head = headOf(response, options);
      },
      text: (text): void => send({ content: text }),
      refusal: (text): void => send({ refusal: text }),
      reasoning: (text): void => send({ reasoning_content: text }),
      call(index, call): void {
        tools[index] = call.tool;
        if (isLegacy(index)) send({ function_call: { name: call.name, arguments: "" } });
        else send({ tool_calls: [toolCallStart(index, call)] });
      },
      callInput(index, text): void {
        if (isLegacy(index)) send({ function_call: { arguments: text } });
        else send({ tool_calls: [toolCallInput(index, tools[index] ?? "function", text)] });
      },
      citation: (citation): void => send({ annotations: [chatAnnotation(citation)] }),
      finish(status, response, usage): void {
        const calls = tools.length === 0 ? "none" : isLegacy(0) ? "function_call" : "tool_calls";
        send({}, finishReason(status, incompleteReason(response), calls));
        if (options.includeUsage && usage !== undefined) {
          sendChunk(chatUsageChunk(head, chatUsage(usage)));
        }
      },
    };
  });
}

/** Translates a collected response, whole or incomplete, into a completion. */
export function responseToChatCompletion(answer: AnsweredResponse, options: ChatReplyOptions): JsonObject {
  const { response } = answer;
  const told = { text: "", refusal: "", reasoning: "" };
  const annotations: JsonObject[] = [];
  const calls: { tool: "function" | "custom"; id: string; name: string; input: string }[] = [];
  const reader = createAnswerReader({
    text: (text): void => void (told.text += text),
    refusal: (text): void => void (told.refusal += text),
    reasoning: (text): void => void (told.reasoning += text),
    call: (_index, call): void => void calls.push({ ...call, input: "" }),
    callInput(index, text): void {
      const call = calls[index];
      if (call !== undefined) call.input += text;
    },
    citation: (citation): void => void annotations.push(chatAnnotation(citation)),
  });
  outputOf(response).forEach((item, index) => reader.readItem(index, item));

  const legacy = options.legacyFunctions && calls[0]?.tool === "function" ? calls.shift() : undefined;
  const usage = readResponsesUsage(response["usage"]);
  const form = legacy !== undefined ? "function_call" : calls.length > 0 ? "tool_calls" : "none";
  return chatCompletion(
    headOf(response, options),
    {
      role: "assistant",
      content: told.text === "" && (form !== "none" || told.refusal !== "") ? null : told.text,
      refusal: told.refusal === "" ? null : told.refusal,
      ...(told.reasoning === "" ? {} : { reasoning_content: told.reasoning }),
      ...(annotations.length === 0 ? {} : { annotations }),
      ...(legacy === undefined ? {} : { function_call: { name: legacy.name, arguments: legacy.input } }),
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(toolCall) }),
    },
    finishReason(answer.status, incompleteReason(response), form),
    usage === undefined ? undefined : chatUsage(usage),
  );
}

function headOf(response: JsonObject, options: ChatReplyOptions): ChatHead {
  return {
    id: options.id,
    created: finiteNumber(response["created_at"]) ?? options.nowS,
    model: nonEmptyString(response["model"]) ?? options.model,
    serviceTier: nonEmptyString(response["service_tier"]),
  };
}
