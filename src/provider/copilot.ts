/**
 * GitHub Copilot: many vendors' models behind one subscription. Each model speaks Chat, Responses or both, which only
 * the account's live list tells.
 *
 * @module
 */
import { exchangeCopilotToken } from "./copilot_exchange.ts";
import { copilotHeaders, githubHeaders, hasImage, initiatorOf } from "./copilot_headers.ts";
import { dialectOfFamily, readCopilotModels } from "./copilot_models.ts";
import { copilotQuotaHeaders, readCopilotQuota } from "./copilot_quota.ts";
import { type CopilotSettings, defaultCopilotApiUrl } from "./copilot_settings.ts";
import { prepareCopilotRequest } from "./copilot_request.ts";
import { createCopilotSignIn } from "./copilot_sign_in.ts";
import { createExpiringCache } from "./expiring_cache.ts";
import type { Grant, Model, ModelsOutcome, Provider, RefreshOutcome } from "./provider.ts";
import type { ProviderRuntime } from "./runtime.ts";
import { fetchDocument, sendCall } from "./send.ts";
import { type RefusalRules, unintelligible } from "./upstream_error.ts";
import type { Dialect } from "../wire/dialect.ts";

/** How long the dialects of an account's models are remembered, milliseconds. */
const dialectLifeMs = 5 * 60 * 1000;

/** How long an unreadable list is left alone, milliseconds: asking again with every call would look like abuse. */
const failureLifeMs = 60 * 1000;

/** The most accounts whose models are remembered. */
const maxAccounts = 1000;

/** Time limit of a list that a call waits for, milliseconds; after it the call goes by the model's family. */
const lookUpTimeoutMs = 5000;

/** What each model of an account speaks. Holds no token. */
type DialectsByModel = ReadonlyMap<string, readonly Dialect[]>;

/** The GitHub Copilot provider. */
export function createCopilot(settings: CopilotSettings, runtime: ProviderRuntime): Provider {
  const known = createExpiringCache<DialectsByModel>(maxAccounts, runtime.now);

  async function listModels(grant: Grant, signal: AbortSignal): Promise<ModelsOutcome> {
    const headers = {
      ...copilotHeaders(settings, grant, "model-access", runtime.randomUuid()),
      accept: "application/json",
    };
    const rules = rulesFor(grant);
    const outcome = await fetchDocument(`${baseOf(settings, grant)}/models`, headers, rules, runtime, signal);
    if (outcome.kind === "refused") return outcome;
    const models = readCopilotModels(outcome.text);
    if (models === undefined) return { kind: "refused", error: unintelligible(rules) };
    known.set(grant.accountId, dialectsByModel(models), dialectLifeMs);
    return { kind: "models", models };
  }

  async function lookUpDialects(grant: Grant, signal: AbortSignal): Promise<DialectsByModel> {
    const entry = known.get(grant.accountId);
    if (entry?.fresh === true) return entry.value;
    const limited = AbortSignal.any([signal, AbortSignal.timeout(lookUpTimeoutMs)]);
    const outcome = await listModels(grant, limited);
    if (outcome.kind === "models") return dialectsByModel(outcome.models);
    signal.throwIfAborted();
    // An old list is a better guess than the family, which is what an empty one leads to.
    const stale = entry?.value ?? new Map<string, readonly Dialect[]>();
    // A refused token is renewed and the call repeated at once: then the list can be read.
    if (!outcome.error.accessRejected) known.set(grant.accountId, stale, failureLifeMs);
    return stale;
  }

  return {
    id: "github",
    displayName: "GitHub Copilot",
    signIn: createCopilotSignIn(settings, runtime),
    refresh: (grant, signal) => refreshCopilot(grant, settings, runtime, signal),

    // GitHub revokes only for holders of the app's client secret, which public clients have not.
    revoke: () => Promise.resolve(),

    listModels,

    async readQuota(grant, signal) {
      const url = `${settings.githubApiUrl}/copilot_internal/user`;
      // GitHub's own token and not the exchanged one, which only the Copilot API knows.
      const headers = githubHeaders(settings, grant.refreshToken ?? grant.accessToken);
      const rules = rulesFor(grant);
      const outcome = await fetchDocument(url, headers, rules, runtime, signal);
      if (outcome.kind === "refused") return outcome;
      const quota = readCopilotQuota(outcome.text);
      return quota === undefined
        ? { kind: "refused", error: unintelligible(rules) }
        : { kind: "quota", quota };
    },

    quotaHeaders: (headers) => copilotQuotaHeaders(headers, runtime.now()),

    straysIn: ["chat", "responses"],
    takesDocuments: false,

    async dialectFor(preferred, model, grant, signal) {
      const dialects = (await lookUpDialects(grant, signal)).get(model);
      if (dialects === undefined) return dialectOfFamily(model);
      return dialects.includes(preferred) ? preferred : dialects[0] ?? dialectOfFamily(model);
    },

    prepare: prepareCopilotRequest,

    send(call, grant, signal) {
      const path = call.dialect === "chat" ? "/chat/completions" : "/responses";
      const headers = {
        ...copilotHeaders(settings, grant, "conversation-agent", runtime.randomUuid()),
        "content-type": "application/json",
        accept: call.body["stream"] === true ? "text/event-stream" : "application/json",
        "x-initiator": initiatorOf(call.dialect, call.body),
        ...(hasImage(call.dialect, call.body) ? { "copilot-vision-request": "true" } : {}),
      };
      return sendCall(`${baseOf(settings, grant)}${path}`, headers, call, rulesFor(grant), runtime, signal);
    },
  };
}

/**
 * Exchanges the GitHub token again. A seat that is gone does not end the grant: GitHub still accepts the token, and the
 * seat may come back (a lapsed payment, a policy), so the person is not signed out for it.
 */
async function refreshCopilot(
  grant: Grant,
  settings: CopilotSettings,
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<RefreshOutcome> {
  if (grant.refreshToken === undefined) return { kind: "ended", reason: "no_github_token" };
  const identity = { githubToken: grant.refreshToken, accountId: grant.accountId };
  const outcome = await exchangeCopilotToken(identity, settings, runtime, signal);
  switch (outcome.kind) {
    case "granted":
      return { kind: "refreshed", grant: outcome.grant };
    case "bad_credentials":
      return { kind: "ended", reason: "bad_credentials" };
    case "unavailable":
    case "no_access":
      return { kind: "unavailable", reason: outcome.reason };
  }
}

function dialectsByModel(models: readonly Model[]): DialectsByModel {
  return new Map(models.map(({ id, dialects }) => [id, dialects]));
}

function baseOf(settings: CopilotSettings, grant: Grant): string {
  return settings.copilotApiUrl ?? grant.attributes["apiUrl"] ?? defaultCopilotApiUrl;
}

function rulesFor(grant: Grant): RefusalRules {
  return {
    upstreamName: "GitHub Copilot",
    secrets: grant.refreshToken === undefined ? [grant.accessToken] : [grant.accessToken, grant.refreshToken],
    isAccessRejected: (status) => status === 401,
  };
}
