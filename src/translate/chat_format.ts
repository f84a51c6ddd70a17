/**
 * Chat Completions `response_format` to the `text.format` of Responses. The user's schema goes over as it is.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { carriedForm, type FormTable, formTable, pickForm } from "./form_table.ts";
import { type Draft, requireObject, requireString } from "./translated.ts";

type ToFormat = (draft: Draft, path: string, format: JsonObject) => JsonObject | undefined;

/** The forms of `response_format`, by `type`. */
export const CHAT_FORMATS: FormTable<ToFormat> = formTable<ToFormat>({
  text: carriedForm("the default of Responses, so nothing is sent", () => undefined),
  json_object: carriedForm("as `json_object`", () => ({ type: "json_object" })),
  json_schema: carriedForm("as `json_schema`, the schema as it is", toSchemaFormat),
});

/** Translates the object at `path`; undefined for plain text, which is the default of Responses. */
export function toTextFormat(draft: Draft, path: string, value: unknown): JsonObject | undefined {
  const format = requireObject(draft, path, value);
  return pickForm(CHAT_FORMATS, draft, `${path}.type`, format["type"])?.(draft, path, format);
}

function toSchemaFormat(draft: Draft, path: string, format: JsonObject): JsonObject {
  const inner = requireObject(draft, `${path}.json_schema`, format["json_schema"]);
  const { description, schema, strict } = inner;
  return {
    type: "json_schema",
    name: requireString(draft, `${path}.json_schema.name`, inner["name"]),
    ...(typeof description === "string" ? { description } : {}),
    // Chat allows a format without a schema, Responses does not; the empty schema allows the same answers.
    schema: schema === undefined || schema === null
      ? {}
      : requireObject(draft, `${path}.json_schema.schema`, schema),
    // An absent `strict` is false in both dialects.
    ...(typeof strict === "boolean" ? { strict } : {}),
  };
}
