/// <reference lib="dom" />
/**
 * Buttons that put a text on the clipboard.
 *
 * @module
 */
import type { Schedule } from "./browser_client.ts";

/** How long the button says what happened, milliseconds. */
const feedbackMs = 2000;

/** What the copy buttons of the page share. */
export interface CopyFeedback {
  readonly schedule: Schedule;
  /** Tells a screen reader. */
  readonly announce: (sentence: string) => void;
}

/**
 * Makes `button` copy `text()`. Browsers offer the clipboard only over https and on localhost; where it is missing or
 * refused, `select` marks the text on the page so that the person can copy it with the keyboard.
 */
export function makeCopyButton(
  button: HTMLButtonElement,
  parts: { readonly text: () => string; readonly select: () => void } & CopyFeedback,
): void {
  const label = button.textContent;
  let cancel = () => {};
  button.addEventListener("click", async () => {
    const copied = await writeClipboard(parts.text());
    if (!copied) parts.select();
    parts.announce(
      copied ? "Copied." : "The browser blocked the clipboard. The text is selected: copy it yourself.",
    );
    button.textContent = copied ? "Copied" : "Press Ctrl+C";
    cancel();
    cancel = parts.schedule(feedbackMs, () => button.textContent = label);
  });
}

async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
