/**
 * The request half for clients that speak Chat Completions: their request in the hub dialect Responses.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { CHAT_FIELDS } from "./chat_fields.ts";
import { applyFields } from "./field_table.ts";
import { createDraft, refuseType, type Translated } from "./translated.ts";

/**
 * Translates a Chat Completions request. Pure. Every field is carried, refused or dropped and named, as
 * {@linkcode CHAT_FIELDS} says; parts of the body may be shared with the input.
 */
export function chatToResponses(body: JsonObject): Translated {
  const draft = createDraft();
  for (const field of ["model", "messages"]) {
    if (body[field] === undefined || body[field] === null) {
      refuseType(draft, field, field === "model" ? "a string" : "an array", body[field]);
    }
  }
  applyFields(CHAT_FIELDS, body, draft);
  return draft.outcome();
}
