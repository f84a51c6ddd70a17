/**
 * Reading JSON that somebody else wrote. Everything from outside is `unknown` until a named reader accepts it; these
 * are the small readers that the larger ones are made of. None of them throws.
 *
 * @module
 */

/** Any JSON value (RFC 8259). */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** A JSON object whose members have not been judged yet. */
export type JsonObject = { [key: string]: unknown };

/** True for a JSON object: not null, not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** False for an absent member and for `null`, by which clients say the same. */
export function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** The value as an object, or an empty one: for optional nested blocks whose absence means nothing. */
export function objectOrEmpty(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** The value when it is a string with at least one character. */
export function nonEmptyString(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A finite number, also when it was written as a decimal string (several upstreams do that with intervals). */
export function finiteNumber(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** Whether objects and arrays stand in one another more than `levels` deep; `value` itself is the first level. */
export function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => nestsDeeper(member, levels - 1));
}

/** The parsed text when it is one JSON object, else undefined: for bodies that may be HTML, empty or cut. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
