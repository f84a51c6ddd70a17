/// <reference lib="dom" />
/**
 * One view at a time.
 *
 * @module
 */
import { findElement } from "./find_element.ts";

/** The views of `sign_in.html` with their title in the browser's tab. */
const titles = {
  loading: "Sign in",
  providers: "Sign in",
  code: "Waiting for approval",
  problem: "Sign-in did not work",
  session: "Signed in",
} as const;

/** The name of a view. */
export type ViewName = keyof typeof titles;

/**
 * Returns the function that shows one view and hides the rest. It moves the focus to the new view's heading, so that a
 * screen reader reads on there, and sets the tab's title, which is what a person sees who is still at the provider's page.
 */
export function createViewSwitch(document: Document): (name: ViewName) => void {
  const views = Object.keys(titles).map((name) => ({
    name,
    section: findElement(document, `${name}-view`, HTMLElement),
    heading: findElement(document, `${name}-heading`, HTMLElement),
  }));
  return (name) => {
    for (const { name: other, section } of views) section.hidden = other !== name;
    document.title = titles[name];
    views.find((view) => view.name === name)?.heading.focus();
  };
}
