/**
 * OpenAI's error envelope `{"error":{message,type,param,code}}` (API reference, "Errors"), and a reader for the shapes
 * in which upstreams tell an error inside a stream or a document.
 *
 * @module
 */
import { finiteNumber, isObject, type JsonObject, nonEmptyString } from "./json.ts";
import { withoutSecrets } from "./safe_text.ts";

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
 *
 * Upstreams echo what they were sent, a refused bearer for instance: what looks like a credential is taken out.
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
    message: safeText(message),
    type: safeText(value["type"]),
    param: safeText(value["param"]),
    code: safeText(code) ?? (finiteNumber(code) === undefined ? null : String(code)),
  };
}

function safeText(value: unknown): string | null {
  const text = nonEmptyString(value);
  return text === undefined ? null : withoutSecrets(text, []);
}

/**
 * An event of a stream that passes through, with its error's words as {@linkcode readToldError} would tell them: the same
 * object when nothing had to be taken out.
 */
export function withSafeError(event: JsonObject): JsonObject {
  return mapMembers(event, (name, value) => {
    if (name === "response") return isObject(value) ? withSafeError(value) : value;
    if (name === "error" && isObject(value)) return mapMembers(value, (_, member) => safeWords(member));
    return flatErrorMembers.has(name) ? safeWords(value) : value;
  });
}

/** Where an event carries the words of an error itself; `type` is then the event's. */
const flatErrorMembers: ReadonlySet<string> = new Set(["error", "message", "param", "code", "detail"]);

function safeWords(value: unknown): unknown {
  return typeof value === "string" ? withoutSecrets(value, []) : value;
}

/** The same object when `change` changes no member. */
function mapMembers(object: JsonObject, change: (name: string, value: unknown) => unknown): JsonObject {
  let changed = object;
  for (const [name, value] of Object.entries(object)) {
    const instead = change(name, value);
    if (instead !== value) changed = { ...changed, [name]: instead };
  }
  return changed;
}
