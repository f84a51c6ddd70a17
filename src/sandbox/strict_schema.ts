/**
 * The rule for schemas with `strict: true`: every object closes itself (`additionalProperties: false`) and requires all
 * of its properties.
 *
 * Source: the facts page on ChatGPT, section 3.5.
 *
 * @module
 */
import { elementsOf, isMembers } from "./members.ts";

/** The sentence about the first place that breaks the rule, or undefined when none does. */
export function strictSchemaFault(schema: unknown, context: readonly string[] = []): string | undefined {
  if (Array.isArray(schema)) {
    return first(schema.map((one, index) => () => strictSchemaFault(one, [...context, String(index)])));
  }
  if (!isMembers(schema)) return undefined;
  const where = `In context=(${context.map((step) => `'${step}'`).join(", ")}), `;
  const types = Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]];
  const properties = isMembers(schema["properties"]) ? schema["properties"] : {};
  if (types.includes("object")) {
    if (schema["additionalProperties"] !== false) {
      return `${where}'additionalProperties' is required to be supplied and to be false.`;
    }
    const required = elementsOf(schema["required"]);
    const absent = Object.keys(properties).find((name) => !required.includes(name));
    if (absent !== undefined) {
      return `${where}'required' is required to be supplied and to be an array including every key in properties. ` +
        `Missing '${absent}'.`;
    }
  }
  return first([
    ...["properties", "$defs", "definitions"].flatMap((keyword) => {
      const named = schema[keyword];
      return Object.entries(isMembers(named) ? named : {}).map(([name, one]) => () =>
        strictSchemaFault(one, [...context, keyword, name])
      );
    }),
    ...["items", "prefixItems", "anyOf", "oneOf", "allOf"].map((keyword) => () =>
      strictSchemaFault(schema[keyword], [...context, keyword])
    ),
  ]);
}

function first(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const fault = check();
    if (fault !== undefined) return fault;
  }
  return undefined;
}
