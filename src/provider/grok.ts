/**
 * Grok: xAI's models, paid by a Grok subscription or by API credits, depending on the rail. Speaks both dialects.
 *
 * @module
 */
import { conversationId } from "./conversation_id.ts";
import { refreshGrok, revokeGrok } from "./grok_credential.ts";
import { readGrokModels } from "./grok_models.ts";
import { grokQuotaHeaders, readGrokPlan, readGrokQuota } from "./grok_quota.ts";
import { prepareGrokRequest } from "./grok_request.ts";
import type { GrokSettings } from "./grok_settings.ts";
import { createGrokSignIn } from "./grok_sign_in.ts";
import { createDiscovery } from "./oidc_discovery.ts";
import type { Grant, Provider } from "./provider.ts";
import type { ProviderRuntime } from "./runtime.ts";
import { clientHeaderValue } from "../wire/safe_text.ts";
import { type DocumentOutcome, fetchDocument, sendCall } from "./send.ts";
import { type RefusalRules, unintelligible } from "./upstream_error.ts";

/** The Grok provider. */
export function createGrok(settings: GrokSettings, runtime: ProviderRuntime): Provider {
  const discover = createDiscovery(settings.issuerUrl, runtime);
  const clientHeaders = grokClientHeaders(settings);

  function fetchOf(
    path: string,
    grant: Grant,
    rules: RefusalRules,
    signal: AbortSignal,
  ): Promise<DocumentOutcome> {
    const headers = {
      ...clientHeaders,
      authorization: `Bearer ${grant.accessToken}`,
      accept: "application/json",
    };
    return fetchDocument(`${settings.apiUrl}${path}`, headers, rules, runtime, signal);
  }

  return {
    id: "xai",
    displayName: "Grok",
    signIn: createGrokSignIn(settings, discover, runtime),
    refresh: (grant, signal) => refreshGrok(grant, settings, discover, runtime, signal),
    revoke: (grant, signal) => revokeGrok(grant, settings, discover, runtime, signal),

    async listModels(grant, signal) {
      const rules = rulesFor(grant);
      const outcome = await fetchOf("/models", grant, rules, signal);
      if (outcome.kind === "refused") return outcome;
      const models = readGrokModels(outcome.text);
      return models === undefined
        ? { kind: "refused", error: unintelligible(rules) }
        : { kind: "models", models };
    },

    async readQuota(grant, signal) {
      const rules = rulesFor(grant);
      const outcome = await fetchOf("/billing?format=credits", grant, rules, signal);
      // Only the subscription's rail knows the subscription: api.x.ai has no such document.
      if (outcome.kind === "refused" && outcome.error.status === 404) {
        return { kind: "quota", quota: { additional: [] } };
      }
      if (outcome.kind === "refused") return outcome;
      const quota = readGrokQuota(outcome.text);
      if (quota === undefined) return { kind: "refused", error: unintelligible(rules) };
      if (quota.plan !== undefined) return { kind: "quota", quota };
      const user = await fetchOf("/user?include=subscription", grant, rules, signal);
      const plan = user.kind === "document" ? readGrokPlan(user.text) : undefined;
      return { kind: "quota", quota: { ...quota, plan } };
    },

    quotaHeaders: grokQuotaHeaders,

    straysIn: [],
    takesDocuments: false,
    dialectFor: (preferred) => Promise.resolve(preferred),
    prepare: prepareGrokRequest,

    send(call, grant, signal) {
      const path = call.dialect === "chat" ? "/chat/completions" : "/responses";
      const model = clientHeaderValue(call.model);
      const conversation = clientHeaderValue(call.body["prompt_cache_key"]) ??
        conversationId(call.dialect, call.body, grant);
      const headers = {
        ...clientHeaders,
        authorization: `Bearer ${grant.accessToken}`,
        "content-type": "application/json",
        accept: call.body["stream"] === true ? "text/event-stream" : "application/json",
        // The proxy routes by this field and not by the body.
        ...(sendsCliHeaders(settings) && model !== undefined ? { "x-grok-model-override": model } : {}),
        // Leads the turns of a conversation to the same prompt cache on both rails. It does for both dialects what
        // `prompt_cache_key` does for Responses, and leaves the client's bytes as they are.
        "x-grok-conv-id": conversation,
      };
      return sendCall(`${settings.apiUrl}${path}`, headers, call, rulesFor(grant), runtime, signal);
    },
  };
}

/** The header fields by which the proxy knows its own client (xai-grok.md section 6); none where they are not wanted. */
export function grokClientHeaders(settings: GrokSettings): Readonly<Record<string, string>> {
  if (!sendsCliHeaders(settings)) return {};
  return {
    "x-xai-token-auth": "xai-grok-cli",
    "x-grok-client-version": settings.clientVersion,
    "x-grok-client-identifier": "grok-shell",
    "x-grok-client-mode": "headless",
    "user-agent": `grok-shell/${settings.clientVersion} (linux; x86_64)`,
  };
}

function sendsCliHeaders(settings: GrokSettings): boolean {
  if (settings.sendCliHeaders !== "auto") return settings.sendCliHeaders === "always";
  return URL.parse(settings.apiUrl)?.hostname !== "api.x.ai";
}

function rulesFor(grant: Grant): RefusalRules {
  return {
    upstreamName: "Grok",
    secrets: grant.refreshToken === undefined ? [grant.accessToken] : [grant.accessToken, grant.refreshToken],
    // On api.x.ai an expired token is a 403; other 403s are about permissions, which a new token does not change.
    isAccessRejected: (status, code) => status === 401 || code?.startsWith("unauthenticated") === true,
  };
}
