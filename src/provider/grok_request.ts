/**
 * Making a request fit for Grok (xai-grok.md sections 8 and 10). Grok speaks both dialects itself; only what it is known
 * to refuse is touched. What depends on the model (stop and penalties on reasoning models, the efforts) is left to
 * Grok's own answer, which names the parameter: the list of models moves every month.
 *
 * @module
 */
import type { Dialect } from "../wire/dialect.ts";
import type { JsonObject } from "../wire/json.ts";
import { grokTools, knownToGrok } from "./grok_tools.ts";
import type { PreparedRequest } from "./provider.ts";
import {
  changed,
  droppedField,
  noStorage,
  prepareRequest,
  type RequestField,
  type RequestFields,
  sent,
  set,
  statefulFields,
} from "./request_fields.ts";

/** `tool_choice` without tools is an error at Grok, although `auto` and `none` then ask for what holds anyway. */
const toolChoice: RequestField = changed("left out where there are no tools", (value, field, { tools }) => {
  const isIdle = value === "auto" || value === "none" || value === null;
  return set(isIdle && knownToGrok(tools).length === 0 ? { [field]: undefined } : {});
});

const notByReasoners = "reasoning models refuse it in their own words";
const notByAll = "models without efforts refuse it in their own words";
const refusedByGrok = "Grok refuses it";

/** What Grok makes of each field of Chat Completions. */
const chatFields: RequestFields = Object.freeze({
  model: sent(),
  messages: sent(),
  audio: sent(),
  frequency_penalty: sent(notByReasoners),
  function_call: sent(),
  functions: sent(),
  logit_bias: sent(),
  logprobs: sent(),
  max_completion_tokens: sent(),
  max_tokens: sent(),
  metadata: sent(),
  modalities: sent(),
  moderation: sent(),
  n: sent(),
  parallel_tool_calls: sent(),
  prediction: sent(),
  presence_penalty: sent(notByReasoners),
  prompt_cache_key: sent(),
  prompt_cache_options: sent(),
  prompt_cache_retention: sent(),
  reasoning_effort: sent(notByAll),
  response_format: sent(),
  safety_identifier: sent(),
  seed: sent(),
  service_tier: sent(),
  stop: sent(notByReasoners),
  store: noStorage,
  stream: sent(),
  stream_options: sent(),
  temperature: sent(),
  tool_choice: toolChoice,
  tools: sent(),
  top_logprobs: sent(),
  top_p: sent(),
  user: sent(),
  verbosity: sent(),
  web_search_options: sent(),
});

/** What Grok makes of each field of Responses (section 8, the fields that clients remove). */
const responsesFields: RequestFields = Object.freeze({
  ...statefulFields,
  model: sent(),
  input: sent(),
  instructions: sent(),
  access_programs: sent(),
  context_management: sent(),
  image: sent(),
  include: sent(),
  max_output_tokens: sent(),
  max_tool_calls: sent(),
  metadata: sent(),
  moderation: sent(),
  parallel_tool_calls: sent(),
  prompt_cache_key: sent(),
  prompt_cache_options: sent(),
  prompt_cache_retention: droppedField(refusedByGrok),
  reasoning: sent(notByAll),
  safety_identifier: droppedField(refusedByGrok),
  service_tier: sent(),
  store: noStorage,
  stream: sent(),
  stream_options: droppedField(refusedByGrok),
  temperature: sent(),
  text: sent(),
  tool_choice: toolChoice,
  tools: grokTools,
  top_logprobs: sent(),
  top_p: sent(),
  truncation: sent(),
  user: sent(),
  stop: droppedField(refusedByGrok),
});

/** What Grok makes of each field, by dialect. */
export const grokFields: Readonly<Record<Dialect, RequestFields>> = Object.freeze({
  chat: chatFields,
  responses: responsesFields,
});

/** The body as Grok takes it; the same object when nothing had to change. */
export function prepareGrokRequest(dialect: Dialect, body: JsonObject): PreparedRequest {
  return prepareRequest(grokFields[dialect], body);
}
