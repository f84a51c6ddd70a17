/**
 * Each request field of legacy Completions (OpenAI's API reference, `POST /v1/completions`) and what becomes of it on the
 * way to the Responses dialect.
 *
 * @module
 */
import {
  carriedAs,
  carriedInto,
  dropped,
  type FieldTable,
  ignoreMembers,
  readByReply,
  refusedWhen,
} from "./field_table.ts";
import { type Draft, refuseType, requireString } from "./translated.ts";

const NO_SAMPLING_PLACE = "the Responses dialect has no such parameter";

/** The table. Its order is that of the reference, required fields first. */
export const COMPLETIONS_FIELDS: FieldTable = Object.freeze({
  model: carriedInto("model", "", (draft, value, field) => {
    const model = requireString(draft, field, value);
    draft.body["model"] = model;
    if (model === "") draft.refuse(field, "invalid_value", "Invalid 'model': expected the name of a model.");
  }),
  prompt: carriedInto(
    "input",
    "a string, or an array of one string, as a user message",
    (draft, value, field) => {
      draft.body["input"] = readPrompt(draft, field, value);
    },
  ),
  best_of: refusedWhen(
    (value) => value !== 1,
    "more than one choice is not supported",
    "Only one choice per request is supported. Leave out 'best_of' or set it to 1.",
  ),
  echo: refusedWhen(
    (value) => value !== false,
    "the upstreams do not repeat the prompt",
    "Echoing the prompt is not supported. Leave out 'echo' and put the prompt before the answer yourself.",
  ),
  frequency_penalty: dropped(NO_SAMPLING_PLACE, 0),
  logit_bias: dropped(NO_SAMPLING_PLACE),
  logprobs: refusedWhen(
    // Also 0 asks: for the log probability of each token that was chosen.
    () => true,
    "the upstreams tell no log probabilities",
    "Log probabilities are not supported. Leave out 'logprobs'.",
  ),
  max_tokens: carriedAs("max_output_tokens", "number"),
  n: refusedWhen(
    (value) => value !== 1,
    "more than one choice is not supported",
    "Only one choice per request is supported. Leave out 'n' or set it to 1, and send several requests instead.",
  ),
  presence_penalty: dropped(NO_SAMPLING_PLACE, 0),
  seed: dropped(NO_SAMPLING_PLACE),
  stop: dropped(NO_SAMPLING_PLACE),
  stream: carriedAs("stream", "boolean"),
  stream_options: readByReply(
    "`include_usage` asks for a last chunk with the usage",
    (draft, value, field): void => ignoreMembers(draft, field, value, ["include_usage"]),
  ),
  suffix: refusedWhen(
    (value) => value !== "",
    "the models answer a prompt and fill no gap",
    "Inserting text before a suffix is not supported. Leave out 'suffix' and describe the gap in the prompt instead.",
  ),
  temperature: carriedAs("temperature", "number"),
  top_p: carriedAs("top_p", "number"),
  user: carriedAs("user", "string"),
});

/** The prompt's text; refuses what is more than one prompt, and tokens, whose vocabulary the models do not share. */
function readPrompt(draft: Draft, field: string, value: unknown): string {
  const prompts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const [prompt] = prompts;
  if (prompts.some((entry) => typeof entry === "number" || Array.isArray(entry))) {
    draft.refuse(field, "unsupported_value", "Token arrays are not supported. Send the prompt as a string.");
  } else if (prompts.length > 1) {
    draft.refuse(
      field,
      "unsupported_value",
      "Only one prompt per request is supported. Send one request for each prompt.",
    );
  } else if (typeof prompt === "string") {
    return prompt;
  } else {
    refuseType(draft, field, "a string or an array of one string", value);
  }
  return "";
}
