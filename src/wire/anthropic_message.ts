/**
 * Reading an answer in the shape of Anthropic's Messages API. Copilot's Chat endpoint has answered so for some Claude
 * models (facts github-copilot 10), although it was asked in Chat Completions.
 *
 * @module
 */
import { finiteNumber, isObject, type JsonObject, nonEmptyString } from "./json.ts";
import type { ChatAnswerPart } from "./chat_chunks.ts";
import type { TokenUsage } from "./token_usage.ts";

/** Reads a whole message as the Chat answer that it stands for; undefined when it is none. */
export function readAnthropicMessage(json: JsonObject): ChatAnswerPart | undefined {
  const { content } = json;
  if (json["type"] !== "message" || !Array.isArray(content)) return undefined;
  const blocks = content.filter(isObject);
  return {
    model: nonEmptyString(json["model"]),
    created: undefined,
    pieces: [{
      text: joined(blocks, "text", "text"),
      refusal: "",
      reasoning: joined(blocks, "thinking", "thinking"),
      calls: blocks.filter((block) => block["type"] === "tool_use").map((block, index) => ({
        key: String(index),
        tool: "function",
        id: nonEmptyString(block["id"]),
        name: nonEmptyString(block["name"]) ?? "",
        input: JSON.stringify(block["input"] ?? {}),
      })),
      citations: [],
      finishReason: finishReason(json["stop_reason"]),
    }],
    usage: readUsage(json["usage"]),
  };
}

/** `stop_reason` to `finish_reason`, where an answer has not just come to its end. */
const finishReasons: Readonly<Record<string, string>> = Object.freeze({
  max_tokens: "length",
  model_context_window_exceeded: "length",
  refusal: "content_filter",
  tool_use: "tool_calls",
});

function finishReason(stopReason: unknown): string | undefined {
  return typeof stopReason === "string" && Object.hasOwn(finishReasons, stopReason)
    ? finishReasons[stopReason]
    : "stop";
}

function joined(blocks: readonly JsonObject[], type: string, member: string): string {
  return blocks.filter((block) => block["type"] === type).map((block) => nonEmptyString(block[member]) ?? "")
    .join("");
}

/** What came from the cache or went into it is counted apart from the input here. */
function readUsage(value: unknown): TokenUsage | undefined {
  if (!isObject(value)) return undefined;
  const freshTokens = finiteNumber(value["input_tokens"]);
  const outputTokens = finiteNumber(value["output_tokens"]);
  if (freshTokens === undefined || outputTokens === undefined) return undefined;
  const cachedTokens = finiteNumber(value["cache_read_input_tokens"]) ?? 0;
  const cacheWriteTokens = finiteNumber(value["cache_creation_input_tokens"]) ?? 0;
  const inputTokens = freshTokens + cachedTokens + cacheWriteTokens;
  return {
    inputTokens,
    cachedTokens,
    cacheWriteTokens,
    outputTokens,
    reasoningTokens: 0,
    totalTokens: inputTokens + outputTokens,
  };
}
