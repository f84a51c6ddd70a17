/**
 * The Chat Completions dialect, as far as answers go: what we write, and readers for what upstreams send.
 *
 * @module
 */
import type { JsonObject } from "./json.ts";
import type { UrlCitation } from "./responses.ts";

/** What all chunks of one stream, or one completion, say about themselves. */
export interface ChatHead {
  /** `chatcmpl-...` */
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly model: string;
  /** Left out when undefined. */
  readonly serviceTier: string | undefined;
}

/** The first chunk that tells of a tool call. */
export function toolCallStart(
  index: number,
  call: { readonly tool: "function" | "custom"; readonly id: string; readonly name: string },
): JsonObject {
  return call.tool === "function"
    ? { index, id: call.id, type: "function", function: { name: call.name, arguments: "" } }
    : { index, id: call.id, type: "custom", custom: { name: call.name, input: "" } };
}

/** A further piece of a tool call's input. */
export function toolCallInput(index: number, tool: "function" | "custom", text: string): JsonObject {
  return tool === "function" ? { index, function: { arguments: text } } : { index, custom: { input: text } };
}

/** A tool call of a whole message. */
export function toolCall(
  call: {
    readonly tool: "function" | "custom";
    readonly id: string;
    readonly name: string;
    readonly input: string;
  },
): JsonObject {
  return call.tool === "function"
    ? { id: call.id, type: "function", function: { name: call.name, arguments: call.input } }
    : { id: call.id, type: "custom", custom: { name: call.name, input: call.input } };
}

/** A citation as an annotation of a message. */
export function chatAnnotation(citation: UrlCitation): JsonObject {
  return {
    type: "url_citation",
    url_citation: {
      url: citation.url,
      title: citation.title,
      start_index: citation.startIndex,
      end_index: citation.endIndex,
    },
  };
}

/** A chunk of a stream with one choice. `usage` is left out when undefined. */
export function chatChunk(
  head: ChatHead,
  delta: JsonObject,
  finishReason: string | null,
  usage: null | undefined,
): JsonObject {
  return {
    ...headMembers(head, "chat.completion.chunk"),
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
    ...(usage === undefined ? {} : { usage }),
  };
}

/** The last chunk of a stream whose client asked for the usage. */
export function chatUsageChunk(head: ChatHead, usage: JsonObject): JsonObject {
  return { ...headMembers(head, "chat.completion.chunk"), choices: [], usage };
}

/** A completion with one choice. `usage` is left out when undefined. */
export function chatCompletion(
  head: ChatHead,
  message: JsonObject,
  finishReason: string,
  usage: JsonObject | undefined,
): JsonObject {
  return {
    ...headMembers(head, "chat.completion"),
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason }],
    ...(usage === undefined ? {} : { usage }),
  };
}

function headMembers(head: ChatHead, object: string): JsonObject {
  return {
    id: head.id,
    object,
    created: head.created,
    model: head.model,
    ...(head.serviceTier === undefined ? {} : { service_tier: head.serviceTier }),
  };
}
