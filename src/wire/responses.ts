/**
 * The Responses dialect, the hub of the translation: the request members that we write and the output items that we
 * read. Spelling and shapes follow OpenAI's API reference, with what the upstreams are known to leave out.
 *
 * @module
 */
import { isObject, type JsonObject, nonEmptyString } from "./json.ts";

/** A part of a message or of a tool's output, as sent to the model. */
export type ResponsesInputPart =
  | { type: "input_text"; text: string; prompt_cache_breakpoint?: unknown }
  | { type: "input_image"; detail: string; image_url: string; prompt_cache_breakpoint?: unknown }
  | {
    type: "input_file";
    file_data?: string;
    file_id?: string;
    filename?: string;
    prompt_cache_breakpoint?: unknown;
  };

/** A part of an earlier answer of the model. */
export type ResponsesAnswerPart =
  | { type: "output_text"; text: string; annotations: [] }
  | { type: "refusal"; refusal: string };

/** An input item, as far as Chat Completions can express one. */
export type ResponsesInputItem =
  | { type: "message"; role: "system" | "developer" | "user"; content: ResponsesInputPart[] }
  | { type: "message"; role: "assistant"; content: ResponsesAnswerPart[] }
  | { type: "function_call"; call_id: string; name: string; arguments: string }
  | { type: "function_call_output"; call_id: string; output: string | ResponsesInputPart[] }
  | { type: "custom_tool_call"; call_id: string; name: string; input: string }
  | { type: "custom_tool_call_output"; call_id: string; output: string | ResponsesInputPart[] };

/** A source that an answer cites; positions count characters of the text that it belongs to. */
export interface UrlCitation {
  readonly url: string;
  readonly title: string;
  readonly startIndex: number;
  readonly endIndex: number;
}

/** A part of an answer's message. */
export type OutputPart =
  | { readonly kind: "text"; readonly text: string; readonly citations: readonly UrlCitation[] }
  | { readonly kind: "refusal"; readonly text: string };

/** An item of a response's `output`, reduced to what other dialects can tell. */
export type OutputItem =
  | { readonly kind: "message"; readonly parts: readonly OutputPart[] }
  | { readonly kind: "reasoning"; readonly summary: readonly string[]; readonly content: readonly string[] }
  | {
    readonly kind: "call";
    readonly tool: "function" | "custom";
    readonly callId: string;
    readonly name: string;
    /** The arguments' JSON text of a function, the free text of a custom tool. */
    readonly input: string;
  }
  /** Anything else (web search, image generation, compaction): no other dialect has a place for it. */
  | { readonly kind: "other" };

/** Reads an output item; members that are missing read as empty. */
export function readOutputItem(item: JsonObject): OutputItem {
  switch (item["type"]) {
    case "message":
      return { kind: "message", parts: objectsOf(item["content"]).map(readOutputPart) };
    case "reasoning":
      return { kind: "reasoning", summary: textsOf(item["summary"]), content: textsOf(item["content"]) };
    case "function_call":
      return readCall(item, "function", item["arguments"]);
    case "custom_tool_call":
      return readCall(item, "custom", item["input"]);
    default:
      return { kind: "other" };
  }
}

/** Reads an annotation; undefined when it is not a citation of a web page. */
export function readUrlCitation(annotation: unknown): UrlCitation | undefined {
  if (!isObject(annotation) || annotation["type"] !== "url_citation") return undefined;
  const url = nonEmptyString(annotation["url"]);
  if (url === undefined) return undefined;
  const start = annotation["start_index"];
  const end = annotation["end_index"];
  return {
    url,
    title: textOf(annotation["title"]),
    startIndex: typeof start === "number" ? start : 0,
    endIndex: typeof end === "number" ? end : 0,
  };
}

/** The `output` of a response object; empty when it is absent. */
export function outputOf(response: JsonObject): JsonObject[] {
  return objectsOf(response["output"]);
}

function readOutputPart(part: JsonObject): OutputPart {
  if (part["type"] === "refusal") return { kind: "refusal", text: textOf(part["refusal"]) };
  const annotations = part["annotations"];
  const citations = Array.isArray(annotations) ? annotations.map(readUrlCitation) : [];
  return {
    kind: "text",
    text: textOf(part["text"]),
    citations: citations.filter((citation) => citation !== undefined),
  };
}

function readCall(item: JsonObject, tool: "function" | "custom", input: unknown): OutputItem {
  return {
    kind: "call",
    tool,
    // `call_id` is the one that results refer to; an item without it can only be known by its own id.
    callId: nonEmptyString(item["call_id"]) ?? textOf(item["id"]),
    name: textOf(item["name"]),
    input: textOf(input),
  };
}

function textsOf(parts: unknown): string[] {
  return objectsOf(parts).map((part) => textOf(part["text"]));
}

function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
