/**
 * Looking into JSON that came off the wire, for the sandbox alone: it shares no reader with the relay.
 *
 * @module
 */

/** Unjudged members of a JSON object. */
export type Members = { readonly [name: string]: unknown };

/** True for a JSON object: not null, not an array. */
export function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The members of an object, or none when the value is no object. */
export function membersOf(value: unknown): Members {
  return isMembers(value) ? value : {};
}

/** The elements of an array, or none when the value is no array. */
export function elementsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The parsed text, or undefined when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
