/**
 * Responses content parts to those of Chat Completions messages.
 *
 * @module
 */
import { isObject, type JsonObject } from "../wire/json.ts";
import { ignoreMembers } from "./field_table.ts";
import { carriedForm, type FormTable, formTable, pickForm } from "./form_table.ts";
import { type Draft, refuseType, requireArray, requireObject, requireString } from "./translated.ts";

type ToPart = (draft: Draft, path: string, part: JsonObject) => JsonObject;

/** Content parts of system, developer and user messages and of tool outputs, by `type`. */
export const RESPONSES_CONTENT_PARTS: FormTable<ToPart> = formTable<ToPart>({
  input_text: carriedForm("as `text`", toText),
  // Outputs of tools may repeat what a model said.
  output_text: carriedForm("as `text`", toText),
  input_image: carriedForm("as `image_url`; without a URL it is refused", toImage),
  input_file: carriedForm("as `file`; without `file_data` or `file_id` it is refused", toFile),
});

/** Content parts of assistant messages, by `type`. */
export const RESPONSES_ANSWER_PARTS: FormTable<ToPart> = formTable<ToPart>({
  output_text: carriedForm("as `text`", toAnswerText),
  // Clients also replay answers as input text.
  input_text: carriedForm("as `text`", toAnswerText),
  refusal: carriedForm("as `refusal`", (draft, path, part) => ({
    type: "refusal",
    refusal: requireString(draft, `${path}.refusal`, part["refusal"]),
  })),
});

/** Content of a user, system or developer message, or of a tool's output. A string stays a string. */
export function toChatParts(draft: Draft, path: string, content: unknown): string | JsonObject[] {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) {
    refuseType(draft, path, "a string or an array of content parts", content);
    return "";
  }
  return toParts(RESPONSES_CONTENT_PARTS, draft, path, content);
}

/** Content of an earlier answer, as Chat has it. */
export function toAssistantContent(draft: Draft, path: string, content: unknown): string | JsonObject[] {
  if (typeof content === "string") return content;
  const parts = toParts(RESPONSES_ANSWER_PARTS, draft, path, requireArray(draft, path, content));
  const [only] = parts;
  return parts.length === 1 && typeof only?.["text"] === "string" ? only["text"] : parts;
}

function toParts(
  table: FormTable<ToPart>,
  draft: Draft,
  path: string,
  content: readonly unknown[],
): JsonObject[] {
  return content.map((value, index) => {
    const partPath = `${path}[${index}]`;
    const part = requireObject(draft, partPath, value);
    return pickForm(table, draft, `${partPath}.type`, part["type"])?.(draft, partPath, part) ?? {};
  });
}

function toText(draft: Draft, path: string, part: JsonObject): JsonObject {
  return { ...toAnswerText(draft, path, part), ...cacheBreakpoint(part) };
}

function toAnswerText(draft: Draft, path: string, part: JsonObject): JsonObject {
  // What was told about the text when it was written is of no use to a model that reads it.
  nameOthers(draft, part, ["text", "annotations", "logprobs"]);
  return { type: "text", text: requireString(draft, `${path}.text`, part["text"]) };
}

function toImage(draft: Draft, path: string, part: JsonObject): JsonObject {
  nameOthers(draft, part, ["image_url", "detail"]);
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
  nameOthers(draft, part, ["file_data", "file_id", "filename"]);
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

function nameOthers(draft: Draft, part: JsonObject, known: readonly string[]): void {
  ignoreMembers(draft, "input[].content[]", part, ["type", "prompt_cache_breakpoint", ...known]);
}

function cacheBreakpoint(part: JsonObject): JsonObject {
  const breakpoint = part["prompt_cache_breakpoint"];
  return isObject(breakpoint) ? { prompt_cache_breakpoint: breakpoint } : {};
}
