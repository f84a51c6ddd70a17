/**
 * Making a request fit for Copilot (github-copilot.md sections 10 to 12). What depends on the model is left to the
 * model's own answer, which names the parameter.
 *
 * @module
 */
import type { Dialect } from "../wire/dialect.ts";
import type { JsonObject } from "../wire/json.ts";
import type { PreparedRequest } from "./provider.ts";
import {
  changed,
  isSet,
  noStorage,
  prepareRequest,
  type RequestFields,
  sent,
  set,
  statefulFields,
} from "./request_fields.ts";

const byModel = "some models refuse it in their own words";

/** What Copilot makes of each field of Chat Completions. */
const chatFields: RequestFields = Object.freeze({
  model: sent(),
  messages: sent(),
  audio: sent(),
  frequency_penalty: sent(byModel),
  function_call: sent(),
  functions: sent(),
  logit_bias: sent(),
  logprobs: sent(),
  max_completion_tokens: sent(),
  // Newer models refuse the older name (section 12); all take the newer one.
  max_tokens: changed("as `max_completion_tokens`", (value, field, body) => {
    if (!isSet(value)) return set({});
    if (isSet(body["max_completion_tokens"])) return set({ [field]: undefined }, [field]);
    return set({ [field]: undefined, max_completion_tokens: value });
  }),
  metadata: sent(),
  modalities: sent(),
  moderation: sent(),
  n: sent(),
  parallel_tool_calls: sent(),
  prediction: sent(),
  presence_penalty: sent(byModel),
  prompt_cache_key: sent(),
  prompt_cache_options: sent(),
  prompt_cache_retention: sent(),
  reasoning_effort: sent(byModel),
  response_format: sent(),
  safety_identifier: sent(),
  seed: sent(),
  service_tier: sent(),
  stop: sent(),
  store: noStorage,
  stream: sent(),
  stream_options: sent(),
  temperature: sent(byModel),
  tool_choice: sent(),
  tools: sent(),
  top_logprobs: sent(),
  top_p: sent(byModel),
  user: sent(),
  verbosity: sent(),
  web_search_options: sent(),
});

/** What Copilot makes of each field of Responses. */
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
  prompt_cache_retention: sent(),
  reasoning: sent(byModel),
  safety_identifier: sent(),
  service_tier: sent(),
  store: noStorage,
  stream: sent(),
  stream_options: sent(),
  temperature: sent(byModel),
  text: sent(),
  tool_choice: sent(),
  tools: sent(),
  top_logprobs: sent(),
  top_p: sent(byModel),
  truncation: sent(),
  user: sent(),
});

/** What Copilot makes of each field, by dialect. */
export const copilotFields: Readonly<Record<Dialect, RequestFields>> = Object.freeze({
  chat: chatFields,
  responses: responsesFields,
});

/** The body as Copilot takes it; the same object when nothing had to change. */
export function prepareCopilotRequest(dialect: Dialect, body: JsonObject): PreparedRequest {
  return prepareRequest(copilotFields[dialect], body);
}
