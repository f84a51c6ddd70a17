/**
 * Content of Chat Completions messages to Responses content parts.
 *
 * @module
 */
import { isObject, type JsonObject } from "../wire/json.ts";
import type { ResponsesAnswerPart, ResponsesInputPart } from "../wire/responses.ts";
import {
  type Draft,
  refuseType,
  refuseValue,
  requireArray,
  requireObject,
  requireString,
} from "./translated.ts";

/**
 * What a system, developer or user message says, or a tool result in parts. `path` is that of `content`, for refusals.
 * A string becomes one text part.
 */
export function toInputParts(draft: Draft, path: string, content: unknown): ResponsesInputPart[] {
  if (typeof content === "string") return [{ type: "input_text", text: content }];
  if (!Array.isArray(content)) {
    refuseType(draft, path, "a string or an array of content parts", content);
    return [];
  }
  return content.flatMap((part, index) => toInputPart(draft, `${path}[${index}]`, part));
}

/** What an earlier answer said: text, refusals or both, in order. `content` may be absent. */
export function toAnswerParts(draft: Draft, path: string, content: unknown): ResponsesAnswerPart[] {
  if (content === null || content === undefined) return [];
  if (typeof content === "string") return [{ type: "output_text", text: content, annotations: [] }];
  return requireArray(draft, path, content).flatMap((part, index): ResponsesAnswerPart[] => {
    const partPath = `${path}[${index}]`;
    const object = requireObject(draft, partPath, part);
    switch (object["type"]) {
      case "text":
        return [{
          type: "output_text",
          text: requireString(draft, `${partPath}.text`, object["text"]),
          annotations: [],
        }];
      case "refusal":
        return [{
          type: "refusal",
          refusal: requireString(draft, `${partPath}.refusal`, object["refusal"]),
        }];
      default:
        refuseValue(draft, `${partPath}.type`, object["type"], ["text", "refusal"]);
        return [];
    }
  });
}

function toInputPart(draft: Draft, path: string, value: unknown): ResponsesInputPart[] {
  const part = requireObject(draft, path, value);
  switch (part["type"]) {
    case "text":
      return [{
        type: "input_text",
        text: requireString(draft, `${path}.text`, part["text"]),
        ...cacheBreakpoint(part),
      }];
    case "image_url":
      return [toImage(draft, `${path}.image_url`, part)];
    case "file":
      return [toFile(draft, `${path}.file`, part)];
    case "input_audio":
      draft.refuse(
        path,
        "unsupported_value",
        `Audio input is not supported ('${path}'). Send text, images or files instead.`,
      );
      return [];
    default:
      refuseValue(draft, `${path}.type`, part["type"], ["text", "image_url", "file"]);
      return [];
  }
}

/** The reference has an object with `url`; some clients send the URL itself, which can only mean the same. */
function toImage(draft: Draft, path: string, part: JsonObject): ResponsesInputPart {
  const image = part["image_url"];
  if (typeof image === "string") {
    return { type: "input_image", detail: "auto", image_url: image, ...cacheBreakpoint(part) };
  }
  const { url, detail } = requireObject(draft, path, image);
  return {
    type: "input_image",
    detail: detail === undefined || detail === null ? "auto" : requireString(draft, `${path}.detail`, detail),
    image_url: requireString(draft, `${path}.url`, url),
    ...cacheBreakpoint(part),
  };
}

function toFile(draft: Draft, path: string, part: JsonObject): ResponsesInputPart {
  const file = requireObject(draft, path, part["file"]);
  const members: { file_data?: string; file_id?: string; filename?: string } = {};
  for (const name of ["file_data", "file_id", "filename"] as const) {
    const value = file[name];
    if (value !== undefined && value !== null) members[name] = requireString(draft, `${path}.${name}`, value);
  }
  if (members.file_data === undefined && members.file_id === undefined) {
    draft.refuse(
      path,
      "missing_required_parameter",
      `Missing required parameter: '${path}' must have 'file_data' or 'file_id'.`,
    );
  }
  return { type: "input_file", ...members, ...cacheBreakpoint(part) };
}

function cacheBreakpoint(part: JsonObject): { prompt_cache_breakpoint?: JsonObject } {
  const breakpoint = part["prompt_cache_breakpoint"];
  return isObject(breakpoint) ? { prompt_cache_breakpoint: breakpoint } : {};
}
