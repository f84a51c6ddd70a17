/**
 * Each request field of the Responses dialect (OpenAI's API reference, `POST /v1/responses`) and what becomes of it when
 * the model's upstream only speaks Chat Completions.
 *
 * @module
 */
import { isObject } from "../wire/json.ts";
import {
  carriedAs,
  carriedBy,
  dropped,
  type FieldRule,
  type FieldTable,
  refusedWhen,
} from "./field_table.ts";
import { toChatMessages } from "./responses_input.ts";
import { toChatToolChoice, toChatTools, toResponseFormat } from "./responses_tools.ts";
import { refuseType, requireObject, requireString } from "./translated.ts";

/** A field that asks for state which is kept nowhere. */
function refusedState(field: string): FieldRule {
  return refusedWhen(
    () => true,
    "responses are not stored",
    `'${field}' is not supported: responses are not stored. Send the whole conversation as 'input' instead.`,
  );
}

const NO_CHAT_PLACE = "the Chat dialect has no such parameter";

/** The table. Its order is that of the reference, apart from `instructions`, which come before the conversation. */
export const RESPONSES_FIELDS: FieldTable = Object.freeze({
  model: carriedAs("model", "string"),
  instructions: carriedBy("as the first message, a system message", (draft, value, field) => {
    draft.body["messages"] = [{ role: "system", content: requireString(draft, field, value) }];
  }),
  input: carriedBy("as messages, in order", (draft, value) => {
    const before = draft.body["messages"];
    draft.body["messages"] = [...(Array.isArray(before) ? before : []), ...toChatMessages(draft, value)];
  }),
  access_programs: dropped(NO_CHAT_PLACE),
  background: refusedWhen(
    (value) => value !== false,
    "responses are not stored",
    "Background responses are not supported. Leave out 'background' and stream the response instead.",
  ),
  context_management: dropped(NO_CHAT_PLACE),
  conversation: refusedState("conversation"),
  image: dropped(NO_CHAT_PLACE),
  include: dropped("the Chat dialect tells nothing beyond the answer"),
  max_output_tokens: carriedAs("max_completion_tokens", "number"),
  max_tool_calls: dropped(NO_CHAT_PLACE),
  metadata: carriedAs("metadata", "object"),
  moderation: carriedAs("moderation", "object"),
  parallel_tool_calls: carriedAs("parallel_tool_calls", "boolean"),
  previous_response_id: refusedState("previous_response_id"),
  prompt: refusedState("prompt"),
  prompt_cache_key: carriedAs("prompt_cache_key", "string"),
  prompt_cache_options: carriedAs("prompt_cache_options", "object"),
  prompt_cache_retention: carriedAs("prompt_cache_retention", "string"),
  reasoning: carriedBy("its effort as reasoning_effort", (draft, value, field) => {
    for (const [name, member] of Object.entries(requireObject(draft, field, value))) {
      if (member === null) continue;
      if (name === "effort") draft.body["reasoning_effort"] = requireString(draft, `${field}.effort`, member);
      else draft.ignore(`${field}.${name}`);
    }
  }),
  safety_identifier: carriedAs("safety_identifier", "string"),
  service_tier: carriedAs("service_tier", "string"),
  store: refusedWhen(
    (value) => value !== false,
    "responses are not stored",
    "Responses are not stored. Set 'store' to false or leave it out.",
  ),
  stream: carriedBy("as stream, with stream_options.include_usage", (draft, value, field) => {
    if (typeof value !== "boolean") refuseType(draft, field, "a boolean", value);
    draft.body[field] = value;
    if (value === true) draft.body["stream_options"] = { include_usage: true };
  }),
  stream_options: carriedBy("none of them exists in Chat", (draft, value, field) => {
    for (const [name, asked] of Object.entries(requireObject(draft, field, value))) {
      if (asked !== false && asked !== null) draft.ignore(`${field}.${name}`);
    }
  }),
  temperature: carriedAs("temperature", "number"),
  text: carriedBy("as response_format and verbosity", (draft, value, field) => {
    const { format, verbosity } = requireObject(draft, field, value);
    if (isObject(format)) {
      const translated = toResponseFormat(draft, `${field}.format`, format);
      if (translated !== undefined) draft.body["response_format"] = translated;
    }
    if (typeof verbosity === "string") draft.body["verbosity"] = verbosity;
  }),
  tool_choice: carriedBy("as tool_choice", (draft, value, field) => {
    draft.body[field] = toChatToolChoice(draft, field, value);
  }),
  tools: carriedBy("function and custom tools as tools", (draft, value, field) => {
    draft.body[field] = toChatTools(draft, field, value);
  }),
  top_logprobs: refusedWhen(
    (value) => value !== 0,
    "the upstreams tell no log probabilities",
    "Log probabilities are not supported. Leave out 'top_logprobs'.",
  ),
  top_p: carriedAs("top_p", "number"),
  truncation: dropped(NO_CHAT_PLACE, "disabled"),
  user: carriedAs("user", "string"),
});
