/// <reference lib="dom" />
/**
 * The view of a session: whose it is, how a program uses it, how it ends.
 *
 * @module
 */
import { type CopyFeedback, makeCopyButton } from "./copy_button.ts";
import { findElement, showText } from "./find_element.ts";
import type { SessionOwner } from "./relay_answers.ts";

/** What the view needs from the page. */
export interface SessionViewParts extends CopyFeedback {
  /** The relay's address, for the base URL that an SDK takes. */
  readonly baseUrl: string;
  readonly signOut: () => void;
}

/** The view. */
export interface SessionView {
  /** Shows the session. The JWT is not in the document until the person asks to see it. */
  fill(owner: SessionOwner, displayName: string, jwt: string): void;
  /** Removes everything that belongs to the session from the document. */
  clear(): void;
  /** Says why signing out did not work. */
  showError(message: string | undefined): void;
  /** Blocks the sign-out button while its call runs. */
  setBusy(busy: boolean): void;
}

/** Stands for the hidden JWT. Its length says nothing. */
const mask = "\u2022".repeat(24);

/** Finds the view's elements and wires its buttons. */
export function createSessionView(document: Document, parts: SessionViewParts): SessionView {
  const provider = findElement(document, "session-provider", HTMLElement);
  const ends = findElement(document, "session-ends", HTMLElement);
  const user = findElement(document, "session-user", HTMLElement);
  const error = findElement(document, "session-error", HTMLElement);
  const baseUrl = findElement(document, "base-url", HTMLInputElement);
  const key = findElement(document, "session-jwt", HTMLInputElement);
  const reveal = findElement(document, "reveal-jwt", HTMLButtonElement);
  const keys = findElement(document, "session-keys", HTMLDetailsElement);
  const signOut = findElement(document, "sign-out", HTMLButtonElement);
  let current = "";

  function showKey(shown: boolean): void {
    key.value = shown ? current : mask;
    reveal.textContent = shown ? "Hide" : "Show";
    reveal.setAttribute("aria-pressed", String(shown));
  }

  baseUrl.value = `${parts.baseUrl}v1`;
  makeCopyButton(findElement(document, "copy-base-url", HTMLButtonElement), {
    ...parts,
    text: () => baseUrl.value,
    select: () => baseUrl.select(),
  });
  makeCopyButton(findElement(document, "copy-jwt", HTMLButtonElement), {
    ...parts,
    text: () => current,
    select: () => {
      showKey(true);
      key.select();
    },
  });
  reveal.addEventListener("click", () => showKey(reveal.getAttribute("aria-pressed") !== "true"));
  signOut.addEventListener("click", parts.signOut);

  function fill(owner: SessionOwner, displayName: string, jwt: string): void {
    current = jwt;
    provider.textContent = displayName;
    user.textContent = owner.userId;
    ends.textContent = owner.expiresAt === undefined ? "Not told by the relay" : localTime(owner.expiresAt);
    keys.open = false;
    showText(error, undefined);
    showKey(false);
  }

  return {
    fill,
    clear: () => fill({ userId: "", provider: "", expiresAt: undefined }, "", ""),
    showError: (message) => showText(error, message),
    setBusy: (busy) => signOut.disabled = busy,
  };
}

/** Unix seconds in the words of the person's own language and time zone. */
function localTime(unixSeconds: number): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" })
    .format(new Date(unixSeconds * 1000));
}
