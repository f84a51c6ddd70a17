/**
 * The header fields by which ChatGPT knows us and the account (chatgpt-codex.md section 3.2).
 *
 * @module
 */
import { isObject, type JsonObject } from "../wire/json.ts";
import type { NamedChatGptSettings } from "./chatgpt_settings.ts";
import type { Grant } from "./provider.ts";
import { headerWord } from "../wire/safe_text.ts";

/** Who is asking: sent with every request, also to the authorization server. */
export function chatGptClientHeaders(settings: NamedChatGptSettings): Readonly<Record<string, string>> {
  const originator = headerWord(settings.originator, "authai-relay");
  // A product token holds no spaces (RFC 9110 section 10.1.5).
  const product = originator.replace(/[^\w.-]+/g, "-");
  return { originator, "user-agent": `${product}/${headerWord(settings.clientVersion, "0")} (authai-relay)` };
}

/** For whom: sent with every request to the backend. */
export function chatGptAccountHeaders(grant: Grant): Readonly<Record<string, string>> {
  const workspaceId = grant.attributes["workspaceId"];
  return {
    authorization: `Bearer ${grant.accessToken}`,
    ...(workspaceId === undefined ? {} : { "chatgpt-account-id": workspaceId }),
    ...(grant.attributes["fedramp"] === "true" ? { "x-openai-fedramp": "true" } : {}),
  };
}

/**
 * How the body is to be read: a client that puts its tools into the conversation speaks the variant Responses-Lite, which
 * the backend only reads as such when told so (section 3.8).
 */
export function chatGptVariantHeaders(body: JsonObject): Readonly<Record<string, string>> {
  const { input } = body;
  const isLite = Array.isArray(input) &&
    input.some((item) => isObject(item) && item["type"] === "additional_tools");
  return isLite ? { "x-openai-internal-codex-responses-lite": "true" } : {};
}
