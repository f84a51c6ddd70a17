/**
 * Token counts of one call, read from and written to the two spellings that OpenAI's API has for them.
 *
 * @module
 */
import { finiteNumber, isObject, type JsonObject, objectOrEmpty } from "./json.ts";

/** What one call used, free of any dialect. Counts are whole numbers of tokens. */
export interface TokenUsage {
  readonly inputTokens: number;
  /** The part of `inputTokens` that came from the prompt cache. */
  readonly cachedTokens: number;
  /** The part of `inputTokens` that was newly written to the prompt cache, where the upstream tells it. */
  readonly cacheWriteTokens: number;
  /** Includes `reasoningTokens`. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly totalTokens: number;
}

/** The `usage` of a response object; undefined when it is absent, null or without counts. */
export function readResponsesUsage(value: unknown): TokenUsage | undefined {
  if (!isObject(value)) return undefined;
  const inputTokens = finiteNumber(value["input_tokens"]);
  const outputTokens = finiteNumber(value["output_tokens"]);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const input = objectOrEmpty(value["input_tokens_details"]);
  const output = objectOrEmpty(value["output_tokens_details"]);
  return {
    inputTokens,
    cachedTokens: finiteNumber(input["cached_tokens"]) ?? 0,
    cacheWriteTokens: finiteNumber(input["cache_write_tokens"]) ?? 0,
    outputTokens,
    reasoningTokens: finiteNumber(output["reasoning_tokens"]) ?? 0,
    totalTokens: finiteNumber(value["total_tokens"]) ?? inputTokens + outputTokens,
  };
}

/**
 * The `usage` of a chat completion; undefined when it is absent, null or without counts.
 *
 * Grok counts reasoning outside `completion_tokens` (facts xai-grok, section 8), which its total gives away.
 */
export function readChatUsage(value: unknown): TokenUsage | undefined {
  if (!isObject(value)) return undefined;
  const inputTokens = finiteNumber(value["prompt_tokens"]);
  const completionTokens = finiteNumber(value["completion_tokens"]);
  if (inputTokens === undefined || completionTokens === undefined) return undefined;
  const input = objectOrEmpty(value["prompt_tokens_details"]);
  const output = objectOrEmpty(value["completion_tokens_details"]);
  const reasoningTokens = finiteNumber(output["reasoning_tokens"]) ?? 0;
  const told = finiteNumber(value["total_tokens"]);
  const reasoningOutside = reasoningTokens > 0 && told === inputTokens + completionTokens + reasoningTokens;
  const outputTokens = reasoningOutside ? completionTokens + reasoningTokens : completionTokens;
  return {
    inputTokens,
    cachedTokens: finiteNumber(input["cached_tokens"]) ?? 0,
    cacheWriteTokens: finiteNumber(input["cache_write_tokens"]) ?? 0,
    outputTokens,
    reasoningTokens,
    totalTokens: told ?? inputTokens + outputTokens,
  };
}

/** The `usage` member of a response object. */
export function responsesUsage(usage: TokenUsage): JsonObject {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: usage.cacheWriteTokens },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.totalTokens,
  };
}

/** The `usage` member of a chat completion or of its last chunk. */
export function chatUsage(usage: TokenUsage): JsonObject {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}
