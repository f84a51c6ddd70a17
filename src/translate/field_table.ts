/**
 * The form of the tables that say, for each request field of a dialect, what becomes of it. The translators run on the
 * tables, and the reference in the documentation is printed from them.
 *
 * @module
 */
import { isObject, type JsonObject, objectOrEmpty } from "../wire/json.ts";
import { type Draft, refuseType, requireObject } from "./translated.ts";

/** What becomes of a field: `reply` means that the reply half honours it and nothing is sent upstream. */
export type FieldFate = "carried" | "reply" | "refused" | "dropped";

/** A row of a table. */
export interface FieldRule {
  readonly fate: FieldFate;
  /** Of a carried field: its name in the other dialect (`a.b` is a member of an object). */
  readonly target?: string;
  /** For people: how the field goes over, or why it cannot. One phrase without a full stop; empty if there is no more to say. */
  readonly note: string;
  /** Takes the field's value, which is never null or undefined, into the draft. */
  apply(draft: Draft, value: unknown, field: string, request: JsonObject): void;
}

/** A table: field name to rule, in the order of the reference. Frozen. */
export type FieldTable = Readonly<Record<string, FieldRule>>;

/**
 * Runs a request through a table, in the table's order. A field whose value is null counts as absent, as the reference
 * has it; a field that the table does not know is dropped and named.
 */
export function applyFields(table: FieldTable, request: JsonObject, draft: Draft): void {
  for (const [field, rule] of Object.entries(table)) {
    const value = request[field];
    if (!Object.hasOwn(request, field) || value === null || value === undefined) continue;
    rule.apply(draft, value, field, request);
  }
  for (const field of Object.keys(request)) {
    if (!Object.hasOwn(table, field)) draft.ignore(field);
  }
}

/**
 * The name that the client gave to a field of the upstream's request: `tables` are those that the request went through, in
 * order, and `request` is the client's. A field that we added ourselves keeps the upstream's name.
 */
export function clientNames(
  tables: readonly FieldTable[],
  request: JsonObject,
  name: string,
): readonly string[] {
  const candidates = tables.reduceRight<readonly string[]>(
    (names, table) => names.flatMap((target) => sourcesOf(table, target)),
    [name],
  );
  const used = candidates.filter((candidate) => Object.hasOwn(request, candidate));
  return used.length === 0 ? [name] : used;
}

function sourcesOf(table: FieldTable, target: string): readonly string[] {
  const fields = Object.keys(table).filter((field) => table[field]?.target === target);
  return fields.length === 0 ? [target] : fields;
}

/** The types of plain values that a field can be checked for. */
export type PlainType = "string" | "number" | "boolean" | "object";

/** A field that goes over as it is under the name `target` (`a.b` is a member of an object), once its type is right. */
export function carriedAs(target: string, type: PlainType): FieldRule {
  return {
    fate: "carried",
    target,
    note: "",
    apply(draft: Draft, value: unknown, field: string): void {
      if (TYPE_CHECKS[type](value)) setPath(draft.body, target, value);
      else refuseType(draft, field, type === "object" ? "an object" : `a ${type}`, value);
    },
  };
}

/** A field that goes over into `target` by a function of its own; `note` says how, as far as the name does not. */
export function carriedInto(target: string, note: string, apply: FieldRule["apply"]): FieldRule {
  return { fate: "carried", target, note, apply };
}

/**
 * A field that the other dialect has no place for: dropped and named. A value that is the reference's default, `neutral`,
 * asks for nothing and is not named; neither is an empty object.
 */
export function dropped(note: string, neutral?: unknown): FieldRule {
  return {
    fate: "dropped",
    note,
    apply(draft: Draft, value: unknown, field: string): void {
      const asksNothing = isObject(value) && Object.keys(value).length === 0;
      if (!asksNothing && value !== neutral) draft.ignore(field);
    },
  };
}

/** An object of options that the other dialect has no place for: each one that asks for something is dropped and named. */
export function droppedMembers(note: string, except: readonly string[] = []): FieldRule {
  return {
    fate: "dropped",
    note,
    apply: (draft, value, field): void => ignoreMembers(draft, field, value, except),
  };
}

/** Names the members of the object at `field` as dropped, apart from those in `except` and those that ask for nothing. */
export function ignoreMembers(draft: Draft, field: string, value: unknown, except: readonly string[]): void {
  for (const [name, asked] of Object.entries(requireObject(draft, field, value))) {
    const asksNothing = asked === undefined || asked === null || asked === false;
    if (!except.includes(name) && !asksNothing) draft.ignore(`${field}.${name}`);
  }
}

/** A field that is refused when `isAsked` says that its value asks for something; other values mean nothing. */
export function refusedWhen(
  isAsked: (value: unknown) => boolean,
  note: string,
  message: string,
): FieldRule {
  return {
    fate: "refused",
    note,
    apply(draft: Draft, value: unknown, field: string): void {
      if (isAsked(value)) draft.refuse(field, "unsupported_parameter", message);
    },
  };
}

/** A field that only the reply half reads. */
export function readByReply(note: string, apply: FieldRule["apply"] = (): void => {}): FieldRule {
  return { fate: "reply", note, apply };
}

/** Writes `a.b` into nested objects, making the outer one when it is missing. */
export function setPath(body: JsonObject, path: string, value: unknown): void {
  const [outer = "", inner] = path.split(".");
  if (inner === undefined) {
    body[outer] = value;
    return;
  }
  body[outer] = { ...objectOrEmpty(body[outer]), [inner]: value };
}

const TYPE_CHECKS: Readonly<Record<PlainType, (value: unknown) => boolean>> = Object.freeze({
  string: (value: unknown): boolean => typeof value === "string",
  number: (value: unknown): boolean => typeof value === "number",
  boolean: (value: unknown): boolean => typeof value === "boolean",
  object: isObject,
});
