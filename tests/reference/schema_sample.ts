/** Smallest values that a schema of the reference allows, so that every member of a request can be tried. */
import type { ApiReference, Schema } from "./api_reference.ts";
import { wordsOf } from "./api_reference.ts";

/**
 * A value with the required members only. Arrays have one element, so that they ask for something; of several forms and
 * words the last is taken, because the first is often the default.
 */
export function sampleOf(reference: ApiReference, schema: Schema): unknown {
  const last = reference.flatten(schema).filter((one) => one.type !== "null").at(-1);
  if (last === undefined) return null;
  const words = wordsOf(last).filter((word) => word !== null);
  if (words.length > 0) return words.at(-1);
  const type = Array.isArray(last.type) ? last.type.find((one) => one !== "null") : last.type;
  switch (type) {
    case "string":
      return "x";
    case "number":
    case "integer":
      return 2;
    case "boolean":
      return true;
    case "array":
      return [sampleOf(reference, last.items ?? {})];
    default:
      return sampleObject(reference, last);
  }
}

/** An object with its required members, and with `extra` ones as samples. */
export function sampleObject(
  reference: ApiReference,
  schema: Schema,
  extra: readonly string[] = [],
): Record<string, unknown> {
  const members = Object.entries(schema.properties ?? {}).filter(([name]) =>
    schema.required?.includes(name) === true || extra.includes(name)
  );
  // An object without known members is a map of any.
  if (schema.properties === undefined) return { x: "x" };
  return Object.fromEntries(members.map(([name, member]) => [name, sampleOf(reference, member)]));
}
