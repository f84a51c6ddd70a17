/**
 * Who a ChatGPT token speaks for (chatgpt-codex.md sections 1.5 and 1.6). A workspace id is shared by colleagues, so the
 * account of a grant is the person, and the workspace is only an attribute that calls need.
 *
 * @module
 */
import { isObject, type JsonObject, nonEmptyString, objectOrEmpty } from "../wire/json.ts";
import type { Grant } from "./provider.ts";
import type { TokenSet } from "./token_answer.ts";
import { accessTokenEndMs, unverifiedClaims } from "./token_claims.ts";

/** The claim under which OpenAI's authorization server keeps its own claims. */
const namespace = "https://api.openai.com/auth";

/** Names of the person's id, best first. The first one is on every token; the others are reported fallbacks. */
const personClaims = Object.freeze(["chatgpt_user_id", "user_id", "chatgpt_account_user_id"] as const);

/** What the tokens say about the account. */
export interface ChatGptAccount {
  /** Every id of the person, best first; empty when the tokens name none. */
  readonly personIds: readonly string[];
  /** `chatgpt_account_id`, the value of the account header. */
  readonly workspaceId?: string;
  /** `chatgpt_plan_type`, as it is. */
  readonly plan?: string;
  /** Whether calls must carry the FedRAMP header (section 1.7). */
  readonly fedramp: boolean;
}

/** Reads the claims of both tokens; the id token wins where both carry one. */
export function readChatGptAccount(tokens: TokenSet): ChatGptAccount {
  const payloads = [unverifiedClaims(tokens.idToken), unverifiedClaims(tokens.accessToken)];
  const spaces = payloads.map((payload) => objectOrEmpty(payload[namespace]));
  const personIds = [
    ...personClaims.map((name) => firstString(spaces, name)),
    firstString(payloads, "sub"),
  ].filter((id) => id !== undefined);
  const workspaceId = firstString(spaces, "chatgpt_account_id") ??
    firstString(payloads, "chatgpt_account_id") ??
    firstOrganization(spaces);
  const plan = firstString(spaces, "chatgpt_plan_type");
  return {
    personIds,
    ...(workspaceId === undefined ? {} : { workspaceId }),
    ...(plan === undefined ? {} : { plan }),
    fedramp: spaces.some((space) => space["chatgpt_account_is_fedramp"] === true),
  };
}

/** The grant of a completed sign-in; undefined when the tokens do not say who signed in to which workspace. */
export function grantOfTokens(tokens: TokenSet, nowMs: number): Grant | undefined {
  const account = readChatGptAccount(tokens);
  const [accountId] = account.personIds;
  if (tokens.accessToken === undefined || accountId === undefined || account.workspaceId === undefined) {
    return undefined;
  }
  return {
    accessToken: tokens.accessToken,
    accessExpiresAtMs: accessTokenEndMs(tokens.accessToken, tokens.expiresInSeconds, nowMs),
    ...(tokens.refreshToken === undefined ? {} : { refreshToken: tokens.refreshToken }),
    accountId,
    attributes: attributesOf(account, account.workspaceId, {}),
  };
}

/**
 * `grant` with the tokens of a refresh; tokens that the answer leaves out stay. Undefined when the new tokens belong to
 * another person or workspace: requests must not silently change the account that pays for them.
 */
export function grantWithTokens(grant: Grant, tokens: TokenSet, nowMs: number): Grant | undefined {
  const account = readChatGptAccount(tokens);
  if (account.personIds.length > 0 && !account.personIds.includes(grant.accountId)) return undefined;
  const workspaceId = grant.attributes["workspaceId"] ?? account.workspaceId;
  if (account.workspaceId !== undefined && account.workspaceId !== workspaceId) return undefined;
  const { accessToken = grant.accessToken, refreshToken = grant.refreshToken } = tokens;
  return {
    accessToken,
    accessExpiresAtMs: tokens.accessToken === undefined
      ? grant.accessExpiresAtMs
      : accessTokenEndMs(accessToken, tokens.expiresInSeconds, nowMs),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    accountId: grant.accountId,
    attributes: attributesOf(account, workspaceId, grant.attributes),
  };
}

function attributesOf(
  account: ChatGptAccount,
  workspaceId: string | undefined,
  earlier: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return {
    ...earlier,
    ...(workspaceId === undefined ? {} : { workspaceId }),
    ...(account.plan === undefined ? {} : { plan: account.plan }),
    ...(account.fedramp ? { fedramp: "true" } : {}),
  };
}

function firstString(objects: readonly JsonObject[], name: string): string | undefined {
  for (const object of objects) {
    const value = nonEmptyString(object[name]);
    if (value !== undefined) return value;
  }
  return undefined;
}

function firstOrganization(spaces: readonly JsonObject[]): string | undefined {
  for (const space of spaces) {
    const organizations: unknown = space["organizations"];
    const first: unknown = Array.isArray(organizations) ? organizations[0] : undefined;
    const id = isObject(first) ? nonEmptyString(first["id"]) : undefined;
    if (id !== undefined) return id;
  }
  return undefined;
}
