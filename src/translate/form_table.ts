/**
 * The form of the tables that say, for a member of a request that can have several forms (told by its `type`, its `role`
 * or a word), what becomes of each form. The translators pick their way with the tables, and the reference in the
 * documentation is printed from them.
 *
 * @module
 */
import type { FieldFate } from "./field_table.ts";
import { type Draft, refuseValue } from "./translated.ts";

/** A row: one form, and the function that takes it over or refuses it. */
export interface FormRule<Translate> {
  readonly fate: Exclude<FieldFate, "reply">;
  /** For people: what the form becomes, or why it cannot. One phrase without a full stop. */
  readonly note: string;
  readonly translate: Translate;
}

/** A table: word to rule. Frozen. */
export type FormTable<Translate> = Readonly<Record<string, FormRule<Translate>>>;

/** Makes a table. */
export function formTable<Translate>(rows: Record<string, FormRule<Translate>>): FormTable<Translate> {
  return Object.freeze(rows);
}

/** A form that goes over. */
export function carriedForm<Translate>(note: string, translate: Translate): FormRule<Translate> {
  return { fate: "carried", note, translate };
}

/** A form that is dropped and named by `translate`. */
export function droppedForm<Translate>(note: string, translate: Translate): FormRule<Translate> {
  return { fate: "dropped", note, translate };
}

/** A form that `translate` refuses, with a sentence that says more than that its word is wrong. */
export function refusedForm<Translate>(note: string, translate: Translate): FormRule<Translate> {
  return { fate: "refused", note, translate };
}

/** The rule for `word`, which stands at `path`; a word that the table does not know is refused, and undefined comes back. */
export function pickForm<Translate>(
  table: FormTable<Translate>,
  draft: Draft,
  path: string,
  word: unknown,
): Translate | undefined {
  if (typeof word === "string" && Object.hasOwn(table, word)) return table[word]?.translate;
  refuseValue(draft, path, word, carriedWords(table));
  return undefined;
}

/** The words of a table that go over, in its order. */
export function carriedWords(table: FormTable<unknown>): string[] {
  return Object.keys(table).filter((word) => table[word]?.fate === "carried");
}
