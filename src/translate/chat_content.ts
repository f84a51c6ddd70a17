/**
 * Content of Chat Completions messages to Responses content parts.
 *
 * @module
 */
import { isObject, type JsonObject } from "../wire/json.ts";
import type { ResponsesAnswerPart, ResponsesInputPart } from "../wire/responses.ts";
import { ignoreMembers } from "./field_table.ts";
import { carriedForm, type FormTable, formTable, pickForm, refusedForm } from "./form_table.ts";
import { type Draft, refuseType, requireArray, requireObject, requireString } from "./translated.ts";

type Part<Result> = (draft: Draft, path: string, part: JsonObject) => Result;

/** Content parts of system, developer, user and tool messages, by `type`. */
export const CHAT_CONTENT_PARTS: FormTable<Part<ResponsesInputPart | undefined>> = formTable<
  Part<ResponsesInputPart | undefined>
>({
  text: carriedForm("as `input_text`", (draft, path, part) => ({
    type: "input_text" as const,
    text: requireString(draft, `${path}.text`, part["text"]),
    ...cacheBreakpoint(part),
  })),
  image_url: carriedForm("as `input_image`, URLs and data URLs", toImage),
  file: carriedForm("as `input_file`, with its `file_data` or `file_id`", toFile),
  input_audio: refusedForm("audio input is not supported", (draft, path) => {
    draft.refuse(
      path,
      "unsupported_value",
      `Audio input is not supported ('${path}'). Send text, images or files instead.`,
    );
    return undefined;
  }),
});

/** Content parts of assistant messages, by `type`. */
export const CHAT_ANSWER_PARTS: FormTable<Part<ResponsesAnswerPart>> = formTable<Part<ResponsesAnswerPart>>({
  text: carriedForm("as `output_text`", (draft, path, part) => ({
    type: "output_text" as const,
    text: requireString(draft, `${path}.text`, part["text"]),
    annotations: [],
  })),
  refusal: carriedForm("as `refusal`", (draft, path, part) => ({
    type: "refusal" as const,
    refusal: requireString(draft, `${path}.refusal`, part["refusal"]),
  })),
});

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
  return content.flatMap((part, index) =>
    toPart(CHAT_CONTENT_PARTS, draft, `${path}[${index}]`, part, ["prompt_cache_breakpoint"])
  );
}

/** What an earlier answer said: text, refusals or both, in order. `content` may be absent. */
export function toAnswerParts(draft: Draft, path: string, content: unknown): ResponsesAnswerPart[] {
  if (content === null || content === undefined) return [];
  if (typeof content === "string") return [{ type: "output_text", text: content, annotations: [] }];
  return requireArray(draft, path, content).flatMap((part, index) =>
    toPart(CHAT_ANSWER_PARTS, draft, `${path}[${index}]`, part, [])
  );
}

function toPart<Result>(
  table: FormTable<Part<Result | undefined>>,
  draft: Draft,
  path: string,
  value: unknown,
  options: readonly string[],
): Result[] {
  const part = requireObject(draft, path, value);
  // What a part says is in the member that has the name of its type.
  ignoreMembers(draft, "messages[].content[]", part, ["type", String(part["type"]), ...options]);
  const translated = pickForm(table, draft, `${path}.type`, part["type"])?.(draft, path, part);
  return translated === undefined ? [] : [translated];
}

/** The reference has an object with `url`; some clients send the URL itself, which can only mean the same. */
function toImage(draft: Draft, partPath: string, part: JsonObject): ResponsesInputPart {
  const path = `${partPath}.image_url`;
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

function toFile(draft: Draft, partPath: string, part: JsonObject): ResponsesInputPart {
  const path = `${partPath}.file`;
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
