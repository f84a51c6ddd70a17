/**
 * The request half for clients that speak Responses in front of an upstream that only speaks Chat Completions.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { applyFields } from "./field_table.ts";
import { RESPONSES_FIELDS } from "./responses_fields.ts";
import { createDraft, refuseType, type Translated } from "./translated.ts";

/**
 * Translates a Responses request. Pure. Every field is carried, refused or dropped and named, as
 * {@linkcode RESPONSES_FIELDS} says; parts of the body may be shared with the input.
 */
export function responsesToChat(body: JsonObject): Translated {
  const draft = createDraft();
  if (body["model"] === undefined || body["model"] === null) {
    refuseType(draft, "model", "a string", body["model"]);
  }
  if (body["input"] === undefined || body["input"] === null) {
    refuseType(draft, "input", "a string or an array of items", body["input"]);
  }
  applyFields(RESPONSES_FIELDS, body, draft);
  withoutIdleToolMembers(draft.body);
  return draft.outcome();
}

/** Chat refuses an empty list of tools, and what speaks of tools when there are none. */
function withoutIdleToolMembers(body: JsonObject): void {
  const { tools } = body;
  if (Array.isArray(tools) && tools.length > 0) return;
  delete body["tools"];
  delete body["parallel_tool_calls"];
  if (body["tool_choice"] === "auto" || body["tool_choice"] === "none") delete body["tool_choice"];
}
