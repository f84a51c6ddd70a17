/**
 * Responses content parts to those of Chat Completions messages.
 *
 * @module
 */
import { isObject, type JsonObject } from "../wire/json.ts";
import {
  type Draft,
  refuseType,
  refuseValue,
  requireArray,
  requireObject,
  requireString,
} from "./translated.ts";

const INPUT_TYPES = Object.freeze(["input_text", "input_image", "input_file", "input_audio"]);

/** Content of a user, system or developer message, or of a tool's output. A string stays a string. */
export function toChatParts(draft: Draft, path: string, content: unknown): string | JsonObject[] {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) {
    refuseType(draft, path, "a string or an array of content parts", content);
    return "";
  }
  return content.map((part, index) => toChatPart(draft, `${path}[${index}]`, part));
}

/** Content of an earlier answer, as Chat has it. */
export function toAssistantContent(draft: Draft, path: string, content: unknown): string | JsonObject[] {
  if (typeof content === "string") return content;
  const parts = requireArray(draft, path, content).map((value, index): JsonObject => {
    const partPath = `${path}[${index}]`;
    const part = requireObject(draft, partPath, value);
    switch (part["type"]) {
      // Clients also replay answers as input text.
      case "output_text":
      case "input_text":
        return { type: "text", text: requireString(draft, `${partPath}.text`, part["text"]) };
      case "refusal":
        return { type: "refusal", refusal: requireString(draft, `${partPath}.refusal`, part["refusal"]) };
      default:
        refuseValue(draft, `${partPath}.type`, part["type"], ["output_text", "refusal"]);
        return {};
    }
  });
  const [only] = parts;
  return parts.length === 1 && typeof only?.["text"] === "string" ? only["text"] : parts;
}

function toChatPart(draft: Draft, path: string, value: unknown): JsonObject {
  const part = requireObject(draft, path, value);
  switch (part["type"]) {
    case "input_text":
    // Outputs of tools may repeat what a model said.
    case "output_text":
      return {
        type: "text",
        text: requireString(draft, `${path}.text`, part["text"]),
        ...cacheBreakpoint(part),
      };
    case "input_image":
      return toImage(draft, path, part);
    case "input_file":
      return toFile(draft, path, part);
    case "input_audio":
      return {
        type: "input_audio",
        input_audio: requireObject(draft, `${path}.input_audio`, part["input_audio"]),
      };
    default:
      refuseValue(draft, `${path}.type`, part["type"], INPUT_TYPES);
      return {};
  }
}

function toImage(draft: Draft, path: string, part: JsonObject): JsonObject {
  const { image_url: url, detail } = part;
  if (typeof url !== "string") {
    draft.refuse(
      path,
      "unsupported_value",
      `'${path}' must have an 'image_url': stored images are not supported by this model's endpoint.`,
    );
  }
  return {
    type: "image_url",
    image_url: { url, ...(typeof detail === "string" ? { detail } : {}) },
    ...cacheBreakpoint(part),
  };
}

function toFile(draft: Draft, path: string, part: JsonObject): JsonObject {
  const file: JsonObject = {};
  for (const member of ["file_data", "file_id", "filename"]) {
    if (typeof part[member] === "string") file[member] = part[member];
  }
  if (file["file_data"] === undefined && file["file_id"] === undefined) {
    draft.refuse(
      path,
      "unsupported_value",
      `'${path}' must have 'file_data' or 'file_id': other sources are not supported by this model's endpoint.`,
    );
  }
  return { type: "file", file, ...cacheBreakpoint(part) };
}

function cacheBreakpoint(part: JsonObject): JsonObject {
  const breakpoint = part["prompt_cache_breakpoint"];
  return isObject(breakpoint) ? { prompt_cache_breakpoint: breakpoint } : {};
}
