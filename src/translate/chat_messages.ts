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
import { carriedForm, type FormTable, formTable, pickForm } from "./form_table.ts";
import { type Draft, requireArray, requireObject, requireString } from "./translated.ts";

/** A message to translate, and where it stands. */
interface Place {
  readonly path: string;
  readonly index: number;
  readonly conversation: Conversation;
}

/** How the messages of one role go over. */
interface RoleTranslation {
  /** Members that go over; others are dropped and named. */
  readonly members: readonly string[];
  toItems(draft: Draft, message: JsonObject, place: Place): ResponsesInputItem[];
}

/** The messages, by `role`. */
export const CHAT_ROLES: FormTable<RoleTranslation> = formTable<RoleTranslation>({
  system: carriedForm("as a `system` message in its place", said("system")),
  developer: carriedForm("as a `developer` message in its place", said("developer")),
  user: carriedForm("as a `user` message", said("user")),
  assistant: carriedForm("as an `assistant` message, followed by an item for each call", {
    members: ["role", "content", "refusal", "tool_calls", "function_call"],
    toItems: fromAssistant,
  }),
  tool: carriedForm("as the output item of its call, text and parts", {
    members: ["role", "content", "tool_call_id"],
    toItems: fromToolResult,
  }),
  function: carriedForm("as the output item of the oldest call of that name", {
    members: ["role", "content", "name"],
    toItems: fromLegacyResult,
  }),
});

type FromCall = (draft: Draft, path: string, call: JsonObject, callId: string) => ResponsesInputItem;

/** The calls of an assistant message, by `type`. */
export const CHAT_CALLS: FormTable<FromCall> = formTable<FromCall>({
  function: carriedForm("as `function_call`, with its id", fromFunctionCall),
  custom: carriedForm("as `custom_tool_call`, with its id", fromCustomCall),
});

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
    const message = requireObject(draft, path, value);
    const role = pickForm(CHAT_ROLES, draft, `${path}.role`, message["role"]);
    if (role === undefined) return [];
    for (const [member, told] of Object.entries(message)) {
      if (!role.members.includes(member) && told !== null) draft.ignore(`messages[].${member}`);
    }
    return role.toItems(draft, message, { path, index, conversation });
  });
}

function said(role: "system" | "developer" | "user"): RoleTranslation {
  return {
    members: ["role", "content"],
    toItems: (draft, message, { path }) => [{
      type: "message",
      role,
      content: toInputParts(draft, `${path}.content`, message["content"]),
    }],
  };
}

/** Text first, then the calls: the order in which the model produced them. */
function fromAssistant(draft: Draft, message: JsonObject, place: Place): ResponsesInputItem[] {
  const { path } = place;
  const calls = [
    ...fromToolCalls(draft, `${path}.tool_calls`, message["tool_calls"], place.conversation),
    ...fromLegacyCall(draft, `${path}.function_call`, message["function_call"], place),
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
    const translate = pickForm(CHAT_CALLS, draft, `${callPath}.type`, type);
    if (type === "custom") conversation.customCallIds.add(callId);
    return translate === undefined ? [] : [translate(draft, callPath, call, callId)];
  });
}

function fromFunctionCall(draft: Draft, path: string, call: JsonObject, callId: string): ResponsesInputItem {
  const { name, arguments: text } = requireObject(draft, `${path}.function`, call["function"]);
  return {
    type: "function_call",
    call_id: callId,
    name: requireString(draft, `${path}.function.name`, name),
    arguments: requireString(draft, `${path}.function.arguments`, text),
  };
}

function fromCustomCall(draft: Draft, path: string, call: JsonObject, callId: string): ResponsesInputItem {
  const { name, input } = requireObject(draft, `${path}.custom`, call["custom"]);
  return {
    type: "custom_tool_call",
    call_id: callId,
    name: requireString(draft, `${path}.custom.name`, name),
    input: requireString(draft, `${path}.custom.input`, input),
  };
}

function fromToolResult(
  draft: Draft,
  message: JsonObject,
  { path, conversation }: Place,
): ResponsesInputItem[] {
  const callId = requireString(draft, `${path}.tool_call_id`, message["tool_call_id"]);
  const content = message["content"];
  return [{
    type: conversation.customCallIds.has(callId) ? "custom_tool_call_output" : "function_call_output",
    call_id: callId,
    output: typeof content === "string" ? content : toInputParts(draft, `${path}.content`, content),
  }];
}

/** A call of the legacy dialect gets an id from its place, so that the same conversation gives the same request. */
function fromLegacyCall(
  draft: Draft,
  path: string,
  value: unknown,
  { index, conversation }: Place,
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
  message: JsonObject,
  { path, conversation }: Place,
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
