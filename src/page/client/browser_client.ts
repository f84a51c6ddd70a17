/**
 * The relay's HTTP contract as a browser uses it: sign in with a device code, ask who is signed in, list models, stream
 * an answer, sign out. Needs no page: fetch and timer are handed in.
 *
 * @module
 */
import { readChatStream } from "./chat_stream.ts";
import {
  type OfferedProvider,
  type PollAnswer,
  readModelIds,
  readPollAnswer,
  readProviders,
  readSessionOwner,
  readStartedSignIn,
  type SessionOwner,
  type StartedSignIn,
} from "./relay_answers.ts";
import { errorSentence, RelayError, unreachable, unreadable } from "./relay_error.ts";

/** Runs `callback` once after `delayMs`; the function that it returns takes that back. */
export type Schedule = (delayMs: number, callback: () => void) => () => void;

/** What the client is made of. */
export interface BrowserClientOptions {
  /** Where the relay lives, for example `https://example.com/relay`. Trailing slashes do not matter. */
  readonly baseUrl: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly schedule: Schedule;
}

/** How a sign-in ended. */
export type SignInOutcome = Exclude<PollAnswer, { readonly kind: "pending" }>;

/** A question to a model. */
export interface Question {
  readonly model: string;
  readonly prompt: string;
}

/**
 * The calls. Each rejects with {@linkcode RelayError} when the relay refuses, cannot be reached or answers nonsense, and
 * with the signal's reason when `signal` was aborted.
 */
export interface BrowserClient {
  /** The providers on offer, in the order in which they are to be shown. */
  providers(signal: AbortSignal): Promise<readonly OfferedProvider[]>;
  /** Asks for a user code at `provider`. */
  start(provider: string, signal: AbortSignal): Promise<StartedSignIn>;
  /**
   * Polls until the sign-in ends. The first poll comes after one interval; the interval is `pollIntervalMs`, at least one
   * second, and never changes. Network errors and unknown states count as pending, any status outside 2xx ends the
   * sign-in as `failed`. `expired` comes `expiresInMs` after this call at the latest, even when a poll hangs.
   */
  waitForSignIn(started: StartedSignIn, signal: AbortSignal): Promise<SignInOutcome>;
  /** Who the session belongs to. */
  whoami(jwt: string, signal: AbortSignal): Promise<SessionOwner>;
  /** Ends the session at the relay. A session that had already ended counts as success. */
  revoke(jwt: string, signal: AbortSignal): Promise<void>;
  /** The ids of the models that the session may use. */
  models(jwt: string, signal: AbortSignal): Promise<readonly string[]>;
  /**
   * Streams the answer: yields text, returns the `finish_reason`. See {@linkcode readChatStream} for what counts as an end.
   */
  chat(
    jwt: string,
    question: Question,
    signal: AbortSignal,
  ): AsyncGenerator<string, string | undefined, undefined>;
}

/** Faster polling gains nothing: the relay keeps the provider's own interval whatever the client does. */
const minPollIntervalMs = 1000;

/** Makes a client for one relay. */
export function createBrowserClient(options: BrowserClientOptions): BrowserClient {
  const { fetch, schedule } = options;
  const baseUrl = options.baseUrl.replace(/\/+$/, "");

  /** Sends one request. The JWT travels in the header only; answers are never kept by the browser. */
  async function send(path: string, init: RequestInit, jwt?: string): Promise<Response> {
    const headers = new Headers(init.headers);
    if (jwt !== undefined) headers.set("authorization", `Bearer ${jwt}`);
    try {
      return await fetch(`${baseUrl}/${path}`, { ...init, headers, cache: "no-store" });
    } catch {
      init.signal?.throwIfAborted();
      throw new RelayError(unreachable);
    }
  }

  /** The body of a response, which may break off like any other part of the exchange. */
  async function bodyText(response: Response, signal: AbortSignal): Promise<string> {
    try {
      return await response.text();
    } catch {
      signal.throwIfAborted();
      throw new RelayError(unreachable);
    }
  }

  /** The response when its status is 2xx. */
  async function accepted(response: Response, signal: AbortSignal): Promise<Response> {
    if (response.ok) return response;
    throw new RelayError(errorSentence(await bodyText(response, signal), response.status), response.status);
  }

  async function call<T>(
    path: string,
    init: RequestInit & { signal: AbortSignal },
    read: (body: string) => T | undefined,
    jwt?: string,
  ): Promise<T> {
    const response = await accepted(await send(path, init, jwt), init.signal);
    const answer = read(await bodyText(response, init.signal));
    if (answer === undefined) throw new RelayError(unreadable);
    return answer;
  }

  /** One poll. Only a refusal by the relay is final; whatever happens to the connection is not. */
  async function poll(sessionId: string, signal: AbortSignal): Promise<PollAnswer> {
    try {
      return await call(`auth/poll/${encodeURIComponent(sessionId)}`, { signal }, readPollAnswer);
    } catch (error) {
      if (error instanceof RelayError && error.status !== undefined) {
        return { kind: "failed", message: error.message };
      }
      return { kind: "pending" };
    }
  }

  return {
    providers: (signal) => call("auth/providers", { signal }, readProviders),

    start: (provider, signal) => call("auth/start", { ...jsonPost({ provider }), signal }, readStartedSignIn),

    async waitForSignIn(started, signal) {
      const deadline = new AbortController();
      const cancelDeadline = schedule(started.expiresInMs, () => deadline.abort());
      const over = AbortSignal.any([signal, deadline.signal]);
      const intervalMs = Math.max(minPollIntervalMs, started.pollIntervalMs);
      try {
        while (true) {
          await pause(schedule, intervalMs, over);
          const answer = over.aborted ? undefined : await poll(started.sessionId, over);
          signal.throwIfAborted();
          if (answer !== undefined && answer.kind !== "pending") return answer;
          if (over.aborted) return { kind: "expired" };
        }
      } finally {
        cancelDeadline();
      }
    },

    whoami: (jwt, signal) => call("auth/whoami", { signal }, readSessionOwner, jwt),

    async revoke(jwt, signal) {
      const response = await send("auth/revoke", { method: "POST", signal }, jwt);
      if (response.status !== 401) await accepted(response, signal);
      await response.body?.cancel();
    },

    models: (jwt, signal) => call("v1/models", { signal }, readModelIds, jwt),

    async *chat(jwt, { model, prompt }, signal) {
      const request = jsonPost({ model, stream: true, messages: [{ role: "user", content: prompt }] });
      const response = await accepted(
        await send("v1/chat/completions", { ...request, signal }, jwt),
        signal,
      );
      const streams = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
      if (!streams || response.body === null) {
        await response.body?.cancel();
        throw new RelayError(unreadable);
      }
      return yield* readChatStream(response.body);
    },
  };
}

function jsonPost(body: unknown): RequestInit {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

/** Resolves after `delayMs`, or as soon as `signal` is aborted. */
function pause(schedule: Schedule, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const cancel = schedule(delayMs, done);
    signal.addEventListener("abort", done);
  });
}
