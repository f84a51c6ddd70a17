/// <reference lib="dom" />
/**
 * The view with the user code: what to type, where, and how long it is still good for.
 *
 * @module
 */
import type { Schedule } from "./browser_client.ts";
import { type CopyFeedback, makeCopyButton } from "./copy_button.ts";
import { minutesAndSeconds, startCountdown } from "./countdown.ts";
import { findElement } from "./find_element.ts";
import { qrCode } from "./qr_code.ts";
import type { StartedSignIn } from "./relay_answers.ts";

/** What the view needs from the page. */
export interface CodeViewParts extends CopyFeedback {
  readonly nowMs: () => number;
  readonly schedule: Schedule;
  readonly cancel: () => void;
}

/** The view. */
export interface CodeView {
  /** Fills the view and starts the countdown. The returned function stops the countdown. */
  fill(displayName: string, started: StartedSignIn): () => void;
}

/** From here on the time left is shown in the colour of a warning. */
const soonSeconds = 60;

/** Finds the view's elements and wires its buttons. */
export function createCodeView(document: Document, parts: CodeViewParts): CodeView {
  const provider = findElement(document, "code-provider", HTMLElement);
  const userCode = findElement(document, "user-code", HTMLOutputElement);
  const link = findElement(document, "verification-link", HTMLAnchorElement);
  const host = findElement(document, "verification-host", HTMLElement);
  const address = findElement(document, "verification-url", HTMLElement);
  const qrFigure = findElement(document, "qr-figure", HTMLElement);
  const qrPicture = findElement(document, "qr-code", SVGSVGElement);
  const qrPath = findElement(document, "qr-path", SVGPathElement);
  const countdown = findElement(document, "countdown", HTMLElement);

  makeCopyButton(findElement(document, "copy-code", HTMLButtonElement), {
    ...parts,
    text: () => userCode.textContent,
    select: () => document.getSelection()?.selectAllChildren(userCode),
  });
  findElement(document, "cancel-sign-in", HTMLButtonElement).addEventListener("click", parts.cancel);

  function drawQrCode(text: string): void {
    const code = qrCode(text);
    qrFigure.hidden = code === undefined;
    if (code === undefined) return;
    qrPicture.setAttribute("viewBox", `0 0 ${code.size} ${code.size}`);
    qrPath.setAttribute("d", code.path);
  }

  function showTimeLeft(seconds: number): void {
    countdown.textContent = minutesAndSeconds(seconds);
    countdown.parentElement?.classList.toggle("soon", seconds <= soonSeconds);
    if (seconds === soonSeconds) parts.announce("One minute is left to approve the sign-in.");
  }

  return {
    fill(displayName, started) {
      provider.textContent = displayName;
      userCode.textContent = started.userCode;
      link.href = started.verificationUrl;
      host.textContent = new URL(started.verificationUrl).host;
      address.textContent = started.verificationUrl.replace(/^https:\/\//, "");
      drawQrCode(started.verificationUrl);
      return startCountdown(parts.nowMs() + started.expiresInMs, parts, showTimeLeft);
    },
  };
}
