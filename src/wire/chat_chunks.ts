/**
 * Reading Chat Completions answers, chunks and whole completions alike, as the upstreams send them: members that the
 * reference demands may be missing, `choices` may be null, and one answer may be spread over several choices (facts
 * xai-grok 8, github-copilot 10).
 *
 * @module
 */
import { isObject, type JsonObject, nonEmptyString } from "./json.ts";
import { readUrlCitation, type UrlCitation } from "./responses.ts";
import { readChatUsage, type TokenUsage } from "./token_usage.ts";

/** A piece of a tool call. */
export interface ChatCallPiece {
  /** Names the call within its answer: equal keys belong to one call. */
  readonly key: string;
  readonly tool: "function" | "custom";
  readonly id: string | undefined;
  readonly name: string;
  readonly input: string;
}

/** What one choice of a chunk, or of a completion, brings; texts are empty when it brings none. */
export interface ChatPiece {
  readonly text: string;
  readonly refusal: string;
  /** From `reasoning_content` (Grok) or `reasoning_text` (Copilot). */
  readonly reasoning: string;
  readonly calls: readonly ChatCallPiece[];
  readonly citations: readonly UrlCitation[];
  readonly finishReason: string | undefined;
}

/** A chunk or a completion. */
export interface ChatAnswerPart {
  readonly model: string | undefined;
  /** Unix seconds; undefined when it is missing or zero. */
  readonly created: number | undefined;
  readonly pieces: readonly ChatPiece[];
  readonly usage: TokenUsage | undefined;
}

/** Reads a chunk (`delta`) or a completion (`message`). What is missing or of the wrong type reads as absent. */
export function readChatAnswer(json: JsonObject): ChatAnswerPart {
  const { choices, created } = json;
  return {
    model: nonEmptyString(json["model"]),
    created: typeof created === "number" && created > 0 ? created : undefined,
    pieces: objectsOf(choices).map(readPiece),
    usage: readChatUsage(json["usage"]),
  };
}

function readPiece(choice: JsonObject, position: number): ChatPiece {
  const told = isObject(choice["delta"]) ? choice["delta"] : choice["message"];
  const message = isObject(told) ? told : {};
  const choiceIndex = typeof choice["index"] === "number" ? choice["index"] : position;
  return {
    text: textOf(message["content"]),
    refusal: textOf(message["refusal"]),
    reasoning: textOf(message["reasoning_content"]) || textOf(message["reasoning_text"]),
    calls: objectsOf(message["tool_calls"]).map((call, index) => readCall(call, choiceIndex, index)),
    citations: objectsOf(message["annotations"]).map(readCitation).filter((found) => found !== undefined),
    finishReason: nonEmptyString(choice["finish_reason"]),
  };
}

function readCall(call: JsonObject, choiceIndex: number, position: number): ChatCallPiece {
  const index = typeof call["index"] === "number" ? call["index"] : position;
  const custom = call["custom"];
  const tool = isObject(custom) ? "custom" : "function";
  const called = isObject(custom) ? custom : isObject(call["function"]) ? call["function"] : {};
  return {
    key: `${choiceIndex} ${index}`,
    tool,
    id: nonEmptyString(call["id"]),
    name: textOf(called["name"]),
    input: textOf(tool === "custom" ? called["input"] : called["arguments"]),
  };
}

/** The reference nests the citation; the hub's flat form is what the reader knows. */
function readCitation(annotation: JsonObject): UrlCitation | undefined {
  const nested = annotation["url_citation"];
  return readUrlCitation({ type: annotation["type"], ...(isObject(nested) ? nested : {}) });
}

function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
