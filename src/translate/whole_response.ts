/**
 * A collected response with all the members that OpenAI's API reference requires: ChatGPT's and Copilot's own objects
 * have fewer (facts chatgpt-codex 4.3).
 *
 * @module
 */
import { isObject, type JsonObject, objectOrEmpty } from "../wire/json.ts";
import { readResponsesUsage, responsesUsage } from "../wire/token_usage.ts";
import type { AnsweredResponse } from "./collect_responses.ts";
import { emptyResponse, type ResponseIdentity } from "./responses_failure.ts";

/** The response object; what the upstream told stays as it is. `identity` stands in where it told none. */
export function wholeResponse(
  { status, response }: AnsweredResponse,
  identity: ResponseIdentity,
): JsonObject {
  const { usage, ...told } = response;
  const counts = readResponsesUsage(usage);
  return {
    ...emptyResponse(identity),
    status,
    ...told,
    ...(counts === undefined ? {} : { usage: merged(responsesUsage(counts), objectOrEmpty(usage)) }),
  };
}

/** `told` over `whole`, also inside of objects; null says nothing. */
function merged(whole: JsonObject, told: JsonObject): JsonObject {
  const result = { ...whole };
  for (const [name, value] of Object.entries(told)) {
    const present = whole[name];
    if (isObject(present) && isObject(value)) result[name] = merged(present, value);
    else if (value !== null || present === undefined) result[name] = value;
  }
  return result;
}
