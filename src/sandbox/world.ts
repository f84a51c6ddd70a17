/**
 * The simulated upstreams together: where each is mounted, and what can be said and done about all of them.
 *
 * @module
 */
import { createChatGptApi } from "./chatgpt_api.ts";
import { createChatGptAuth, createChatGptState } from "./chatgpt_auth.ts";
import { createCopilotApi } from "./copilot_api.ts";
import type { Fault, SandboxContext, SandboxUser, SimulatedUpstream } from "./contract.ts";
import { createGithubApi } from "./github_api.ts";
import { createGithubSite, createGithubState } from "./github_site.ts";
import { createGrokApi } from "./grok_api.ts";
import { createGrokAuth, createGrokState } from "./grok_auth.ts";

/** A simulated upstream and its place. */
export interface Mount {
  /** Starts with a slash and does not end with one. */
  readonly prefix: string;
  readonly upstream: Fault["upstream"];
  readonly simulated: SimulatedUpstream;
}

/** All upstreams with their state. */
export interface World {
  readonly mounts: readonly Mount[];
  /** What the upstreams have counted, under names such as `chatgpt.refreshes`. */
  counters(): Readonly<Record<string, number>>;
  /** Ends every grant of a person at one upstream. */
  revokeGrants(upstream: Fault["upstream"], user: SandboxUser): void;
}

/** Fresh upstreams: nobody is signed in anywhere. */
export function buildWorld(context: SandboxContext): World {
  const chatgpt = createChatGptState(context);
  const grok = createGrokState(context);
  const github = createGithubState(context);
  return {
    mounts: [
      { prefix: "/openai/auth", upstream: "chatgpt", simulated: createChatGptAuth(context, chatgpt) },
      { prefix: "/openai/backend-api", upstream: "chatgpt", simulated: createChatGptApi(context, chatgpt) },
      { prefix: "/xai/auth", upstream: "grok", simulated: createGrokAuth(context, grok) },
      { prefix: "/xai/v1", upstream: "grok", simulated: createGrokApi(context, grok, "proxy") },
      { prefix: "/xai/api/v1", upstream: "grok", simulated: createGrokApi(context, grok, "api") },
      { prefix: "/github", upstream: "copilot", simulated: createGithubSite(context, github) },
      { prefix: "/github/api", upstream: "copilot", simulated: createGithubApi(context, github) },
      { prefix: "/copilot", upstream: "copilot", simulated: createCopilotApi(context, github) },
    ],
    counters: () => ({
      "chatgpt.slowDowns": chatgpt.devices.slowDowns,
      "chatgpt.codesRedeemed": chatgpt.tokens.counters.codesRedeemed,
      "chatgpt.refreshes": chatgpt.tokens.counters.refreshes,
      "chatgpt.refreshesReused": chatgpt.tokens.counters.refreshesReused,
      "chatgpt.revoked": chatgpt.tokens.counters.revoked,
      "grok.slowDowns": grok.devices.slowDowns,
      "grok.familiesRevokedForReuse": grok.tokens.familiesRevokedForReuse,
      "copilot.slowDowns": github.devices.slowDowns,
    }),
    revokeGrants(upstream, user) {
      switch (upstream) {
        case "chatgpt":
          chatgpt.tokens.revokeUser(user);
          return;
        case "grok":
          grok.tokens.revokeUser(user);
          return;
        case "copilot":
          for (const tokens of [github.oauthTokens, github.copilotTokens]) {
            for (const [token, owned] of tokens) if (owned.user.name === user.name) tokens.delete(token);
          }
      }
    },
  };
}
