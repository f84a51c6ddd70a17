/**
 * The request half for clients that speak legacy Completions: their request in the hub dialect Responses.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { COMPLETIONS_FIELDS } from "./completions_fields.ts";
import { applyFields } from "./field_table.ts";
import { createDraft, refuseType, type Translated } from "./translated.ts";

/**
 * Translates a Completions request. Pure. Every field is carried, refused or dropped and named, as
 * {@linkcode COMPLETIONS_FIELDS} says.
 */
export function completionsToResponses(body: JsonObject): Translated {
  const draft = createDraft();
  if (body["model"] === undefined || body["model"] === null) {
    refuseType(draft, "model", "a string", body["model"]);
  }
  if (body["prompt"] === undefined || body["prompt"] === null) {
    refuseType(draft, "prompt", "a string or an array of one string", body["prompt"]);
  }
  applyFields(COMPLETIONS_FIELDS, body, draft);
  return draft.outcome();
}
