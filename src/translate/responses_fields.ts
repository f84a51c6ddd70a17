/**
 * Each request field of the Responses dialect (OpenAI's API reference, `POST /v1/responses`) and what becomes of it when
 * the model's upstream only speaks Chat Completions.
 *
 * @module
 */
import {
  carriedAs,
  carriedInto,
  dropped,
  droppedMembers,
  type FieldRule,
  type FieldTable,
  ignoreMembers,
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

const NO_CHAT_PLACE = "no place in Chat";

/** The table. Its order is that of the reference, apart from `instructions`, which come before the conversation. */
export const RESPONSES_FIELDS: FieldTable = Object.freeze({
  model: carriedAs("model", "string"),
  instructions: carriedInto("messages", "the first message, a system message", (draft, value, field) => {
    draft.body["messages"] = [{ role: "system", content: requireString(draft, field, value) }];
  }),
  input: carriedInto("messages", "in order", (draft, value) => {
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
  include: dropped("Chat tells nothing beyond the answer"),
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
  reasoning: carriedInto(
    "reasoning_effort",
    "its effort; other members are dropped and named",
    (draft, value, field) => {
      const { effort } = requireObject(draft, field, value);
      if (effort !== undefined && effort !== null) {
        draft.body["reasoning_effort"] = requireString(draft, `${field}.effort`, effort);
      }
      ignoreMembers(draft, field, value, ["effort"]);
    },
  ),
  safety_identifier: carriedAs("safety_identifier", "string"),
  service_tier: carriedAs("service_tier", "string"),
  store: refusedWhen(
    (value) => value !== false,
    "responses are not stored",
    "Responses are not stored. Set 'store' to false or leave it out.",
  ),
  stream: carriedInto("stream", "with `stream_options.include_usage`", (draft, value, field) => {
    if (typeof value !== "boolean") refuseType(draft, field, "a boolean", value);
    draft.body[field] = value;
    if (value === true) draft.body["stream_options"] = { include_usage: true };
  }),
  stream_options: droppedMembers("none of them exists in Chat"),
  temperature: carriedAs("temperature", "number"),
  text: carriedInto("response_format", "its verbosity as `verbosity`", (draft, value, field) => {
    const { format, verbosity } = requireObject(draft, field, value);
    if (format !== undefined && format !== null) {
      const translated = toResponseFormat(draft, `${field}.format`, format);
      if (translated !== undefined) draft.body["response_format"] = translated;
    }
    if (verbosity !== undefined && verbosity !== null) {
      draft.body["verbosity"] = requireString(draft, `${field}.verbosity`, verbosity);
    }
    ignoreMembers(draft, field, value, ["format", "verbosity"]);
  }),
  tool_choice: carriedInto("tool_choice", "", (draft, value, field) => {
    draft.body[field] = toChatToolChoice(draft, field, value);
  }),
  tools: carriedInto(
    "tools",
    "function and custom tools; others are dropped and named",
    (draft, value, field) => {
      draft.body[field] = toChatTools(draft, field, value);
    },
  ),
  top_logprobs: refusedWhen(
    (value) => value !== 0,
    "the upstreams tell no log probabilities",
    "Log probabilities are not supported. Leave out 'top_logprobs'.",
  ),
  top_p: carriedAs("top_p", "number"),
  truncation: dropped(NO_CHAT_PLACE, "disabled"),
  user: carriedAs("user", "string"),
});
