/**
 * Responses `input` to Chat Completions `messages`, for upstreams that only speak Chat.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { toAssistantContent, toChatParts } from "./responses_content.ts";
import { type Draft, refuseType, refuseValue, requireObject, requireString } from "./translated.ts";

const ROLES = Object.freeze(["user", "assistant", "system", "developer"]);

/** Messages in the making. */
interface Transcript {
  readonly messages: JsonObject[];
  /** The assistant message that further calls belong to: Chat wants all calls of a turn in one message. */
  assistant: JsonObject | undefined;
  /** Pictures and files out of tool outputs; Chat takes only text there. */
  readonly attachments: JsonObject[];
}

/** Translates `input`, a text or a list of items; what cannot be translated is refused through the draft. */
export function toChatMessages(draft: Draft, input: unknown): JsonObject[] {
  if (typeof input === "string") return [{ role: "user", content: input }];
  if (!Array.isArray(input)) {
    refuseType(draft, "input", "a string or an array of items", input);
    return [];
  }
  const transcript: Transcript = { messages: [], assistant: undefined, attachments: [] };
  input.forEach((value, index) => {
    const path = `input[${index}]`;
    addItem(draft, path, requireObject(draft, path, value), transcript);
  });
  addAttachments(transcript);
  return transcript.messages;
}

function addItem(draft: Draft, path: string, item: JsonObject, transcript: Transcript): void {
  const type = item["type"] ?? ("role" in item ? "message" : undefined);
  switch (type) {
    case "message":
      return addMessage(draft, path, item, transcript);
    case "function_call":
      return addCall(transcript, {
        id: requireString(draft, `${path}.call_id`, item["call_id"]),
        type: "function",
        function: {
          name: requireString(draft, `${path}.name`, item["name"]),
          arguments: requireString(draft, `${path}.arguments`, item["arguments"]),
        },
      });
    case "custom_tool_call":
      return addCall(transcript, {
        id: requireString(draft, `${path}.call_id`, item["call_id"]),
        type: "custom",
        custom: {
          name: requireString(draft, `${path}.name`, item["name"]),
          input: requireString(draft, `${path}.input`, item["input"]),
        },
      });
    case "function_call_output":
    case "custom_tool_call_output":
      return addOutput(draft, path, item, transcript);
    case "item_reference":
      return draft.refuse(
        path,
        "unsupported_value",
        `'${path}' refers to a stored item, and responses are not stored. Send the item itself.`,
      );
    case undefined:
      return refuseType(draft, `${path}.type`, "a string", undefined);
    default:
      // Reasoning and the calls of hosted tools: records of earlier work that Chat has no place for.
      draft.ignore(`input[].${typeof type === "string" ? type : "type"}`);
  }
}

function addMessage(draft: Draft, path: string, item: JsonObject, transcript: Transcript): void {
  const { role, content } = item;
  if (typeof item["phase"] === "string") draft.ignore("input[].phase");
  addAttachments(transcript);
  if (role === "assistant") {
    transcript.assistant = {
      role,
      content: toAssistantContent(draft, `${path}.content`, content),
    };
    transcript.messages.push(transcript.assistant);
    return;
  }
  transcript.assistant = undefined;
  if (typeof role !== "string" || !ROLES.includes(role)) refuseValue(draft, `${path}.role`, role, ROLES);
  transcript.messages.push({ role, content: toChatParts(draft, `${path}.content`, content) });
}

function addCall(transcript: Transcript, call: JsonObject): void {
  addAttachments(transcript);
  if (transcript.assistant === undefined) {
    transcript.assistant = { role: "assistant", content: null };
    transcript.messages.push(transcript.assistant);
  }
  const calls = transcript.assistant["tool_calls"];
  transcript.assistant["tool_calls"] = [...(Array.isArray(calls) ? calls : []), call];
}

function addOutput(draft: Draft, path: string, item: JsonObject, transcript: Transcript): void {
  transcript.assistant = undefined;
  const content = toChatParts(draft, `${path}.output`, item["output"]);
  const parts = typeof content === "string" ? [] : content;
  const attachments = parts.filter((part) => part["type"] !== "text");
  transcript.attachments.push(...attachments);
  const texts = parts.filter((part) => part["type"] === "text");
  if (attachments.length > 0) {
    texts.push({ type: "text", text: "The files of this result follow in the next user message." });
  }
  transcript.messages.push({
    role: "tool",
    tool_call_id: requireString(draft, `${path}.call_id`, item["call_id"]),
    content: typeof content === "string" ? content : texts,
  });
}

/** Behind the last of the outputs that belong together, so that nothing stands between a call and its result. */
function addAttachments(transcript: Transcript): void {
  if (transcript.attachments.length === 0) return;
  transcript.messages.push({ role: "user", content: transcript.attachments.splice(0) });
  transcript.assistant = undefined;
}
