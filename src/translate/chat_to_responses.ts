/**
 * The request half for clients that speak Chat Completions: their request in the hub dialect Responses, and what the
 * reply half has to know of it.
 *
 * @module
 */
import { type JsonObject, objectOrEmpty } from "../wire/json.ts";
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

/** What the reply half honours of a Chat Completions request. */
export interface ChatReplyWishes {
  /** Whether the client asked for a stream. */
  readonly stream: boolean;
  /** Whether the stream shall end with a chunk that tells the usage. */
  readonly includeUsage: boolean;
  /** Whether calls are told as the legacy `function_call`, because the request had the legacy `functions`. */
  readonly legacyFunctions: boolean;
}

/** Reads the wishes; a request that {@linkcode chatToResponses} accepts always has readable ones. */
export function chatReplyWishes(body: JsonObject): ChatReplyWishes {
  return {
    stream: body["stream"] === true,
    includeUsage: objectOrEmpty(body["stream_options"])["include_usage"] === true,
    legacyFunctions: Array.isArray(body["functions"]) && !Array.isArray(body["tools"]),
  };
}
