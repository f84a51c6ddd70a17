/**
 * Where Grok is and how we present ourselves there (xai-grok.md sections 1, 5 and 6). xAI documents none of it for third
 * parties, so every constant is a setting.
 *
 * @module
 */

/** Settings of the Grok adapter; URLs without a trailing slash. */
export interface GrokSettings {
  /** The OIDC issuer; discovery is at `/.well-known/openid-configuration` below it. */
  readonly issuerUrl: string;
  /**
   * The rail: `/responses`, `/chat/completions` and `/models` are appended. The command line client's proxy bills the
   * subscription; `https://api.x.ai/v1` takes the same token and bills the API credits of the personal team (section 5).
   */
  readonly apiUrl: string;
  /** OAuth client id; a public client without a secret. */
  readonly clientId: string;
  /** Scopes of the sign-in, space separated. */
  readonly scope: string;
  /** Version of the client that we stand for, semantic; the proxy refuses older ones with 426 (section 9). */
  readonly clientVersion: string;
  /**
   * Whether calls carry the header fields by which the proxy knows its own client (section 6). `auto`: everywhere but on
   * `api.x.ai`, which needs none of them.
   */
  readonly sendCliHeaders: "auto" | "always" | "never";
}

/** The real Grok, on the rail that the subscription pays for. */
export const grokDefaults: GrokSettings = Object.freeze({
  issuerUrl: "https://auth.x.ai",
  apiUrl: "https://cli-chat-proxy.grok.com/v1",
  clientId: "b1a00492-073a-47ea-816f-4c329264a828",
  scope: "openid profile email offline_access grok-cli:access api:access",
  clientVersion: "1.0.13",
  sendCliHeaders: "auto",
});
