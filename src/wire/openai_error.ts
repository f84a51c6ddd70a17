/**
 * OpenAI's error envelope `{"error":{message,type,param,code}}` (API reference, "Errors"), and a reader for the shapes
 * in which upstreams tell an error inside a stream or a document.
 *
 * @module
 */
import { finiteNumber, isObject, type JsonObject, nonEmptyString } from "./json.ts";

/** The members of the envelope's `error`. */
export interface OpenAiErrorFields {
  /** A sentence for a person. */
  readonly message: string;
  /** The family, e.g. `invalid_request_error`, `rate_limit_error`, `server_error`. */
  readonly type: string;
  /** The request field at fault, as a path such as `messages[0].role`. */
  readonly param: string | null;
  /** The stable word for programs, e.g. `context_length_exceeded`. */
  readonly code: string | null;
}

/** The envelope as an object with its members in the reference's order. */
export interface OpenAiErrorBody {
  readonly error: OpenAiErrorFields;
}

/** Wraps the four members into the envelope; nothing else of `fields` gets in. */
export function openAiError(fields: OpenAiErrorFields): OpenAiErrorBody {
  return {
    error: { message: fields.message, type: fields.type, param: fields.param, code: fields.code },
  };
}

/** An error as an upstream told it; each member null when it did not tell. */
export interface ToldError {
  readonly message: string | null;
  readonly type: string | null;
  readonly param: string | null;
  readonly code: string | null;
}

/**
 * Reads the error out of a JSON object, or returns undefined when it tells none. Accepted shapes (facts chatgpt-codex
 * 4.3 and 5, xai-grok 9, github-copilot 12): `{error:{message,type,param,code}}`, `{code,message,param}`,
 * `{code,error:"text"}`, `{error:"text"}`, `{detail:"text"}`. A numeric code becomes its decimal text; an `error`
 * object that says nothing is no error (Copilot's content filter results carry such ones).
 */
export function readToldError(value: JsonObject): ToldError | undefined {
  const inner = value["error"];
  if (isObject(inner)) {
    const told = readFields(inner, inner["message"]);
    return told.message === null && told.code === null && told.type === null ? undefined : told;
  }
  const text = nonEmptyString(inner) ?? nonEmptyString(value["message"]) ?? nonEmptyString(value["detail"]);
  if (text === undefined) return undefined;
  return { ...readFields(value, text), type: null };
}

function readFields(value: JsonObject, message: unknown): ToldError {
  const code = value["code"];
  return {
    message: nonEmptyString(message) ?? null,
    type: nonEmptyString(value["type"]) ?? null,
    param: nonEmptyString(value["param"]) ?? null,
    code: nonEmptyString(code) ?? (finiteNumber(code) === undefined ? null : String(code)),
  };
}
