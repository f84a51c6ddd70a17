/// <reference lib="dom" />
/**
 * The view that says what went wrong and offers the way on.
 *
 * @module
 */
import { findElement } from "./find_element.ts";

/** A problem as the person reads it. */
export interface Problem {
  readonly heading: string;
  /** Plain text: markup in it is shown, not obeyed. */
  readonly message: string;
  /** The label of the main button, and what it does. */
  readonly action: string;
  readonly act: () => void;
}

/** The view. */
export interface ProblemView {
  fill(problem: Problem): void;
}

/** Finds the view's elements. `back` leads to the choice of providers. */
export function createProblemView(document: Document, back: () => void): ProblemView {
  const heading = findElement(document, "problem-title", HTMLElement);
  const message = findElement(document, "problem-message", HTMLElement);
  const action = findElement(document, "problem-retry", HTMLButtonElement);
  let act = () => {};
  action.addEventListener("click", () => act());
  findElement(document, "problem-back", HTMLButtonElement).addEventListener("click", back);
  return {
    fill(problem) {
      heading.textContent = problem.heading;
      message.textContent = problem.message;
      action.textContent = problem.action;
      act = problem.act;
    },
  };
}
