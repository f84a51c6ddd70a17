/**
 * Chat Completions tools and tool choices to those of Responses: flat instead of nested, and with the defaults of Chat
 * written out where Responses has others.
 *
 * @module
 */
import { isObject, type JsonObject } from "../wire/json.ts";
import { carriedForm, type FormTable, formTable, pickForm } from "./form_table.ts";
import { type Draft, refuseValue, requireArray, requireObject, requireString } from "./translated.ts";

type Translate<Result> = (draft: Draft, path: string, value: JsonObject) => Result;

/** What a function without `parameters` takes; fit for strict mode too. */
const NO_PARAMETERS = Object.freeze({
  type: "object",
  properties: {},
  required: [],
  additionalProperties: false,
});

/** The forms of a tool, by `type`. */
export const CHAT_TOOLS: FormTable<Translate<JsonObject>> = formTable<Translate<JsonObject>>({
  function: carriedForm(
    "as `function`, flat; an absent `strict` is written out as false",
    (draft, path, tool) => toFunction(draft, `${path}.function`, tool["function"]),
  ),
  custom: carriedForm(
    "as `custom`, flat",
    (draft, path, tool) => toCustom(draft, `${path}.custom`, tool["custom"]),
  ),
});

/** The forms of a custom tool's `format`, by `type`. */
export const CHAT_TOOL_FORMATS: FormTable<Translate<JsonObject>> = formTable<Translate<JsonObject>>({
  text: carriedForm("as `text`", () => ({ type: "text" })),
  grammar: carriedForm("as `grammar`, flat", (draft, path, format) => {
    const grammar = requireObject(draft, `${path}.grammar`, format["grammar"]);
    return {
      type: "grammar",
      syntax: requireString(draft, `${path}.grammar.syntax`, grammar["syntax"]),
      definition: requireString(draft, `${path}.grammar.definition`, grammar["definition"]),
    };
  }),
});

/** The words that `tool_choice` can be. */
export const CHAT_TOOL_MODES: readonly string[] = Object.freeze(["none", "auto", "required"]);

/** The forms of an object at `tool_choice`, by `type`. */
export const CHAT_TOOL_CHOICES: FormTable<Translate<JsonObject>> = formTable<Translate<JsonObject>>({
  function: carriedForm("as `function`, flat", toNamed),
  custom: carriedForm("as `custom`, flat", toNamed),
  allowed_tools: carriedForm("as `allowed_tools`, flat", toAllowed),
});

/** Translates `tools`, in order. */
export function toTools(draft: Draft, path: string, value: unknown): JsonObject[] {
  return requireArray(draft, path, value).flatMap((entry, index): JsonObject[] => {
    const toolPath = `${path}[${index}]`;
    const tool = requireObject(draft, toolPath, entry);
    const translated = pickForm(CHAT_TOOLS, draft, `${toolPath}.type`, tool["type"]);
    return translated === undefined ? [] : [translated(draft, toolPath, tool)];
  });
}

/** Translates the legacy `functions`, in order. */
export function fromLegacyFunctions(draft: Draft, path: string, value: unknown): JsonObject[] {
  return requireArray(draft, path, value).map((entry, index) =>
    toFunction(draft, `${path}[${index}]`, entry)
  );
}

/** Translates `tool_choice` in all its forms. */
export function toToolChoice(draft: Draft, path: string, value: unknown): unknown {
  if (typeof value === "string") return toMode(draft, path, value, CHAT_TOOL_MODES);
  const choice = requireObject(draft, path, value);
  return pickForm(CHAT_TOOL_CHOICES, draft, `${path}.type`, choice["type"])?.(draft, path, choice);
}

/** Translates the legacy `function_call`: `none`, `auto` or the name of a function. */
export function fromLegacyChoice(draft: Draft, path: string, value: unknown): unknown {
  if (typeof value === "string") return toMode(draft, path, value, ["none", "auto"]);
  return {
    type: "function",
    name: requireString(draft, `${path}.name`, requireObject(draft, path, value)["name"]),
  };
}

/** The `web_search` tool that `web_search_options` stands for. */
export function fromWebSearchOptions(draft: Draft, path: string, value: unknown): JsonObject {
  const options = requireObject(draft, path, value);
  const location = options["user_location"];
  const approximate = isObject(location) ? location["approximate"] : undefined;
  return {
    type: "web_search",
    ...(typeof options["search_context_size"] === "string"
      ? { search_context_size: options["search_context_size"] }
      : {}),
    ...(isObject(approximate) ? { user_location: { type: "approximate", ...approximate } } : {}),
  };
}

function toFunction(draft: Draft, path: string, value: unknown): JsonObject {
  const definition = requireObject(draft, path, value);
  const { description, parameters, strict } = definition;
  return {
    type: "function",
    name: requireString(draft, `${path}.name`, definition["name"]),
    ...(typeof description === "string" ? { description } : {}),
    parameters: parameters === undefined || parameters === null
      ? NO_PARAMETERS
      : requireObject(draft, `${path}.parameters`, parameters),
    // Chat takes an absent `strict` for false, Responses for true.
    strict: strict === true,
  };
}

function toCustom(draft: Draft, path: string, value: unknown): JsonObject {
  const definition = requireObject(draft, path, value);
  const { description, format } = definition;
  return {
    type: "custom",
    name: requireString(draft, `${path}.name`, definition["name"]),
    ...(typeof description === "string" ? { description } : {}),
    ...(format === undefined || format === null
      ? {}
      : { format: toCustomFormat(draft, `${path}.format`, requireObject(draft, `${path}.format`, format)) }),
  };
}

function toCustomFormat(draft: Draft, path: string, format: JsonObject): JsonObject {
  return pickForm(CHAT_TOOL_FORMATS, draft, `${path}.type`, format["type"])?.(draft, path, format) ?? {};
}

function toAllowed(draft: Draft, path: string, choice: JsonObject): JsonObject {
  const allowed = requireObject(draft, `${path}.allowed_tools`, choice["allowed_tools"]);
  const toolsPath = `${path}.allowed_tools.tools`;
  return {
    type: "allowed_tools",
    mode: toMode(draft, `${path}.allowed_tools.mode`, allowed["mode"], ["auto", "required"]),
    tools: requireArray(draft, toolsPath, allowed["tools"]).map((tool, index) =>
      toNamed(draft, `${toolsPath}[${index}]`, requireObject(draft, `${toolsPath}[${index}]`, tool))
    ),
  };
}

function toNamed(draft: Draft, path: string, choice: JsonObject): JsonObject {
  const type = choice["type"];
  if (type !== "function" && type !== "custom") {
    refuseValue(draft, `${path}.type`, type, ["function", "custom"]);
    return {};
  }
  const { name } = requireObject(draft, `${path}.${type}`, choice[type]);
  return { type, name: requireString(draft, `${path}.${type}.name`, name) };
}

function toMode(draft: Draft, path: string, value: unknown, known: readonly string[]): string {
  if (typeof value === "string" && known.includes(value)) return value;
  refuseValue(draft, path, value, known);
  return "";
}
