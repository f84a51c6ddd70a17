/**
 * What the Codex backend refuses before a model sees the request, in its own words: `{"detail":"..."}` from the gateway,
 * OpenAI's envelope from behind it.
 *
 * Source: the facts page on ChatGPT, sections 3.3 to 3.7 and 5.
 *
 * @module
 */
import type { ChatGptModel } from "./chatgpt_models.ts";
import { elementsOf, type Members, membersOf } from "./members.ts";
import type { RequestProblem } from "./request_problem.ts";
import type { ResponsesRequest } from "./responses_request.ts";

/** The parameters that the backend takes; every other one is refused, as `temperature` and many more are known to be. */
const PARAMETERS: readonly string[] = Object.freeze([
  "model",
  "input",
  "instructions",
  "store",
  "stream",
  "include",
  "reasoning",
  "text",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "service_tier",
  "prompt_cache_key",
  "client_metadata",
  "stream_options",
]);

const INCLUDES: readonly string[] = Object.freeze([
  "reasoning.encrypted_content",
  "web_search_call.action.sources",
  "web_search_call.results",
  "code_interpreter_call.outputs",
  "computer_call_output.output.image_url",
  "file_search_call.results",
  "message.input_image.image_url",
  "message.output_text.logprobs",
]);

/** The gateway's sentence about the first thing that it refuses, or undefined. */
export function gatewayRefusal(body: Members): string | undefined {
  const stranger = Object.keys(body).find((name) => !PARAMETERS.includes(name));
  if (stranger !== undefined) return `Unsupported parameter: ${stranger}`;
  const delivery = Object.keys(membersOf(body["stream_options"]));
  if (delivery.some((name) => name !== "reasoning_summary_delivery")) {
    return "Unsupported parameter: stream_options";
  }
  if (body["store"] !== false) return "Store must be set to false";
  if (body["stream"] !== true) return "Stream must be set to true";
  if (!Array.isArray(body["input"])) return "Input must be a list";
  const instructions = body["instructions"];
  if (typeof instructions !== "string" || instructions === "") return "Instructions are required";
  if (body["input"].some((item) => membersOf(item)["role"] === "system")) {
    return "System messages are not allowed";
  }
  return undefined;
}

/** The gateway's sentence about a model that the plan does not have. */
export function unsupportedModel(model: string): string {
  return `The '${model}' model is not supported when using Codex with a ChatGPT account.`;
}

/** The sentence about the header of Responses-Lite on a model that does not speak it. */
export const NO_RESPONSES_LITE =
  "This model is not supported when using X-OpenAI-Internal-Codex-Responses-Lite.";

/** What the model itself refuses about a request that is well formed. */
export function modelProblem(
  body: Members,
  request: ResponsesRequest,
  model: ChatGptModel,
): RequestProblem | undefined {
  const efforts = ["none", ...model.efforts.filter((effort) => effort !== "ultra")];
  if (request.effort !== undefined && !efforts.includes(request.effort)) {
    const list = efforts.map((effort) => `'${effort}'`).join(", ");
    return {
      message: `Unsupported value: '${request.effort}' is not supported with the '${model.slug}' model. ` +
        `Supported values are: ${list}.`,
      param: "reasoning.effort",
      code: "unsupported_value",
    };
  }
  const included = elementsOf(body["include"]).findIndex((one) => !INCLUDES.some((legal) => legal === one));
  if (included !== -1) {
    return {
      message: `Invalid value: '${String(elementsOf(body["include"])[included])}'.`,
      param: `include[${included}]`,
      code: "invalid_value",
    };
  }
  const images = request.turn.messages.some((message) => message.images > 0);
  if (images && !model.inputModalities.includes("image")) {
    return { message: `Model '${model.slug}' does not support image inputs.`, param: "input", code: null };
  }
  return undefined;
}
