/**
 * ChatGPT: the Codex backend that a ChatGPT subscription pays for. It speaks Responses only, and only as a stream.
 *
 * @module
 */
import { refreshChatGpt, revokeChatGpt } from "./chatgpt_credential.ts";
import { chatGptAccountHeaders, chatGptClientHeaders, chatGptVariantHeaders } from "./chatgpt_headers.ts";
import { readChatGptModels } from "./chatgpt_models.ts";
import { chatGptQuotaHeaders, readChatGptQuota } from "./chatgpt_quota.ts";
import { chatGptFields } from "./chatgpt_request.ts";
import type { NamedChatGptSettings } from "./chatgpt_settings.ts";
import { createChatGptSignIn } from "./chatgpt_sign_in.ts";
import { conversationId } from "./conversation_id.ts";
import type { Grant, Provider, UpstreamCall } from "./provider.ts";
import { prepareRequest } from "./request_fields.ts";
import type { ProviderRuntime } from "./runtime.ts";
import { clientHeaderValue } from "../wire/safe_text.ts";
import { fetchDocument, sendCall } from "./send.ts";
import { type RefusalRules, unintelligible } from "./upstream_error.ts";
import { nonEmptyString } from "../wire/json.ts";

/** The ChatGPT provider. */
export function createChatGpt(settings: NamedChatGptSettings, runtime: ProviderRuntime): Provider {
  const clientHeaders = chatGptClientHeaders(settings);
  const fields = chatGptFields(settings);
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

    async readQuota(grant, signal) {
      const headers = { ...clientHeaders, ...chatGptAccountHeaders(grant), accept: "application/json" };
      const rules = rulesFor(grant);
      const outcome = await fetchDocument(`${settings.apiUrl}/wham/usage`, headers, rules, runtime, signal);
      if (outcome.kind === "refused") return outcome;
      const quota = readChatGptQuota(outcome.text, runtime.now());
      return quota === undefined
        ? { kind: "refused", error: unintelligible(rules) }
        : { kind: "quota", quota };
    },

    quotaHeaders: (headers) => chatGptQuotaHeaders(headers, runtime.now()),

    straysIn: [],
    takesDocuments: true,
    dialectFor: () => Promise.resolve("responses"),

    prepare(dialect, body) {
      if (dialect !== "responses") throw new TypeError("ChatGPT is only asked in the Responses dialect.");
      return prepareRequest(fields, body);
    },

    send(asked, grant, signal) {
      const call = withCacheKey(asked, grant);
      const sessionId = clientHeaderValue(call.body["prompt_cache_key"]);
      const headers = {
        ...clientHeaders,
        ...chatGptAccountHeaders(grant),
        ...chatGptVariantHeaders(call.body),
        "content-type": "application/json",
        accept: "text/event-stream",
        // Routes the turns of a conversation to the same prompt cache.
        ...(sessionId === undefined ? {} : { session_id: sessionId }),
      };
      return sendCall(`${settings.apiUrl}/codex/responses`, headers, call, rulesFor(grant), runtime, signal);
    },
  };
}

/** The backend finds the cached turns of a conversation by its key: one is made where the client gave none (section 9). */
function withCacheKey(call: UpstreamCall, grant: Grant): UpstreamCall {
  const { dialect, model, body } = call;
  if (nonEmptyString(body["prompt_cache_key"]) !== undefined) return call;
  return { dialect, model, body: { ...body, prompt_cache_key: conversationId(dialect, body, grant) } };
}

function rulesFor(grant: Grant): RefusalRules {
  return {
    upstreamName: "ChatGPT",
    secrets: grant.refreshToken === undefined ? [grant.accessToken] : [grant.accessToken, grant.refreshToken],
    isAccessRejected: (status) => status === 401,
    emptyNotFoundIsBlock: true,
  };
}
