/**
 * Responses `input` to Chat Completions `messages`, for upstreams that only speak Chat.
 *
 * @module
 */
import type { JsonObject } from "../wire/json.ts";
import { toAssistantContent, toChatParts } from "./responses_content.ts";
import { ignoreMembers } from "./field_table.ts";
import { carriedForm, droppedForm, type FormTable, formTable, pickForm, refusedForm } from "./form_table.ts";
import { type Draft, refuseType, requireObject, requireString } from "./translated.ts";

/** Members of an item that tell a model nothing. */
const OWN_MEMBERS = Object.freeze(["type", "id", "status"]);

/** Messages in the making. */
interface Transcript {
  readonly messages: JsonObject[];
  /** The assistant message that further calls belong to: Chat wants all calls of a turn in one message. */
  assistant: JsonObject | undefined;
  /** Pictures and files out of tool outputs; Chat takes only text there. */
  readonly attachments: JsonObject[];
}

type AddItem = (draft: Draft, path: string, item: JsonObject, transcript: Transcript) => void;

/** Reasoning and the calls of hosted tools. */
const earlierWork = droppedForm<AddItem>("a record that Chat has no place for", (draft, _path, item) => {
  draft.ignore(`input[].${String(item["type"])}`);
});

/** The items of `input`, by `type`. An item that is not listed is dropped and named too. */
export const RESPONSES_ITEMS: FormTable<AddItem> = formTable<AddItem>({
  message: carriedForm("as a message", addMessage),
  function_call: carriedForm(
    "in `tool_calls` of the turn's assistant message, with its `call_id`",
    addFunctionCall,
  ),
  custom_tool_call: carriedForm(
    "in `tool_calls` of the turn's assistant message, with its `call_id`",
    addCustomCall,
  ),
  function_call_output: carriedForm(
    "as a `tool` message; pictures and files follow in a user message",
    addOutput,
  ),
  custom_tool_call_output: carriedForm(
    "as a `tool` message; pictures and files follow in a user message",
    addOutput,
  ),
  item_reference: refusedForm("items are not stored", (draft, path) => {
    draft.refuse(
      path,
      "unsupported_value",
      `'${path}' refers to a stored item, and responses are not stored. Send the item itself.`,
    );
  }),
  additional_tools: earlierWork,
  apply_patch_call: earlierWork,
  apply_patch_call_output: earlierWork,
  code_interpreter_call: earlierWork,
  compaction: earlierWork,
  compaction_trigger: earlierWork,
  computer_call: earlierWork,
  computer_call_output: earlierWork,
  configuration_update: earlierWork,
  file_search_call: earlierWork,
  image_generation_call: earlierWork,
  local_shell_call: earlierWork,
  local_shell_call_output: earlierWork,
  mcp_approval_request: earlierWork,
  mcp_approval_response: earlierWork,
  mcp_call: earlierWork,
  mcp_list_tools: earlierWork,
  program: earlierWork,
  program_output: earlierWork,
  reasoning: earlierWork,
  shell_call: earlierWork,
  shell_call_output: earlierWork,
  tool_search_call: earlierWork,
  tool_search_output: earlierWork,
  web_search_call: earlierWork,
});

type ToMessage = (draft: Draft, path: string, item: JsonObject) => JsonObject;

/** The messages of `input`, by `role`. */
export const RESPONSES_ROLES: FormTable<ToMessage> = formTable<ToMessage>({
  user: carriedForm("as a `user` message", toMessage),
  assistant: carriedForm("as an `assistant` message", (draft, path, { role, content }) => ({
    role,
    content: toAssistantContent(draft, `${path}.content`, content),
  })),
  system: carriedForm("as a `system` message in its place", toMessage),
  developer: carriedForm("as a `developer` message in its place", toMessage),
});

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
  if (type === undefined) return refuseType(draft, `${path}.type`, "a string", undefined);
  const word = requireString(draft, `${path}.type`, type);
  const { translate } = (Object.hasOwn(RESPONSES_ITEMS, word) ? RESPONSES_ITEMS[word] : undefined) ??
    earlierWork;
  translate(draft, path, item, transcript);
}

function addMessage(draft: Draft, path: string, item: JsonObject, transcript: Transcript): void {
  ignoreMembers(draft, "input[]", item, [...OWN_MEMBERS, "role", "content"]);
  addAttachments(transcript);
  const message = pickForm(RESPONSES_ROLES, draft, `${path}.role`, item["role"])?.(draft, path, item);
  if (message === undefined) return;
  transcript.messages.push(message);
  transcript.assistant = item["role"] === "assistant" ? message : undefined;
}

function toMessage(draft: Draft, path: string, { role, content }: JsonObject): JsonObject {
  return { role, content: toChatParts(draft, `${path}.content`, content) };
}

function addFunctionCall(draft: Draft, path: string, item: JsonObject, transcript: Transcript): void {
  ignoreMembers(draft, "input[]", item, [...OWN_MEMBERS, "call_id", "name", "arguments"]);
  addCall(transcript, {
    id: requireString(draft, `${path}.call_id`, item["call_id"]),
    type: "function",
    function: {
      name: requireString(draft, `${path}.name`, item["name"]),
      arguments: requireString(draft, `${path}.arguments`, item["arguments"]),
    },
  });
}

function addCustomCall(draft: Draft, path: string, item: JsonObject, transcript: Transcript): void {
  ignoreMembers(draft, "input[]", item, [...OWN_MEMBERS, "call_id", "name", "input"]);
  addCall(transcript, {
    id: requireString(draft, `${path}.call_id`, item["call_id"]),
    type: "custom",
    custom: {
      name: requireString(draft, `${path}.name`, item["name"]),
      input: requireString(draft, `${path}.input`, item["input"]),
    },
  });
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
  ignoreMembers(draft, "input[]", item, [...OWN_MEMBERS, "call_id", "output"]);
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
