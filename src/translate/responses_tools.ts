/**
 * Responses tools, tool choices and text formats to those of Chat Completions: nested instead of flat.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { ignoreMembers } from "./field_table.ts";
import {
  carriedForm,
  carriedWords,
  droppedForm,
  type FormTable,
  formTable,
  pickForm,
  refusedForm,
} from "./form_table.ts";
import { type Draft, refuseValue, requireArray, requireObject, requireString } from "./translated.ts";

type Translate<Result> = (draft: Draft, path: string, value: JsonObject) => Result;

/** Tools that the provider of the model would run itself; they do not exist in Chat. */
const hostedTool = droppedForm<Translate<JsonObject | undefined>>(
  "the model can answer without it",
  (draft, _path, tool) => {
    draft.ignore(`tools[].${String(tool["type"])}`);
    return undefined;
  },
);

/** The forms of a tool, by `type`. A hosted tool that is not listed is dropped and named too. */
export const RESPONSES_TOOLS: FormTable<Translate<JsonObject | undefined>> = formTable({
  function: carriedForm("as `function`, nested", (draft, path, tool) => ({
    type: "function",
    function: toChatFunction(draft, path, tool),
  })),
  custom: carriedForm("as `custom`, nested", (draft, path, tool) => ({
    type: "custom",
    custom: toChatCustom(draft, path, tool),
  })),
  apply_patch: hostedTool,
  code_interpreter: hostedTool,
  computer: hostedTool,
  computer_use_preview: hostedTool,
  file_search: hostedTool,
  image_generation: hostedTool,
  local_shell: hostedTool,
  mcp: hostedTool,
  namespace: hostedTool,
  programmatic_tool_calling: hostedTool,
  shell: hostedTool,
  tool_search: hostedTool,
  web_search: hostedTool,
  web_search_2025_08_26: hostedTool,
  web_search_preview: hostedTool,
  web_search_preview_2025_03_11: hostedTool,
});

/** The words that `tool_choice` can be. */
export const RESPONSES_TOOL_MODES: readonly string[] = Object.freeze(["none", "auto", "required"]);

/** A choice that forces a hosted tool: without it the answer would be another one. */
const hostedChoice = refusedForm<Translate<JsonObject>>(
  "the tool does not exist in Chat",
  (draft, path, choice) => {
    refuseValue(draft, `${path}.type`, choice["type"], carriedWords(RESPONSES_TOOL_CHOICES));
    return {};
  },
);

/** The forms of an object at `tool_choice`, by `type`. */
export const RESPONSES_TOOL_CHOICES: FormTable<Translate<JsonObject>> = formTable({
  function: carriedForm("as `function`, nested", toChatNamed),
  custom: carriedForm("as `custom`, nested", toChatNamed),
  allowed_tools: carriedForm("as `allowed_tools`, nested", toChatAllowed),
  apply_patch: hostedChoice,
  code_interpreter: hostedChoice,
  computer: hostedChoice,
  computer_use: hostedChoice,
  computer_use_preview: hostedChoice,
  file_search: hostedChoice,
  image_generation: hostedChoice,
  mcp: hostedChoice,
  programmatic_tool_calling: hostedChoice,
  shell: hostedChoice,
  web_search_preview: hostedChoice,
  web_search_preview_2025_03_11: hostedChoice,
});

/** The forms of `text.format`, by `type`. */
export const RESPONSES_FORMATS: FormTable<Translate<JsonObject | undefined>> = formTable({
  text: carriedForm<Translate<JsonObject | undefined>>(
    "the default of Chat, so nothing is sent",
    () => undefined,
  ),
  json_object: carriedForm("as `json_object`", () => ({ type: "json_object" })),
  json_schema: carriedForm("as `json_schema`, the schema as it is", toChatSchemaFormat),
});

/** Translates `tools`, in order. */
export function toChatTools(draft: Draft, path: string, value: unknown): JsonObject[] {
  return requireArray(draft, path, value).flatMap((entry, index): JsonObject[] => {
    const toolPath = `${path}[${index}]`;
    const tool = requireObject(draft, toolPath, entry);
    const type = requireString(draft, `${toolPath}.type`, tool["type"]);
    const { translate } = (Object.hasOwn(RESPONSES_TOOLS, type) ? RESPONSES_TOOLS[type] : undefined) ??
      hostedTool;
    const translated = translate(draft, toolPath, tool);
    return translated === undefined ? [] : [translated];
  });
}

/** Translates `tool_choice` in all its forms. */
export function toChatToolChoice(draft: Draft, path: string, value: unknown): unknown {
  if (typeof value === "string") return toMode(draft, path, value, RESPONSES_TOOL_MODES);
  const choice = requireObject(draft, path, value);
  return pickForm(RESPONSES_TOOL_CHOICES, draft, `${path}.type`, choice["type"])?.(draft, path, choice);
}

/** Translates `text.format` into `response_format`; undefined for plain text, which is the default. */
export function toResponseFormat(draft: Draft, path: string, value: unknown): JsonObject | undefined {
  const format = requireObject(draft, path, value);
  return pickForm(RESPONSES_FORMATS, draft, `${path}.type`, format["type"])?.(draft, path, format);
}

function toChatSchemaFormat(draft: Draft, path: string, format: JsonObject): JsonObject {
  const { description, strict } = format;
  return {
    type: "json_schema",
    json_schema: {
      name: requireString(draft, `${path}.name`, format["name"]),
      ...(typeof description === "string" ? { description } : {}),
      schema: requireObject(draft, `${path}.schema`, format["schema"]),
      ...(typeof strict === "boolean" ? { strict } : {}),
    },
  };
}

function toChatFunction(draft: Draft, path: string, tool: JsonObject): JsonObject {
  const { description, parameters, strict } = tool;
  ignoreMembers(draft, "tools[]", tool, ["type", "name", "description", "parameters", "strict"]);
  return {
    name: requireString(draft, `${path}.name`, tool["name"]),
    ...(typeof description === "string" ? { description } : {}),
    ...(parameters === undefined || parameters === null
      ? {}
      : { parameters: requireObject(draft, `${path}.parameters`, parameters) }),
    // An absent `strict` lets OpenAI adapt the schema; no Chat upstream does that, so it is not asked for.
    ...(typeof strict === "boolean" ? { strict } : {}),
  };
}

function toChatCustom(draft: Draft, path: string, tool: JsonObject): JsonObject {
  const { description, format } = tool;
  ignoreMembers(draft, "tools[]", tool, ["type", "name", "description", "format"]);
  return {
    name: requireString(draft, `${path}.name`, tool["name"]),
    ...(typeof description === "string" ? { description } : {}),
    ...(format === undefined || format === null
      ? {}
      : { format: toChatCustomFormat(requireObject(draft, `${path}.format`, format)) }),
  };
}

function toChatCustomFormat(format: JsonObject): JsonObject {
  if (format["type"] !== "grammar") return format;
  return { type: "grammar", grammar: { syntax: format["syntax"], definition: format["definition"] } };
}

function toChatAllowed(draft: Draft, path: string, choice: JsonObject): JsonObject {
  const tools = requireArray(draft, `${path}.tools`, choice["tools"]).map((tool, index) =>
    toChatNamed(draft, `${path}.tools[${index}]`, requireObject(draft, `${path}.tools[${index}]`, tool))
  );
  const mode = toMode(draft, `${path}.mode`, choice["mode"], ["auto", "required"]);
  return { type: "allowed_tools", allowed_tools: { mode, tools } };
}

function toChatNamed(draft: Draft, path: string, choice: JsonObject): JsonObject {
  const type = choice["type"];
  if (type !== "function" && type !== "custom") {
    refuseValue(draft, `${path}.type`, type, ["function", "custom"]);
    return {};
  }
  return { type, [type]: { name: requireString(draft, `${path}.name`, choice["name"]) } };
}

function toMode(draft: Draft, path: string, value: unknown, known: readonly string[]): unknown {
  if (typeof value !== "string" || !known.includes(value)) refuseValue(draft, path, value, known);
  return value;
}
