/**
 * The legacy Completions dialect, as far as answers go: what we write. No upstream speaks it.
 *
 * @module
 */
import type { JsonObject } from "./json.ts";

/** What all chunks of one stream, or one completion, say about themselves. */
export interface CompletionHead {
  /** `cmpl-...` */
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly model: string;
}

/** A piece of a stream; `finishReason` is null before the last piece. `usage` is left out when undefined. */
export function completionChunk(
  head: CompletionHead,
  text: string,
  finishReason: string | null,
  usage: null | undefined,
): JsonObject {
  return withUsage(head, [choice(text, finishReason)], usage);
}

/** The last chunk of a stream whose client asked for the usage. */
export function completionUsageChunk(head: CompletionHead, usage: JsonObject): JsonObject {
  return withUsage(head, [], usage);
}

/** A whole completion with one choice. `usage` is left out when undefined. */
export function completion(
  head: CompletionHead,
  text: string,
  finishReason: string,
  usage: JsonObject | undefined,
): JsonObject {
  return withUsage(head, [choice(text, finishReason)], usage);
}

function choice(text: string, finishReason: string | null): JsonObject {
  return { text, index: 0, logprobs: null, finish_reason: finishReason };
}

/** Chunks and whole completions have the same `object` in this dialect. */
function withUsage(
  { id, created, model }: CompletionHead,
  choices: readonly JsonObject[],
  usage: JsonObject | null | undefined,
): JsonObject {
  return {
    id,
    object: "text_completion",
    created,
    model,
    choices,
    ...(usage === undefined ? {} : { usage }),
  };
}
