/**
 * The parts that the three providers' request rules are made of: parameters that are dropped and named, and parameters
 * that are refused with a sentence.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import type { PreparedRequest } from "./provider.ts";

/** A refusal of {@linkcode PreparedRequest}. */
export type RequestRefusal = Extract<PreparedRequest, { readonly kind: "refused" }>;

/**
 * Parameters that an upstream refuses and an answer survives without. The value is the API's default: a request that
 * says what would hold anyway loses nothing, so the parameter is dropped without being named. So is null.
 */
export type DroppedParameters = Readonly<Record<string, unknown>>;

/** Says whether dropping `value` of a parameter whose default is `neutral` changes nothing. */
function isNeutral(value: unknown, neutral: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (typeof value === "object" && !Array.isArray(value)) return Object.keys(value).length === 0;
  return neutral !== undefined && value === neutral;
}

/** The body without the parameters of `table`, and the names of those that meant something. The same body if it has none. */
export function dropParameters(
  body: JsonObject,
  table: DroppedParameters,
): { readonly body: JsonObject; readonly ignored: readonly string[] } {
  const present = Object.keys(body).filter((name) => Object.hasOwn(table, name));
  if (present.length === 0) return { body, ignored: [] };
  const kept = Object.entries(body).filter(([name]) => !Object.hasOwn(table, name));
  return {
    body: Object.fromEntries(kept),
    ignored: present.filter((name) => !isNeutral(body[name], table[name])),
  };
}

/**
 * Refuses what builds on state that no upstream of a subscription keeps for us: dropping it would answer another
 * question than the one that was asked.
 */
export function refuseStatefulParameters(body: JsonObject): RequestRefusal | undefined {
  if (isSet(body["previous_response_id"])) {
    return unsupported("previous_response_id", "Send the whole conversation as input instead.");
  }
  if (isSet(body["conversation"])) {
    return unsupported("conversation", "Send the whole conversation as input instead.");
  }
  if (isSet(body["prompt"])) {
    return unsupported("prompt", "Send the prompt's text as instructions and input instead.");
  }
  if (body["background"] === true) return unsupported("background", "Stream the response instead.");
  return undefined;
}

/** The parameters of {@linkcode refuseStatefulParameters} in their harmless forms (null, false): dropped in silence. */
export const statelessForms: DroppedParameters = Object.freeze({
  background: false,
  conversation: null,
  previous_response_id: null,
  prompt: null,
});

/** A refusal because of the parameter `name`; `advice` is the sentence that says what to do. */
export function unsupported(name: string, advice: string): RequestRefusal {
  return {
    kind: "refused",
    message: `The parameter ${name} is not supported by this provider. ${advice}`,
    param: name,
    code: "unsupported_parameter",
  };
}

function isSet(value: unknown): boolean {
  return value !== null && value !== undefined;
}
