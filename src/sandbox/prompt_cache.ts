/**
 * The simulated prompt caches: what of a prompt was seen before, in blocks of 128 tokens from its beginning, within one
 * account, model and cache key. No clock and no randomness: what is cached follows from the requests so far.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Plan, Turn } from "./contract.ts";
import { promptTexts, UNITS_PER_TOKEN } from "./engine.ts";

/** Whose cache is asked, and which. */
export interface CacheScope {
  /** The account: nobody reads the cache of another one. */
  readonly account: string;
  /** The key that leads to the cache; undefined leads to none, because such calls go to any machine. */
  readonly key: string | undefined;
}

/** The cache of one upstream. */
export interface PromptCache {
  /** The plan with the cached part of the turn's prompt in its usage; remembers the prompt. */
  apply(plan: Plan, turn: Turn, scope: CacheScope): Plan;
}

const TOKENS_PER_BLOCK = 128;
const MAX_BLOCKS = 50_000;

/** An empty cache. The oldest blocks are forgotten when there are too many. */
export function createPromptCache(): PromptCache {
  const seen = new Set<string>();
  return {
    apply(plan, turn, { account, key }) {
      if (key === undefined) return plan;
      let hits = 0;
      let isPrefix = true;
      for (const block of blockDigests(turn, JSON.stringify([account, turn.model, key]))) {
        isPrefix &&= seen.has(block);
        if (isPrefix) hits += 1;
        seen.delete(block);
        seen.add(block);
      }
      for (const oldest of seen) {
        if (seen.size <= MAX_BLOCKS) break;
        seen.delete(oldest);
      }
      return { ...plan, usage: { ...plan.usage, cachedTokens: hits * TOKENS_PER_BLOCK } };
    },
  };
}

/** Digests of the prompt up to the end of each whole block. */
function* blockDigests(turn: Turn, scope: string): Generator<string> {
  const prompt = promptTexts(turn).join("");
  const unitsPerBlock = TOKENS_PER_BLOCK * UNITS_PER_TOKEN;
  let digest = scope;
  for (let end = unitsPerBlock; end <= prompt.length; end += unitsPerBlock) {
    digest = createHash("sha256").update(digest).update(prompt.slice(end - unitsPerBlock, end)).digest("hex");
    yield digest;
  }
}
