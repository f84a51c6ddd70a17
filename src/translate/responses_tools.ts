/**
 * Responses tools, tool choices and text formats to those of Chat Completions: nested instead of flat.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { type Draft, refuseValue, requireArray, requireObject, requireString } from "./translated.ts";

/**
 * Translates `tools`, in order. Tools that the provider of the model would run itself (search, interpreters, ...) do not
 * exist in Chat: they are dropped and named, because the model can answer without them.
 */
export function toChatTools(draft: Draft, path: string, value: unknown): JsonObject[] {
  return requireArray(draft, path, value).flatMap((entry, index): JsonObject[] => {
    const toolPath = `${path}[${index}]`;
    const tool = requireObject(draft, toolPath, entry);
    switch (tool["type"]) {
      case "function":
        return [{ type: "function", function: toChatFunction(draft, toolPath, tool) }];
      case "custom":
        return [{ type: "custom", custom: toChatCustom(draft, toolPath, tool) }];
      default:
        draft.ignore(`tools[].${requireString(draft, `${toolPath}.type`, tool["type"])}`);
        return [];
    }
  });
}

/** Translates `tool_choice`. A choice that forces a hosted tool is refused: the answer would be another one. */
export function toChatToolChoice(draft: Draft, path: string, value: unknown): unknown {
  if (typeof value === "string") {
    if (!["none", "auto", "required"].includes(value)) {
      refuseValue(draft, path, value, ["none", "auto", "required"]);
    }
    return value;
  }
  const choice = requireObject(draft, path, value);
  if (choice["type"] !== "allowed_tools") return toChatNamed(draft, path, choice);
  const tools = requireArray(draft, `${path}.tools`, choice["tools"]).map((tool, index) =>
    toChatNamed(draft, `${path}.tools[${index}]`, requireObject(draft, `${path}.tools[${index}]`, tool))
  );
  return { type: "allowed_tools", allowed_tools: { mode: choice["mode"], tools } };
}

/** Translates `text.format` into `response_format`; undefined for plain text, which is the default. */
export function toResponseFormat(draft: Draft, path: string, value: unknown): JsonObject | undefined {
  const format = requireObject(draft, path, value);
  switch (format["type"]) {
    case "text":
      return undefined;
    case "json_object":
      return { type: "json_object" };
    case "json_schema": {
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
    default:
      refuseValue(draft, `${path}.type`, format["type"], ["text", "json_object", "json_schema"]);
      return undefined;
  }
}

function toChatFunction(draft: Draft, path: string, tool: JsonObject): JsonObject {
  const { description, parameters, strict } = tool;
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

function toChatNamed(draft: Draft, path: string, choice: JsonObject): JsonObject {
  const type = choice["type"];
  if (type !== "function" && type !== "custom") {
    refuseValue(draft, `${path}.type`, type, ["function", "custom"]);
    return {};
  }
  return { type, [type]: { name: requireString(draft, `${path}.name`, choice["name"]) } };
}
