/**
 * The outcome of translating a request, and the draft in which a translation collects it.
 *
 * @module
 */
import { isObject, type JsonObject } from "../wire/json.ts";

/** A request in the other dialect, or the reason why there is none. Same form as the provider's prepared request. */
export type Translated =
  | {
    readonly kind: "ready";
    readonly body: JsonObject;
    /** What was dropped because the other dialect has no place for it: field names, `messages[].name` for members. */
    readonly ignored: readonly string[];
  }
  /** To be answered with status 400 and type `invalid_request_error`. */
  | {
    readonly kind: "refused";
    readonly message: string;
    readonly param: string | null;
    readonly code: string;
  };

/** Why a request was refused; the words are those of OpenAI's API. */
export type RefusalCode =
  | "invalid_type"
  | "invalid_value"
  | "missing_required_parameter"
  | "unsupported_parameter"
  | "unsupported_value";

/**
 * A translation at work. Translators write into `body` and report what they cannot carry; the first refusal wins and
 * is told at the end, so that no translator has to stop half-way.
 */
export interface Draft {
  readonly body: JsonObject;
  /** Refuses the request because of the member at `path`. */
  refuse(path: string, code: RefusalCode, message: string): void;
  /** Notes that something was dropped; twice is once. */
  ignore(name: string): void;
  /** True after a refusal. */
  readonly refused: boolean;
  /** The outcome. */
  outcome(): Translated;
}

/** Makes an empty draft. */
export function createDraft(): Draft {
  const body: JsonObject = {};
  const ignored = new Set<string>();
  let refusal: (Translated & { kind: "refused" }) | undefined;
  return {
    body,
    refuse(path: string, code: RefusalCode, message: string): void {
      refusal ??= { kind: "refused", message, param: path, code };
    },
    ignore(name: string): void {
      ignored.add(name);
    },
    get refused(): boolean {
      return refusal !== undefined;
    },
    outcome(): Translated {
      return refusal ?? { kind: "ready", body, ignored: [...ignored] };
    },
  };
}

/** Refuses a value of the wrong JSON type, naming the path, what was expected and what came. */
export function refuseType(draft: Draft, path: string, expected: string, value: unknown): void {
  if (value === undefined) {
    draft.refuse(
      path,
      "missing_required_parameter",
      `Missing required parameter: '${path}' must be ${expected}.`,
    );
  } else {
    const got = jsonTypeOf(value);
    draft.refuse(path, "invalid_type", `Invalid type for '${path}': expected ${expected}, but got ${got}.`);
  }
}

/** The string at `path`; refuses anything else and returns the empty string. */
export function requireString(draft: Draft, path: string, value: unknown): string {
  if (typeof value === "string") return value;
  refuseType(draft, path, "a string", value);
  return "";
}

/** The object at `path`; refuses anything else and returns an empty one. */
export function requireObject(draft: Draft, path: string, value: unknown): JsonObject {
  if (isObject(value)) return value;
  refuseType(draft, path, "an object", value);
  return {};
}

/** The array at `path`; refuses anything else and returns an empty one. */
export function requireArray(draft: Draft, path: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  refuseType(draft, path, "an array", value);
  return [];
}

/** Refuses a value that is none of the known ones. `value` is quoted if it is a short string. */
export function refuseValue(draft: Draft, path: string, value: unknown, known: readonly string[]): void {
  const shown = typeof value === "string" && value.length <= 64 ? `'${value}'` : jsonTypeOf(value);
  const list = known.map((word) => `'${word}'`).join(", ");
  draft.refuse(
    path,
    "invalid_value",
    `Invalid value for '${path}': ${shown}. Supported values are: ${list}.`,
  );
}

function jsonTypeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
