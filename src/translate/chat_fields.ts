/**
 * Each request field of Chat Completions (OpenAI's API reference, `POST /v1/chat/completions`) and what becomes of it
 * on the way to the Responses dialect.
 *
 * @module
 */
import { isGiven } from "../wire/json.ts";
import {
  fromLegacyChoice,
  fromLegacyFunctions,
  fromWebSearchOptions,
  toToolChoice,
  toTools,
} from "./chat_tools.ts";
import { toTextFormat } from "./chat_format.ts";
import { toInputItems } from "./chat_messages.ts";
import {
  carriedAs,
  carriedInto,
  dropped,
  type FieldTable,
  ignoreMembers,
  readByReply,
  refusedWhen,
  setPath,
} from "./field_table.ts";
import { type Draft, refuseType, requireArray, requireString } from "./translated.ts";

const NO_SAMPLING_PLACE = "no place in Responses";

/** The table. Its order is that of the reference, required fields first. */
export const CHAT_FIELDS: FieldTable = Object.freeze({
  model: carriedInto("model", "", (draft, value, field) => {
    const model = requireString(draft, field, value);
    draft.body["model"] = model;
    if (model === "") draft.refuse(field, "invalid_value", "Invalid 'model': expected the name of a model.");
  }),
  messages: carriedInto("input", "one or more items per message, in order", (draft, value) => {
    draft.body["input"] = toInputItems(draft, value);
  }),
  audio: refusedWhen(
    () => true,
    "audio output is not supported",
    "Audio output is not supported. Leave out 'audio' and ask for the modality 'text'.",
  ),
  frequency_penalty: dropped(NO_SAMPLING_PLACE, 0),
  function_call: carriedInto("tool_choice", "", (draft, value, field, request) => {
    if (isGiven(request["tool_choice"])) draft.ignore(field);
    else draft.body["tool_choice"] = fromLegacyChoice(draft, field, value);
  }),
  functions: carriedInto("tools", "the answer has the legacy form too", (draft, value, field) => {
    addTools(draft, fromLegacyFunctions(draft, field, value));
    // The legacy form of an answer has room for one call.
    draft.body["parallel_tool_calls"] = false;
  }),
  logit_bias: dropped(NO_SAMPLING_PLACE),
  logprobs: refusedWhen(
    (value) => value !== false,
    "the upstreams tell no log probabilities",
    "Log probabilities are not supported. Leave out 'logprobs'.",
  ),
  max_completion_tokens: carriedAs("max_output_tokens", "number"),
  max_tokens: carriedInto(
    "max_output_tokens",
    "unless `max_completion_tokens` is there",
    (draft, value, field, request) => {
      if (isGiven(request["max_completion_tokens"])) draft.ignore(field);
      else if (typeof value === "number") draft.body["max_output_tokens"] = value;
      else refuseType(draft, field, "a number", value);
    },
  ),
  metadata: carriedAs("metadata", "object"),
  modalities: refusedWhen(
    (value) => !Array.isArray(value) || value.some((modality) => modality !== "text"),
    "other modalities than text are not supported",
    "Only the modality 'text' is supported. Leave out 'modalities' or set it to ['text'].",
  ),
  moderation: carriedAs("moderation", "object"),
  n: refusedWhen(
    (value) => value !== 1,
    "more than one choice is not supported",
    "Only one choice per request is supported. Leave out 'n' or set it to 1, and send several requests instead.",
  ),
  parallel_tool_calls: carriedAs("parallel_tool_calls", "boolean"),
  prediction: dropped("a hint for speed; the answer is the same without it"),
  presence_penalty: dropped(NO_SAMPLING_PLACE, 0),
  prompt_cache_key: carriedAs("prompt_cache_key", "string"),
  prompt_cache_options: carriedAs("prompt_cache_options", "object"),
  prompt_cache_retention: carriedAs("prompt_cache_retention", "string"),
  reasoning_effort: carriedInto(
    "reasoning.effort",
    "with a summary, so that reasoning can be shown",
    (draft, value, field) => {
      const effort = requireString(draft, field, value);
      setPath(draft.body, "reasoning.effort", effort);
      if (effort !== "none") setPath(draft.body, "reasoning.summary", "auto");
    },
  ),
  response_format: carriedInto("text.format", "", (draft, value, field) => {
    const format = toTextFormat(draft, field, value);
    if (format !== undefined) setPath(draft.body, "text.format", format);
  }),
  safety_identifier: carriedAs("safety_identifier", "string"),
  seed: dropped(NO_SAMPLING_PLACE),
  service_tier: carriedAs("service_tier", "string"),
  stop: dropped(NO_SAMPLING_PLACE),
  store: carriedAs("store", "boolean"),
  stream: carriedAs("stream", "boolean"),
  stream_options: readByReply(
    "`include_usage` asks for a last chunk with the usage; other options are dropped and named",
    (draft, value, field) => ignoreMembers(draft, field, value, ["include_usage"]),
  ),
  temperature: carriedAs("temperature", "number"),
  tool_choice: carriedInto("tool_choice", "", (draft, value, field) => {
    draft.body["tool_choice"] = toToolChoice(draft, field, value);
  }),
  tools: carriedInto("tools", "", (draft, value, field) => addTools(draft, toTools(draft, field, value))),
  top_logprobs: refusedWhen(
    (value) => value !== 0,
    "the upstreams tell no log probabilities",
    "Log probabilities are not supported. Leave out 'top_logprobs'.",
  ),
  top_p: carriedAs("top_p", "number"),
  user: carriedAs("user", "string"),
  verbosity: carriedAs("text.verbosity", "string"),
  web_search_options: carriedInto("tools", "the hosted tool `web_search`", (draft, value, field) => {
    addTools(draft, [fromWebSearchOptions(draft, field, value)]);
  }),
});

function addTools(draft: Draft, tools: readonly unknown[]): void {
  draft.body["tools"] = [...requireArray(draft, "tools", draft.body["tools"] ?? []), ...tools];
}
