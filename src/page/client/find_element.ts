/// <reference lib="dom" />
/**
 * Access to the elements that `sign_in.html` promises.
 *
 * @module
 */

/** The element with `id`. Throws when the document has none of that kind: script and document do not belong together. */
export function findElement<T extends Element>(document: Document, id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`The document has no ${kind.name} with the id ${id}.`);
}

/** Shows `text` in an element that is hidden while it has nothing to say. */
export function showText(element: HTMLElement, text: string | undefined): void {
  element.textContent = text ?? "";
  element.hidden = text === undefined;
}
