/**
 * The form of the tables that say, for each request field of a dialect, what an upstream makes of it. A provider's
 * `prepare` runs on its tables, and the reference in the documentation is printed from them.
 *
 * A field that a table does not know is sent as it is: the client speaks the upstream's own dialect then, and the
 * upstream may know more than we do. It refuses what it does not know in its own words.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import type { PreparedRequest } from "./provider.ts";

/** A refusal of {@linkcode PreparedRequest}. */
export type RequestRefusal = Extract<PreparedRequest, { readonly kind: "refused" }>;

/** What one field makes of a request. */
export interface FittedField {
  /** Tells it from a refusal. */
  readonly kind: "fitted";
  /** Members to set, by name; undefined removes one. */
  readonly changes: JsonObject;
  /** Names of what was dropped. */
  readonly ignored: readonly string[];
}

/** A row: what becomes of one field. */
export interface RequestField {
  /** `changed`: it goes out, but not always as it came. */
  readonly fate: "sent" | "changed" | "dropped" | "refused";
  /** For people: how it is changed, or why it does not go out. One phrase without a full stop; may be empty. */
  readonly note: string;
  /**
   * Judges the field's value, which is undefined when the request has none. Null is passed as it came; in OpenAI's API
   * it means absent. Left out of a row whose field is sent as it is.
   */
  readonly fit?: (value: unknown, field: string, body: JsonObject) => FittedField | RequestRefusal;
}

/** A table: field name to row, in the order of the reference. Frozen. */
export type RequestFields = Readonly<Record<string, RequestField>>;

/** Runs a request through a table. The same body comes back when nothing had to change. */
export function prepareRequest(fields: RequestFields, body: JsonObject): PreparedRequest {
  const changes: JsonObject = {};
  const ignored: string[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const fitted = field.fit?.(body[name], name, body);
    if (fitted === undefined) continue;
    if (fitted.kind === "refused") return fitted;
    Object.assign(changes, fitted.changes);
    ignored.push(...fitted.ignored);
  }
  return { kind: "ready", body: overlay(body, changes), ignored };
}

/** A field that goes out as it is. */
export function sent(note: string = ""): RequestField {
  return { fate: "sent", note };
}

/** A field that `fit` makes fit. */
export function changed(note: string, fit: NonNullable<RequestField["fit"]>): RequestField {
  return { fate: "changed", note, fit };
}

/**
 * A field that the upstream refuses and an answer survives without: dropped and named. `neutral` is the API's default: a
 * request that says what would hold anyway loses nothing, so it is not named. Neither are null and an empty object.
 */
export function droppedField(note: string, neutral?: unknown): RequestField {
  return {
    fate: "dropped",
    note,
    fit: (value, field) => set({ [field]: undefined }, isNeutral(value, neutral) ? [] : [field]),
  };
}

/**
 * A field that is refused when it asks for something, because dropping it would answer another question. In its harmless
 * forms, null and `neutral`, it is left out in silence. `advice` is the sentence that says what to do.
 */
export function refusedField(note: string, advice: string, neutral?: unknown): RequestField {
  return {
    fate: "refused",
    note,
    fit: (value, field) =>
      isSet(value) && value !== neutral ? unsupported(field, advice) : set({ [field]: undefined }),
  };
}

/** `store`: what it asks for is refused, and `false`, which forbids it, goes out. */
export const noStorage: RequestField = Object.freeze({
  fate: "refused",
  note: "when `true`, because responses are not stored",
  fit: (value: unknown, field: string) => {
    if (value !== true) return set({});
    return {
      ...unsupported(field, "Set it to false: responses are not stored."),
      code: "unsupported_value",
    };
  },
});

/** The fields of the Responses dialect that build on state which no upstream of a subscription keeps for us. */
export const statefulFields: RequestFields = Object.freeze({
  background: refusedField("responses are not stored", "Stream the response instead.", false),
  conversation: refusedField("responses are not stored", "Send the whole conversation as input instead."),
  previous_response_id: refusedField(
    "responses are not stored",
    "Send the whole conversation as input instead.",
  ),
  prompt: refusedField(
    "prompts are not stored",
    "Send the prompt's text as instructions and input instead.",
  ),
});

/** What a row's `fit` returns: members to set, and the names of what was dropped. */
export function set(changes: JsonObject, ignored: readonly string[] = []): FittedField {
  return { kind: "fitted", changes, ignored };
}

/** A refusal because of the field `name`; `advice` is the sentence that says what to do. */
export function unsupported(name: string, advice: string): RequestRefusal {
  return {
    kind: "refused",
    message: `The parameter ${name} is not supported by this provider. ${advice}`,
    param: name,
    code: "unsupported_parameter",
  };
}

/** Neither absent nor null. */
export function isSet(value: unknown): boolean {
  return value !== null && value !== undefined;
}

/** Says whether dropping `value` of a field whose default is `neutral` changes nothing. */
function isNeutral(value: unknown, neutral: unknown): boolean {
  if (!isSet(value)) return true;
  if (typeof value === "object" && !Array.isArray(value)) return Object.keys(value ?? {}).length === 0;
  return neutral !== undefined && value === neutral;
}

/** `body` with `changes` made; the same object when it had them all already. */
function overlay(body: JsonObject, changes: JsonObject): JsonObject {
  const names = Object.keys(changes).filter((name) =>
    changes[name] === undefined ? name in body : body[name] !== changes[name]
  );
  if (names.length === 0) return body;
  const changed: JsonObject = { ...body };
  for (const name of names) {
    if (changes[name] === undefined) delete changed[name];
    else changed[name] = changes[name];
  }
  return changed;
}
