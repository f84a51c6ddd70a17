/**
 * Chat Completions `response_format` to the `text.format` of Responses. The user's schema goes over as it is.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { type Draft, refuseValue, requireObject, requireString } from "./translated.ts";

/** Translates the object at `path`; undefined for plain text, which is the default of Responses. */
export function toTextFormat(draft: Draft, path: string, value: unknown): JsonObject | undefined {
  const format = requireObject(draft, path, value);
  switch (format["type"]) {
    case "text":
      return undefined;
    case "json_object":
      return { type: "json_object" };
    case "json_schema": {
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
        ...(typeof strict === "boolean" ? { strict } : {}),
      };
    }
    default:
      refuseValue(draft, `${path}.type`, format["type"], ["text", "json_object", "json_schema"]);
      return undefined;
  }
}
