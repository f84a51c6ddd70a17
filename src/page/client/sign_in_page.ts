/// <reference lib="dom" />
/**
 * The page's course: choose a provider, approve the code, use the session, sign out; and what may go wrong between.
 *
 * @module
 */
import type { BrowserClient, Schedule, SignInOutcome } from "./browser_client.ts";
import { createChatView } from "./chat_view.ts";
import { createCodeView } from "./code_view.ts";
import { findElement } from "./find_element.ts";
import { createProblemView, type Problem } from "./problem_view.ts";
import { createProviderView } from "./provider_view.ts";
import type { OfferedProvider } from "./relay_answers.ts";
import { RelayError } from "./relay_error.ts";
import type { SessionKeeper } from "./session_keeper.ts";
import { createSessionView } from "./session_view.ts";
import { createViewSwitch } from "./view_switch.ts";

/** What the page is made of. */
export interface SignInPageParts {
  readonly document: Document;
  readonly client: BrowserClient;
  readonly session: SessionKeeper;
  readonly schedule: Schedule;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** The relay's address, with a trailing slash. */
  readonly baseUrl: string;
}

/** Wires the document and starts: with the kept session if there is one, else with the choice of providers. */
export function runSignInPage(parts: SignInPageParts): void {
  const { document, client, session, schedule } = parts;
  const announcer = findElement(document, "announcer", HTMLElement);
  const announce = (sentence: string) => {
    announcer.textContent = sentence;
  };
  const show = createViewSwitch(document);
  findElement(document, "relay-address", HTMLElement).textContent = withoutScheme(parts.baseUrl);

  /** Ends what belongs to the step that the person is leaving: calls, the poll loop, the countdown. */
  let step = new AbortController();
  let offered: readonly OfferedProvider[] = [];

  const providerView = createProviderView(
    document,
    (provider) => enter((signal) => signIn(provider, signal)),
  );
  const codeView = createCodeView(document, {
    ...parts,
    announce,
    cancel: () => enter((signal) => chooseProvider(signal)),
  });
  const problemView = createProblemView(document, () => {
    session.forget();
    enter((signal) => chooseProvider(signal));
  });
  const chatView = createChatView(document, { client, sessionEnded: (error) => leaveSession(error.message) });
  const sessionView = createSessionView(document, {
    schedule,
    announce,
    baseUrl: parts.baseUrl,
    signOut: () => void signOut(),
  });

  /** Leaves the current step and takes another. What the new one does after it was left itself is of no interest. */
  function enter(take: (signal: AbortSignal) => Promise<void>): void {
    step.abort();
    step = new AbortController();
    const { signal } = step;
    take(signal).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }

  function showProblem(problem: Problem): void {
    problemView.fill(problem);
    show("problem");
  }

  async function chooseProvider(signal: AbortSignal, notice?: string): Promise<void> {
    show("loading");
    try {
      offered = await client.providers(signal);
    } catch (error) {
      showProblem({
        heading: "The sign-in cannot start",
        message: sentenceFor(error),
        action: "Try again",
        act: () => enter((next) => chooseProvider(next)),
      });
      return;
    }
    providerView.fill(offered, offered.length === 0 ? "This relay offers no provider." : notice);
    show("providers");
  }

  async function signIn(provider: OfferedProvider, signal: AbortSignal): Promise<void> {
    const outcome = await waitForApproval(provider, signal);
    signal.throwIfAborted();
    if (outcome.kind === "complete") {
      session.keep(outcome.jwt);
      return await openSession(outcome.jwt, signal);
    }
    const startAgain = () => enter((next) => signIn(provider, next));
    showProblem({ ...problemOf(outcome), action: "Start again", act: startAgain });
  }

  async function waitForApproval(provider: OfferedProvider, signal: AbortSignal): Promise<SignInOutcome> {
    try {
      const started = await client.start(provider.id, signal);
      const stopCountdown = codeView.fill(provider.displayName, started);
      signal.addEventListener("abort", stopCountdown);
      show("code");
      return await client.waitForSignIn(started, signal).finally(stopCountdown);
    } catch (error) {
      signal.throwIfAborted();
      return { kind: "failed", message: sentenceFor(error) };
    }
  }

  async function openSession(jwt: string, signal: AbortSignal): Promise<void> {
    show("loading");
    try {
      const owner = await client.whoami(jwt, signal);
      if (offered.length === 0) offered = await client.providers(signal);
      const provider = offered.find(({ id }) => id === owner.provider);
      sessionView.fill(owner, provider?.displayName ?? owner.provider, jwt);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RelayError && error.sessionEnded) return leaveSession(error.message);
      showProblem({
        heading: "The session cannot be opened",
        message: sentenceFor(error),
        action: "Try again",
        act: () => enter((next) => openSession(jwt, next)),
      });
      return;
    }
    show("session");
    chatView.open(jwt, signal);
  }

  async function signOut(): Promise<void> {
    const jwt = session.read();
    const { signal } = step;
    if (jwt === undefined) return leaveSession("You are signed out.");
    sessionView.setBusy(true);
    sessionView.showError(undefined);
    try {
      await client.revoke(jwt, signal);
      leaveSession("You are signed out.");
    } catch (error) {
      if (!signal.aborted) sessionView.showError(`You are still signed in. ${sentenceFor(error)}`);
    } finally {
      sessionView.setBusy(false);
    }
  }

  /** Forgets the session, in storage and in the document, and goes back to the choice of providers. */
  function leaveSession(notice: string): void {
    session.forget();
    sessionView.clear();
    enter((signal) => chooseProvider(signal, notice));
  }

  const kept = session.read();
  enter((signal) => kept === undefined ? chooseProvider(signal) : openSession(kept, signal));
}

/** What the person reads when a sign-in ended without a session. */
function problemOf(
  outcome: Exclude<SignInOutcome, { readonly kind: "complete" }>,
): { readonly heading: string; readonly message: string } {
  if (outcome.kind === "failed") return { heading: "You are not signed in", message: outcome.message };
  return {
    heading: "The code has expired",
    message: "It was not approved in time. Start again to get a new one.",
  };
}

/** An address as a person would say it. */
function withoutScheme(url: string): string {
  return url.replace(/^https?:\/\//, "").replace(/\/$/, "");
}

/** The relay's sentence. Anything else that was thrown is a fault of this page and goes on to the browser's console. */
function sentenceFor(error: unknown): string {
  if (error instanceof RelayError) return error.message;
  throw error;
}
