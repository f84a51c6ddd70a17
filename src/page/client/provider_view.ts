/// <reference lib="dom" />
/**
 * The view in which a person picks a provider.
 *
 * @module
 */
import { findElement, showText } from "./find_element.ts";
import type { OfferedProvider } from "./relay_answers.ts";

/** The view. */
export interface ProviderView {
  /** Shows one button for each provider; `notice` says why the person is here again. */
  fill(offered: readonly OfferedProvider[], notice: string | undefined): void;
}

/** Finds the view's elements. `pick` is called at most once after each `fill`. */
export function createProviderView(
  document: Document,
  pick: (provider: OfferedProvider) => void,
): ProviderView {
  const list = findElement(document, "provider-list", HTMLUListElement);
  const noticeElement = findElement(document, "providers-notice", HTMLElement);

  function providerButton(provider: OfferedProvider): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = provider.displayName;
    button.addEventListener("click", () => {
      for (const other of list.querySelectorAll("button")) other.disabled = true;
      button.setAttribute("aria-busy", "true");
      pick(provider);
    });
    return button;
  }

  return {
    fill(offered, notice) {
      showText(noticeElement, notice);
      list.replaceChildren(...offered.map((provider) => {
        const item = document.createElement("li");
        item.append(providerButton(provider));
        return item;
      }));
    },
  };
}
