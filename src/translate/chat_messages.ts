/**
 * Chat Completions `messages` to Responses `input`: the same conversation in the same order, with tool calls and their
 * results related by the client's own ids.
 *
 * System and developer messages stay where they are: an upstream that wants them elsewhere moves them itself.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import type { ResponsesInputItem } from "../wire/responses.ts";
import { toAnswerParts, toInputParts } from "./chat_content.ts";
import { type Draft, refuseValue, requireArray, requireObject, requireString } from "./translated.ts";

/** Members that a message of each role may have and that are carried; others are dropped and named. */
const CARRIED_MEMBERS = Object.freeze(
  {
    system: ["role", "content"],
    developer: ["role", "content"],
    user: ["role", "content"],
    assistant: ["role", "content", "refusal", "tool_calls", "function_call"],
    tool: ["role", "content", "tool_call_id"],
    function: ["role", "content", "name"],
  } satisfies Record<string, readonly string[]>,
);

type Role = keyof typeof CARRIED_MEMBERS;

const ROLES = Object.freeze(
  ["system", "developer", "user", "assistant", "tool", "function"] satisfies Role[],
);

/** What earlier messages have said that later ones refer to. */
interface Conversation {
  /** Ids of custom tool calls: their results are another type of item than those of functions. */
  readonly customCallIds: Set<string>;
  /** Legacy function calls that wait for their result, oldest first; the legacy dialect has no ids. */
  readonly openLegacyCalls: { readonly name: string; readonly callId: string }[];
}

/** Translates the array at `messages`; what cannot be translated is refused through the draft. */
export function toInputItems(draft: Draft, messages: unknown): ResponsesInputItem[] {
  const list = requireArray(draft, "messages", messages);
  if (Array.isArray(messages) && list.length === 0) {
    draft.refuse("messages", "invalid_value", "Invalid 'messages': expected at least one message.");
  }
  const conversation: Conversation = { customCallIds: new Set(), openLegacyCalls: [] };
  return list.flatMap((value, index) => {
    const path = `messages[${index}]`;
    return toItems(draft, path, index, requireObject(draft, path, value), conversation);
  });
}

function toItems(
  draft: Draft,
  path: string,
  index: number,
  message: JsonObject,
  conversation: Conversation,
): ResponsesInputItem[] {
  const role = ROLES.find((known) => known === message["role"]);
  if (role === undefined) {
    refuseValue(draft, `${path}.role`, message["role"], ROLES);
    return [];
  }
  nameDroppedMembers(draft, role, message);
  switch (role) {
    case "system":
    case "developer":
    case "user":
      return [{
        type: "message",
        role,
        content: toInputParts(draft, `${path}.content`, message["content"]),
      }];
    case "assistant":
      return fromAssistant(draft, path, index, message, conversation);
    case "tool":
      return [fromToolResult(draft, path, message, conversation)];
    case "function":
      return fromLegacyResult(draft, path, message, conversation);
  }
}

function nameDroppedMembers(draft: Draft, role: Role, message: JsonObject): void {
  const carried: readonly string[] = CARRIED_MEMBERS[role];
  for (const [member, value] of Object.entries(message)) {
    if (!carried.includes(member) && value !== null) draft.ignore(`messages[].${member}`);
  }
}

/** Text first, then the calls: the order in which the model produced them. */
function fromAssistant(
  draft: Draft,
  path: string,
  index: number,
  message: JsonObject,
  conversation: Conversation,
): ResponsesInputItem[] {
  const calls = [
    ...fromToolCalls(draft, `${path}.tool_calls`, message["tool_calls"], conversation),
    ...fromLegacyCall(draft, `${path}.function_call`, index, message["function_call"], conversation),
  ];
  const content = toAnswerParts(draft, `${path}.content`, message["content"]);
  const refusal = message["refusal"];
  if (typeof refusal === "string" && refusal !== "") content.push({ type: "refusal", refusal });
  // Clients put an empty text beside tool calls; an empty message of its own says that the model said nothing.
  const saysNothing = content.every((part) => part.type === "output_text" && part.text === "");
  if (saysNothing && (calls.length > 0 || content.length === 0)) return calls;
  return [{ type: "message", role: "assistant", content }, ...calls];
}

function fromToolCalls(
  draft: Draft,
  path: string,
  value: unknown,
  conversation: Conversation,
): ResponsesInputItem[] {
  if (value === undefined || value === null) return [];
  return requireArray(draft, path, value).flatMap((entry, index): ResponsesInputItem[] => {
    const callPath = `${path}[${index}]`;
    const call = requireObject(draft, callPath, entry);
    const callId = requireString(draft, `${callPath}.id`, call["id"]);
    // Some clients leave the type out; only functions ever had none.
    const type = call["type"] ?? "function";
    if (type === "function") {
      const { name, arguments: text } = requireObject(draft, `${callPath}.function`, call["function"]);
      return [{
        type: "function_call",
        call_id: callId,
        name: requireString(draft, `${callPath}.function.name`, name),
        arguments: requireString(draft, `${callPath}.function.arguments`, text),
      }];
    }
    if (type === "custom") {
      conversation.customCallIds.add(callId);
      const { name, input } = requireObject(draft, `${callPath}.custom`, call["custom"]);
      return [{
        type: "custom_tool_call",
        call_id: callId,
        name: requireString(draft, `${callPath}.custom.name`, name),
        input: requireString(draft, `${callPath}.custom.input`, input),
      }];
    }
    refuseValue(draft, `${callPath}.type`, type, ["function", "custom"]);
    return [];
  });
}

function fromToolResult(
  draft: Draft,
  path: string,
  message: JsonObject,
  conversation: Conversation,
): ResponsesInputItem {
  const callId = requireString(draft, `${path}.tool_call_id`, message["tool_call_id"]);
  const content = message["content"];
  return {
    type: conversation.customCallIds.has(callId) ? "custom_tool_call_output" : "function_call_output",
    call_id: callId,
    output: typeof content === "string" ? content : toInputParts(draft, `${path}.content`, content),
  };
}

/** A call of the legacy dialect gets an id from its place, so that the same conversation gives the same request. */
function fromLegacyCall(
  draft: Draft,
  path: string,
  index: number,
  value: unknown,
  conversation: Conversation,
): ResponsesInputItem[] {
  if (value === undefined || value === null) return [];
  const call = requireObject(draft, path, value);
  const name = requireString(draft, `${path}.name`, call["name"]);
  const callId = `call_message_${index}`;
  conversation.openLegacyCalls.push({ name, callId });
  return [{
    type: "function_call",
    call_id: callId,
    name,
    arguments: requireString(draft, `${path}.arguments`, call["arguments"]),
  }];
}

/** A result of the legacy dialect belongs to the oldest call of that name that has none yet. */
function fromLegacyResult(
  draft: Draft,
  path: string,
  message: JsonObject,
  conversation: Conversation,
): ResponsesInputItem[] {
  const name = requireString(draft, `${path}.name`, message["name"]);
  const position = conversation.openLegacyCalls.findIndex((call) => call.name === name);
  const [call] = position === -1 ? [] : conversation.openLegacyCalls.splice(position, 1);
  if (call === undefined) {
    draft.refuse(
      path,
      "invalid_value",
      `Invalid '${path}': no earlier assistant message has a function_call that this message could answer.`,
    );
    return [];
  }
  const content = message["content"];
  return [{
    type: "function_call_output",
    call_id: call.callId,
    output: content === null ? "" : requireString(draft, `${path}.content`, content),
  }];
}
