/**
 * Where GitHub Copilot is and how we present ourselves there (github-copilot.md sections 1, 3 and 5).
 *
 * @module
 */

/** Settings of the Copilot adapter; URLs without a trailing slash. */
export interface CopilotSettings {
  /** Base of GitHub's web site, where people sign in. */
  readonly githubUrl: string;
  /** Base of GitHub's REST API, where tokens are exchanged. */
  readonly githubApiUrl: string;
  /** OAuth client id; a public client without a secret. */
  readonly clientId: string;
  /** Scopes of the sign-in, space separated. */
  readonly scope: string;
  /** Base of the Copilot API for every account; null takes the one that each account's token names. */
  readonly copilotApiUrl: string | null;
  /** `Editor-Version`; exchanged tokens are refused without it. */
  readonly editorVersion: string;
  /** `Editor-Plugin-Version`. */
  readonly editorPluginVersion: string;
  /** `Copilot-Integration-Id`; selects the models that are on offer. */
  readonly integrationId: string;
  /** `User-Agent`. */
  readonly userAgent: string;
  /** `X-GitHub-Api-Version` of the Copilot API. */
  readonly copilotApiVersion: string;
  /** `X-GitHub-Api-Version` of the REST API, which checks it against other values than the Copilot API does. */
  readonly restApiVersion: string;
}

/** The real GitHub Copilot. */
export const copilotDefaults: CopilotSettings = Object.freeze({
  githubUrl: "https://github.com",
  githubApiUrl: "https://api.github.com",
  clientId: "Iv1.b507a08c87ecfe98",
  scope: "read:user",
  copilotApiUrl: null,
  editorVersion: "vscode/1.107.0",
  editorPluginVersion: "copilot-chat/0.35.0",
  integrationId: "vscode-chat",
  userAgent: "GitHubCopilotChat/0.35.0",
  copilotApiVersion: "2025-05-01",
  restApiVersion: "2025-04-01",
});

/** The Copilot API for accounts whose token names none (section 5). */
export const defaultCopilotApiUrl = "https://api.githubcopilot.com";
