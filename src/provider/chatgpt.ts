/**
 * ChatGPT: the Codex backend that a ChatGPT subscription pays for. It speaks Responses only, and only as a stream.
 *
 * @module
 */
import { refreshChatGpt, revokeChatGpt } from "./chatgpt_credential.ts";
import { chatGptAccountHeaders, chatGptClientHeaders } from "./chatgpt_headers.ts";
import { readChatGptModels } from "./chatgpt_models.ts";
import { prepareChatGptRequest } from "./chatgpt_request.ts";
import type { NamedChatGptSettings } from "./chatgpt_settings.ts";
import { createChatGptSignIn } from "./chatgpt_sign_in.ts";
import type { Grant, Provider } from "./provider.ts";
import type { ProviderRuntime } from "./runtime.ts";
import { clientHeaderValue } from "./safe_text.ts";
import { fetchDocument, sendCall } from "./send.ts";
import { type RefusalRules, unintelligible } from "./upstream_error.ts";

/** The ChatGPT provider. */
export function createChatGpt(settings: NamedChatGptSettings, runtime: ProviderRuntime): Provider {
  const clientHeaders = chatGptClientHeaders(settings);
  return {
    id: "openai",
    displayName: "ChatGPT",
    signIn: createChatGptSignIn(settings, runtime),
    refresh: (grant, signal) => refreshChatGpt(grant, settings, runtime, signal),
    revoke: (grant, signal) => revokeChatGpt(grant, settings, runtime, signal),

    async listModels(grant, signal) {
      const url = `${settings.apiUrl}/codex/models?client_version=${
        encodeURIComponent(settings.clientVersion)
      }`;
      const headers = { ...clientHeaders, ...chatGptAccountHeaders(grant), accept: "application/json" };
      const rules = rulesFor(grant);
      const outcome = await fetchDocument(url, headers, rules, runtime, signal);
      if (outcome.kind === "refused") return outcome;
      const models = readChatGptModels(outcome.text);
      return models === undefined
        ? { kind: "refused", error: unintelligible(rules) }
        : { kind: "models", models };
    },

    dialectFor: () => Promise.resolve("responses"),

    prepare(dialect, body) {
      if (dialect !== "responses") throw new TypeError("ChatGPT is only asked in the Responses dialect.");
      return prepareChatGptRequest(body, settings);
    },

    send(call, grant, signal) {
      const sessionId = clientHeaderValue(call.body["prompt_cache_key"]);
      const headers = {
        ...clientHeaders,
        ...chatGptAccountHeaders(grant),
        "content-type": "application/json",
        accept: "text/event-stream",
        // Routes the turns of a conversation to the same prompt cache.
        ...(sessionId === undefined ? {} : { session_id: sessionId }),
      };
      return sendCall(`${settings.apiUrl}/codex/responses`, headers, call, rulesFor(grant), runtime, signal);
    },
  };
}

function rulesFor(grant: Grant): RefusalRules {
  return {
    upstreamName: "ChatGPT",
    secrets: grant.refreshToken === undefined ? [grant.accessToken] : [grant.accessToken, grant.refreshToken],
    isAccessRejected: (status) => status === 401,
    emptyNotFoundIsBlock: true,
  };
}
