import assert from "node:assert/strict";
import type OpenAI from "openai";
import {
  chatUsage,
  readChatUsage,
  readResponsesUsage,
  responsesUsage,
  type TokenUsage,
} from "../../src/wire/token_usage.ts";

const RESPONSES: OpenAI.Responses.ResponseUsage = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 60, cache_write_tokens: 5 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 7 },
  total_tokens: 120,
};
const CHAT: OpenAI.CompletionUsage = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_tokens_details: { cached_tokens: 60 },
  completion_tokens_details: { reasoning_tokens: 7 },
};
const USAGE: TokenUsage = {
  inputTokens: 100,
  cachedTokens: 60,
  cacheWriteTokens: 5,
  outputTokens: 20,
  reasoningTokens: 7,
  totalTokens: 120,
};

Deno.test("readResponsesUsage() and responsesUsage() are each other's opposite", () => {
  assert.deepEqual(readResponsesUsage(RESPONSES), USAGE);
  assert.deepEqual(responsesUsage(USAGE), RESPONSES);
});

Deno.test("readChatUsage() and chatUsage() are each other's opposite", () => {
  assert.deepEqual(readChatUsage(CHAT), { ...USAGE, cacheWriteTokens: 0 });
  assert.deepEqual(chatUsage(USAGE), CHAT);
});

Deno.test("readChatUsage() adds reasoning to the output when the total shows that it is counted outside", () => {
  const usage = readChatUsage({
    prompt_tokens: 12,
    completion_tokens: 1,
    total_tokens: 241,
    completion_tokens_details: { reasoning_tokens: 228 },
  });
  assert.equal(usage?.outputTokens, 229);
  assert.equal(usage?.totalTokens, 241);
});

Deno.test("readChatUsage() and readResponsesUsage() take missing details for zero and missing counts for no usage", () => {
  assert.equal(
    readResponsesUsage({ input_tokens: 1, output_tokens: 2, input_tokens_details: null })?.totalTokens,
    3,
  );
  assert.equal(readChatUsage({ prompt_tokens: 1, completion_tokens: 2 })?.cachedTokens, 0);
  for (const nothing of [null, undefined, {}, [], "1", { input_tokens: 1 }, { prompt_tokens: 1 }]) {
    assert.equal(readResponsesUsage(nothing), undefined);
    assert.equal(readChatUsage(nothing), undefined);
  }
});
