/**
 * Where ChatGPT is and how we present ourselves there (chatgpt-codex.md sections 1.1, 3.1 and 6). The upstream is
 * undocumented and moves: every constant that may move is a setting.
 *
 * @module
 */

/** Settings of the ChatGPT adapter; URLs without a trailing slash. */
export interface ChatGptSettings {
  /** Base of the authorization server. */
  readonly issuerUrl: string;
  /** Base of the backend; `/codex/responses` and `/codex/models` are appended. */
  readonly apiUrl: string;
  /** OAuth client id; a public client without a secret. */
  readonly clientId: string;
  /** Version of the client that we stand for: the model list hides models that ask for a newer one. */
  readonly clientVersion: string;
  /** Sent as `instructions` when a request has none, because the backend has refused requests without any. */
  readonly defaultInstructions: string;
  /**
   * `reasoning.effort` for requests that name none. The backend then runs without reasoning, where OpenAI's public API
   * uses medium; null leaves the request as it is.
   */
  readonly defaultReasoningEffort: string | null;
}

/** The real ChatGPT. */
export const chatGptDefaults: ChatGptSettings = Object.freeze({
  issuerUrl: "https://auth.openai.com",
  apiUrl: "https://chatgpt.com/backend-api",
  clientId: "app_EMoamEEZ73f0CkXaXp7hrann",
  clientVersion: "0.144.1",
  defaultInstructions: "You are a helpful assistant.",
  defaultReasoningEffort: "medium",
});

/** {@linkcode ChatGptSettings} and the app's name, which ChatGPT is told with every request. */
export interface NamedChatGptSettings extends ChatGptSettings {
  /** Any text; what a header cannot carry is left out of it. */
  readonly originator: string;
}
