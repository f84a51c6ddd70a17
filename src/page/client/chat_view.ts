/// <reference lib="dom" />
/**
 * A question to a model, and its answer as it arrives.
 *
 * @module
 */
import type { BrowserClient } from "./browser_client.ts";
import { findElement, showText } from "./find_element.ts";
import { RelayError } from "./relay_error.ts";

/** What the view needs from the page. */
export interface ChatViewParts {
  readonly client: BrowserClient;
  /** The session ended under us; the page has to ask for a new sign-in. */
  readonly sessionEnded: (error: RelayError) => void;
}

/** The view. */
export interface ChatView {
  /** Empties the view and loads the models of the session. Everything stops when `signal` is aborted. */
  open(jwt: string, signal: AbortSignal): void;
}

/** What to say about an end that is not simply the end of the answer (OpenAI's `finish_reason`). */
const finishNotes: Readonly<Record<string, string>> = {
  length: "The answer stops here: the model's output limit was reached.",
  content_filter: "The answer stops here: the provider's content filter cut it.",
};

/** Finds the view's elements and wires its form. */
export function createChatView(document: Document, { client, sessionEnded }: ChatViewParts): ChatView {
  const form = findElement(document, "chat-form", HTMLFormElement);
  const model = findElement(document, "chat-model", HTMLSelectElement);
  const reload = findElement(document, "reload-models", HTMLButtonElement);
  const prompt = findElement(document, "chat-prompt", HTMLTextAreaElement);
  const send = findElement(document, "chat-send", HTMLButtonElement);
  const stop = findElement(document, "chat-stop", HTMLButtonElement);
  const status = findElement(document, "chat-status", HTMLElement);
  const error = findElement(document, "chat-error", HTMLElement);
  const answer = findElement(document, "chat-answer", HTMLElement);

  let session = { jwt: "", signal: AbortSignal.abort() };
  let answering: AbortController | undefined;

  /** Shows why a call failed, unless the person has left the session in which it was made. */
  function fail(caught: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    if (!(caught instanceof RelayError)) throw caught;
    if (caught.sessionEnded) return sessionEnded(caught);
    showText(error, caught.message);
  }

  async function loadModels(): Promise<void> {
    const { jwt, signal } = session;
    reload.hidden = true;
    showText(error, undefined);
    model.replaceChildren(new Option("Loading models"));
    try {
      const ids = await client.models(jwt, signal);
      model.replaceChildren(...ids.map((id) => new Option(id)));
      if (ids.length === 0) throw new RelayError("The provider lists no model for this account.");
      model.disabled = send.disabled = false;
    } catch (caught) {
      model.replaceChildren(new Option("No models"));
      reload.hidden = signal.aborted;
      fail(caught, signal);
    }
  }

  /** While an answer runs, Stop stands where Send was and takes its focus, and the other way round. */
  function showAnswering(running: boolean): void {
    const focused = document.activeElement === (running ? send : stop);
    send.hidden = running;
    stop.hidden = !running;
    answer.setAttribute("aria-busy", String(running));
    if (focused) (running ? stop : send).focus();
  }

  async function ask(): Promise<void> {
    const { jwt, signal } = session;
    const run = new AbortController();
    answering = run;
    answer.replaceChildren();
    answer.hidden = true;
    showText(error, undefined);
    status.textContent = "Waiting for the first word";
    showAnswering(true);
    try {
      const question = { model: model.value, prompt: prompt.value };
      const stream = client.chat(jwt, question, AbortSignal.any([signal, run.signal]));
      let step = await stream.next();
      while (step.done !== true) {
        answer.hidden = false;
        answer.append(step.value);
        status.textContent = "Answering";
        step = await stream.next();
      }
      status.textContent = finishNotes[step.value ?? ""] ?? "Done";
    } catch (caught) {
      status.textContent = run.signal.aborted ? "Stopped" : "";
      if (!run.signal.aborted) fail(caught, signal);
    } finally {
      showAnswering(false);
      answering = undefined;
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (answering === undefined) void ask();
  });
  prompt.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(send);
  });
  stop.addEventListener("click", () => answering?.abort());
  reload.addEventListener("click", () => void loadModels());

  return {
    open(jwt, signal) {
      session = { jwt, signal };
      form.reset();
      model.disabled = send.disabled = true;
      answer.replaceChildren();
      answer.hidden = true;
      status.textContent = "";
      void loadModels();
    },
  };
}
