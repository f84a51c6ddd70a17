/**
 * Making `input` fit for the ChatGPT backend: a list, no system role, no reference to a stored item, ids that it
 * accepts (chatgpt-codex.md sections 3.3, 3.6 and 3.7).
 *
 * @module
 */
import { isObject, type JsonObject } from "../wire/json.ts";
import type { RequestRefusal } from "./request_fields.ts";

/** Longest item id that the backend accepts, characters. */
const maxIdChars = 64;

/** How the id of an item must begin; types that are not listed are only checked for length. */
const idPrefixes: Readonly<Record<string, string>> = Object.freeze({
  custom_tool_call: "ctc_",
  custom_tool_call_output: "ctco_",
  function_call: "fc_",
  message: "msg_",
  reasoning: "rs_",
});

/** A content part option that only the public API knows (section 3.4). */
const cacheBreakpoint = "prompt_cache_breakpoint";

/** An input made fit. */
export interface PreparedInput {
  /** Tells it from a refusal. */
  readonly kind: "ready";
  /** The items to send; the same value as was passed in when nothing had to change. */
  readonly items: readonly unknown[];
  /** Names of options inside the items that were dropped. */
  readonly ignored: readonly string[];
}

/** Reads the `input` of a Responses request. */
export function prepareChatGptInput(input: unknown): PreparedInput | RequestRefusal {
  if (typeof input === "string") {
    const content = [{ type: "input_text", text: input }];
    return { kind: "ready", items: [{ type: "message", role: "user", content }], ignored: [] };
  }
  if (!Array.isArray(input)) {
    return {
      kind: "refused",
      message: "The parameter input is missing or of the wrong type. Send a text or a list of items.",
      param: "input",
      code: input === undefined || input === null ? "missing_required_parameter" : "invalid_type",
    };
  }
  const reference = input.findIndex((item) => isObject(item) && item["type"] === "item_reference");
  if (reference >= 0) {
    return {
      kind: "refused",
      message:
        "An item_reference cannot be resolved, because responses are not stored. Send the item itself.",
      param: `input[${reference}]`,
      code: "unsupported_value",
    };
  }
  const items = input.map((item: unknown) => isObject(item) ? fitItem(item) : item);
  const changed = items.some((item, index) => item !== input[index]);
  return {
    kind: "ready",
    items: changed ? items : input,
    ignored: input.some((item) => isObject(item) && hasBreakpoint(item["content"])) ? [cacheBreakpoint] : [],
  };
}

function fitItem(item: JsonObject): JsonObject {
  let fit = item;
  // The backend refuses system messages; as a developer message the text keeps its place in the conversation.
  if (isMessage(fit) && fit["role"] === "system") fit = { ...fit, role: "developer" };
  if ("id" in fit && !isAcceptedId(fit)) {
    const { id: _, ...rest } = fit;
    fit = rest;
  }
  if (hasBreakpoint(fit["content"])) fit = { ...fit, content: withoutBreakpoints(fit["content"]) };
  return fit;
}

function isMessage(item: JsonObject): boolean {
  return item["type"] === "message" || (item["type"] === undefined && "role" in item);
}

/** An id means nothing where nothing is stored, but one that the backend does not like is an error: it is left out. */
function isAcceptedId(item: JsonObject): boolean {
  const { id } = item;
  if (typeof id !== "string" || id === "" || id.length > maxIdChars) return false;
  const type = isMessage(item) ? "message" : item["type"];
  const prefix = typeof type === "string" && Object.hasOwn(idPrefixes, type) ? idPrefixes[type] : undefined;
  return prefix === undefined || id.startsWith(prefix);
}

function hasBreakpoint(content: unknown): boolean {
  return Array.isArray(content) && content.some((part) => isObject(part) && cacheBreakpoint in part);
}

function withoutBreakpoints(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((part: unknown) => {
    if (!isObject(part) || !(cacheBreakpoint in part)) return part;
    const { [cacheBreakpoint]: _, ...rest } = part;
    return rest;
  });
}
