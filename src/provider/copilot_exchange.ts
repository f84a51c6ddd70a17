/**
 * Exchanging a GitHub token for a Copilot token (github-copilot.md section 3): at the end of a sign-in, and as the
 * refresh of a grant.
 *
 * @module
 */
import { finiteNumber, type JsonObject, nonEmptyString, objectOrEmpty, parseObject } from "../wire/json.ts";
import { callAuthServer } from "./auth_call.ts";
import { directAttribute, githubHeaders } from "./copilot_headers.ts";
import { type CopilotSettings, defaultCopilotApiUrl } from "./copilot_settings.ts";
import type { Grant } from "./provider.ts";
import type { ProviderRuntime } from "./runtime.ts";
import { oauthCode } from "../wire/safe_text.ts";
import { isTransient, unavailable } from "./undecided.ts";

/** How long a GitHub token that is used directly is taken to live, milliseconds: these do not expire (section 1). */
const directLifeMs = 365 * 24 * 3600 * 1000;

/** Life of a Copilot token whose answer does not say, milliseconds: less than the usual half hour. */
const defaultLifeMs = 20 * 60 * 1000;

/** How an exchange ended. */
export type ExchangeOutcome =
  | { readonly kind: "granted"; readonly grant: Grant }
  | { readonly kind: "unavailable"; readonly reason: string; readonly retryAfterMs?: number }
  /** GitHub no longer accepts the GitHub token. */
  | { readonly kind: "bad_credentials" }
  /** The GitHub token is good, but the account may not use Copilot. `message` is a sentence for the person. */
  | { readonly kind: "no_access"; readonly message: string; readonly reason: string };

/** What an exchange starts from. */
export interface GitHubIdentity {
  /** The OAuth token of the device flow. */
  readonly githubToken: string;
  /** GitHub's numeric user id, as a string. */
  readonly accountId: string;
}

/** Exchanges the token, once. */
export async function exchangeCopilotToken(
  identity: GitHubIdentity,
  settings: CopilotSettings,
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<ExchangeOutcome> {
  const request = {
    method: "GET",
    url: `${settings.githubApiUrl}/copilot_internal/v2/token`,
    headers: githubHeaders(settings, identity.githubToken),
  } as const;
  const reply = await callAuthServer(request, runtime, signal);
  if (reply.kind === "unreachable") return { kind: "unavailable", reason: reply.reason };
  const outcome = await judgeExchange(reply.response, identity, runtime.now());
  const isDirect = outcome.kind === "granted" && outcome.grant.attributes[directAttribute] === "true";
  return isDirect ? await atOwnHost(outcome.grant, settings, runtime, signal) : outcome;
}

/**
 * The grant of a token that is used directly, with the account's own API host. No exchange names it, and business seats
 * are refused on the common one (section 4).
 */
async function atOwnHost(
  grant: Grant,
  settings: CopilotSettings,
  runtime: ProviderRuntime,
  signal: AbortSignal,
): Promise<ExchangeOutcome> {
  const request = {
    method: "GET",
    url: `${settings.githubApiUrl}/copilot_internal/user`,
    headers: githubHeaders(settings, grant.accessToken),
  } as const;
  const reply = await callAuthServer(request, runtime, signal);
  if (reply.kind === "unreachable") return { kind: "unavailable", reason: reply.reason };
  const { response } = reply;
  // The grant is good for a year: a hiccup must not fix the wrong host for that long.
  if (isTransient(response.status)) return unavailable(response, runtime.now());
  const apiUrl = namedApiUrl(parseObject(await response.text()));
  if (apiUrl === undefined) return { kind: "granted", grant };
  return { kind: "granted", grant: { ...grant, attributes: { ...grant.attributes, apiUrl } } };
}

/** Judges the answer to an exchange. */
export async function judgeExchange(
  response: Response,
  identity: GitHubIdentity,
  nowMs: number,
): Promise<ExchangeOutcome> {
  const body = parseObject(await response.text());
  // GitHub's errors are JSON: anything else is a page of something in between and decides nothing.
  if (body === undefined || isTransient(response.status)) return unavailable(response, nowMs);
  if (response.status === 401) return { kind: "bad_credentials" };
  if (response.status === 403) return judgeForbidden(response, body, nowMs);
  if (response.status === 404) return judgeNotFound(identity, nowMs);
  const token = nonEmptyString(body["token"]);
  if (!response.ok || token === undefined) return unavailable(response, nowMs);
  const expiresAt = finiteNumber(body["expires_at"]) ?? 0;
  return {
    kind: "granted",
    grant: {
      accessToken: token,
      accessExpiresAtMs: expiresAt > 0 ? expiresAt * 1000 : nowMs + defaultLifeMs,
      refreshToken: identity.githubToken,
      accountId: identity.accountId,
      attributes: { apiUrl: apiUrlOf(body, token) },
    },
  };
}

/**
 * The exchange does not exist for OAuth Apps (`gho_`): their token is accepted by the Copilot API itself (section 4).
 * With other tokens the same 404 means that the client id cannot be used for Copilot.
 */
function judgeNotFound(identity: GitHubIdentity, nowMs: number): ExchangeOutcome {
  if (!identity.githubToken.startsWith("gho_")) {
    return {
      kind: "no_access",
      message: "GitHub does not let this app use Copilot. The operator has to set another GitHub client id.",
      reason: "exchange_not_found",
    };
  }
  return {
    kind: "granted",
    grant: {
      accessToken: identity.githubToken,
      accessExpiresAtMs: nowMs + directLifeMs,
      refreshToken: identity.githubToken,
      accountId: identity.accountId,
      attributes: { apiUrl: defaultCopilotApiUrl, [directAttribute]: "true" },
    },
  };
}

function judgeForbidden(response: Response, body: JsonObject, nowMs: number): ExchangeOutcome {
  const message = nonEmptyString(body["message"]) ?? "";
  const details = objectOrEmpty(body["error_details"]);
  const notice = oauthCode(details["notification_id"]);
  if (/rate limit/i.test(message) || response.headers.has("retry-after") || notice === "server_error") {
    return unavailable(response, nowMs);
  }
  if (response.headers.has("x-github-sso")) {
    return {
      kind: "no_access",
      message:
        "An organization of this GitHub account demands single sign-on. Authorize the app there, then retry.",
      reason: "saml_enforcement",
    };
  }
  if (/contact support/i.test(`${message} ${nonEmptyString(details["message"]) ?? ""}`)) {
    return {
      kind: "no_access",
      message: "GitHub has suspended Copilot for this account. Contact GitHub support.",
      reason: notice ?? "suspended",
    };
  }
  return {
    kind: "no_access",
    message:
      "This GitHub account has no active Copilot subscription. Get one, or sign in with another account.",
    reason: notice ?? "no_copilot_access",
  };
}

/**
 * The account's own API host: `endpoints.api` of the answer, else the token's `proxy-ep` with `api.` for `proxy.`, else
 * the common host. Business seats are refused on a foreign host, so the exchange's own answer wins.
 */
function apiUrlOf(body: JsonObject, token: string): string {
  const named = namedApiUrl(body);
  if (named !== undefined) return named;
  const proxy = /(?:^|;)proxy-ep=proxy\.([a-z0-9.-]+)(?=[;:]|$)/.exec(token)?.[1];
  return proxy === undefined ? defaultCopilotApiUrl : `https://api.${proxy}`;
}

/** `endpoints.api` of a document about the account, without a slash at its end. */
function namedApiUrl(body: JsonObject | undefined): string | undefined {
  const named = nonEmptyString(objectOrEmpty(body?.["endpoints"])["api"]);
  return named !== undefined && isApiUrl(named) ? named.replace(/\/+$/, "") : undefined;
}

/** The access token goes there with every call: https, or a loopback address as in the sandbox. */
function isApiUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.search !== "" || url.hash !== "" || url.username !== "") return false;
  return url.protocol === "https:" ||
    (url.protocol === "http:" && (url.hostname === "localhost" || url.hostname.startsWith("127.")));
}
