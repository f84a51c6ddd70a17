/**
 * Small readers for the entries of model lists, whose members come and go.
 *
 * @module
 */
import { finiteNumber, isObject, nonEmptyString } from "../wire/json.ts";

/**
 * The strings of a list, or those in the members `names` of its objects (first one found); undefined when it is no list
 * or holds none.
 */
export function stringList(value: unknown, ...names: readonly string[]): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const strings = value
    .map((entry: unknown) => {
      if (!isObject(entry)) return nonEmptyString(entry);
      return names.map((name) => nonEmptyString(entry[name])).find((text) => text !== undefined);
    })
    .filter((text) => text !== undefined);
  return strings.length === 0 ? undefined : strings;
}

/** `{ [name]: value }` when the value is a positive number, else an empty object: for optional members. */
export function numberMember<Name extends string>(
  name: Name,
  value: unknown,
): { readonly [name in Name]?: number } {
  const number = finiteNumber(value);
  if (number === undefined || number <= 0) return {};
  const member: { [name in Name]?: number } = {};
  member[name] = number;
  return member;
}
