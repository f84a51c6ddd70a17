/**
 * The header fields by which GitHub knows us, and by which it bills a call (github-copilot.md sections 3, 5 and 9).
 *
 * @module
 */
import { isObject, type JsonObject } from "../wire/json.ts";
import type { CopilotSettings } from "./copilot_settings.ts";
import type { Grant } from "./provider.ts";
import type { Dialect } from "../wire/dialect.ts";

/** Marks a grant whose access token is the GitHub token itself (section 4). */
export const directAttribute = "direct";

/** The editor that we stand for. */
function editorHeaders(settings: CopilotSettings): Readonly<Record<string, string>> {
  return {
    "editor-version": settings.editorVersion,
    "editor-plugin-version": settings.editorPluginVersion,
    "copilot-integration-id": settings.integrationId,
    "user-agent": settings.userAgent,
  };
}

/** For GitHub's REST API: the user, and the token exchange (sections 2 and 3). */
export function githubHeaders(
  settings: CopilotSettings,
  githubToken: string,
): Readonly<Record<string, string>> {
  return {
    ...editorHeaders(settings),
    authorization: `token ${githubToken}`,
    accept: "application/json",
    "x-github-api-version": settings.restApiVersion,
  };
}

/**
 * For the Copilot API (section 5). A GitHub token that is used directly belongs to another app than the editor, so the
 * editor's identity is left out: the API refuses models when the two do not match.
 */
export function copilotHeaders(
  settings: CopilotSettings,
  grant: Grant,
  intent: "conversation-agent" | "model-access",
  requestId: string,
): Readonly<Record<string, string>> {
  const identity = grant.attributes[directAttribute] === "true"
    ? { "user-agent": settings.userAgent }
    : editorHeaders(settings);
  return {
    ...identity,
    authorization: `Bearer ${grant.accessToken}`,
    "openai-intent": intent,
    "x-github-api-version": settings.copilotApiVersion,
    "x-request-id": requestId,
  };
}

/**
 * Who caused the call. A call by the person may cost a premium request, one by the agent that works for them does not.
 * Clients disagree where a turn begins (section 9). Here the last message decides: what the person wrote is theirs,
 * and a call that carries tool results, or goes on from the model's own words, is the agent's. So a turn is counted
 * once however many tool rounds it takes, and no turn is counted as none.
 */
export function initiatorOf(dialect: Dialect, body: JsonObject): "user" | "agent" {
  const conversation = dialect === "chat" ? body["messages"] : body["input"];
  if (!Array.isArray(conversation)) return "user";
  const last: unknown = conversation.at(-1);
  if (!isObject(last)) return "user";
  return last["role"] === "user" && !isAttachment(last, conversation.at(-2)) ? "user" : "agent";
}

/** Results of tools hold only text in Chat: what else a tool returned stands behind them, as if the person had said it. */
function isAttachment(message: JsonObject, before: unknown): boolean {
  const { content } = message;
  return isObject(before) && before["role"] === "tool" && Array.isArray(content) &&
    !content.some((part: unknown) => isObject(part) && part["type"] === "text");
}

/** Whether any message shows the model an image: such a call needs `Copilot-Vision-Request`. */
export function hasImage(dialect: Dialect, body: JsonObject): boolean {
  const conversation = dialect === "chat" ? body["messages"] : body["input"];
  const imageType = dialect === "chat" ? "image_url" : "input_image";
  const isImage = (part: unknown): boolean => isObject(part) && part["type"] === imageType;
  return Array.isArray(conversation) && conversation.some((message) =>
    // A tool may answer with an image too: Responses keeps it in the item's output.
    isObject(message) &&
    [message["content"], message["output"]].some((parts) => Array.isArray(parts) && parts.some(isImage))
  );
}
