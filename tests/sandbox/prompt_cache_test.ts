import assert from "node:assert/strict";
import type { Turn } from "../../src/sandbox/contract.ts";
import { planTurn } from "../../src/sandbox/engine.ts";
import { createPromptCache, type PromptCache } from "../../src/sandbox/prompt_cache.ts";

const scope = { account: "ada", key: "conversation-1" };

function turn(instructions: string, ...texts: readonly string[]): Turn {
  return {
    model: "m",
    instructions: [instructions],
    messages: texts.map((text) => ({ role: "user", text, images: 0 })),
    tools: [],
    toolResults: [],
    toolChoice: "auto",
    parallelToolCalls: true,
    reasoning: false,
    schema: undefined,
  };
}

function cached(cache: PromptCache, asked: Turn, where: Parameters<PromptCache["apply"]>[2] = scope): number {
  return cache.apply(planTurn(asked), asked, where).usage.cachedTokens;
}

// 1000 units and 600 units: 400 tokens, which are three blocks of 128.
const opening = turn("a".repeat(1000), "b".repeat(600));

Deno.test("apply() counts the blocks that an earlier prompt of the same key began with", () => {
  const cache = createPromptCache();
  assert.equal(cached(cache, opening), 0);
  assert.equal(cached(cache, turn("a".repeat(1000), "b".repeat(600), "c".repeat(2000))), 384);
  assert.equal(cached(cache, opening), 384);
  assert.equal(cached(cache, turn("a".repeat(1000), "b".repeat(600), "c".repeat(2000), "d")), 896);
});

Deno.test("apply() finds nothing behind a difference", () => {
  const cache = createPromptCache();
  cached(cache, opening);
  assert.equal(cached(cache, turn("x" + "a".repeat(999), "b".repeat(600))), 0);
  assert.equal(cached(cache, turn("a".repeat(1000), "x".repeat(600))), 128);
});

Deno.test("apply() keeps keys, accounts and models apart, and calls without a key find nothing", () => {
  const cache = createPromptCache();
  cached(cache, opening);
  assert.equal(cached(cache, opening, { ...scope, key: "conversation-2" }), 0);
  assert.equal(cached(cache, opening, { ...scope, account: "bob" }), 0);
  assert.equal(cached(cache, { ...opening, model: "n" }), 0);
  for (let call = 0; call < 2; call++) assert.equal(cached(cache, opening, { ...scope, key: undefined }), 0);
});
