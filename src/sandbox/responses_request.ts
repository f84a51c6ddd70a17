/**
 * Reads a Responses request body the way a strict upstream does: what the API reference does not allow is named, nothing
 * is skipped in silence. What only one upstream refuses (for ChatGPT: `store`, a string input, the system role, many
 * parameters) is not judged here.
 *
 * Source: OpenAI's API reference, "Create a model response"; the facts page on ChatGPT, sections 3.3 to 3.7.
 *
 * @module
 */
import type { Turn } from "./contract.ts";
import { elementsOf, isMembers, type Members, membersOf } from "./members.ts";
import { missing, type RequestProblem, wrongType, wrongValue } from "./request_problem.ts";
import { readInput, type ResponsesReading } from "./responses_input.ts";
import { strictSchemaFault } from "./strict_schema.ts";

/** A request that was understood. */
export interface ResponsesRequest {
  readonly turn: Turn;
  readonly stream: boolean;
  /** True when `reasoning.summary` asks for visible summaries. */
  readonly summary: boolean;
  /** True when `include` names `reasoning.encrypted_content`. */
  readonly encryptedReasoning: boolean;
  /** The ciphertexts of the reasoning items in the input, which the upstream may want to recognise. */
  readonly replayedReasoning: readonly string[];
  /** The effort in force: as sent, else the default that was passed in. */
  readonly effort: string | undefined;
}

/** What {@linkcode parseResponsesRequest} makes of a body. */
export type ParsedResponsesRequest =
  | { readonly kind: "request"; readonly request: ResponsesRequest }
  /** At least one problem, in the order of discovery. */
  | { readonly kind: "wrong"; readonly problems: readonly RequestProblem[] };

const TOOL_TYPES: readonly string[] = Object.freeze([
  "function",
  "custom",
  "web_search",
  "image_generation",
  "tool_search",
  "namespace",
  "local_shell",
  "apply_patch",
]);

/** Judges `body`, which came off the wire as JSON. Never throws. */
export function parseResponsesRequest(body: unknown, reading: ResponsesReading): ParsedResponsesRequest {
  const problems: RequestProblem[] = [];
  if (!isMembers(body)) {
    return wrong([{ message: "The request body has to be one JSON object.", param: null, code: null }]);
  }
  const model = body["model"];
  if (typeof model !== "string" || model === "") problems.push(missing("model"));
  const instructions = body["instructions"];
  if (instructions !== undefined && instructions !== null && typeof instructions !== "string") {
    problems.push(wrongType("instructions", "a string"));
  }
  const input = readInput(body["input"], reading, problems);
  const tools = readTools(body["tools"], problems);
  const choice = readToolChoice(body["tool_choice"], tools, problems);
  const parallelToolCalls = readFlag(body, "parallel_tool_calls", true, problems);
  const stream = readFlag(body, "stream", false, problems);
  const include = body["include"] ?? [];
  if (!Array.isArray(include)) problems.push(wrongType("include", "an array"));
  const reasoning = membersOf(body["reasoning"]);
  const effort = reasoning["effort"] ?? reading.defaultEffort;
  if (effort !== undefined && typeof effort !== "string") {
    problems.push(wrongType("reasoning.effort", "a string"));
  }
  const schema = readFormat(membersOf(body["text"])["format"], problems);
  const maxOutputTokens = readLimit(body["max_output_tokens"], problems);
  if (problems.length > 0 || typeof model !== "string") return wrong(problems);
  return {
    kind: "request",
    request: {
      turn: {
        model,
        instructions: [
          ...(typeof instructions === "string" && instructions !== "" ? [instructions] : []),
          ...input.instructions,
        ],
        messages: input.messages,
        tools: choice.tools,
        toolResults: input.toolResults,
        toolChoice: choice.toolChoice,
        parallelToolCalls,
        reasoning: typeof effort === "string" && effort !== "none",
        schema,
        ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      },
      stream,
      summary: typeof reasoning["summary"] === "string" && reasoning["summary"] !== "none",
      encryptedReasoning: elementsOf(include).includes("reasoning.encrypted_content"),
      replayedReasoning: input.replayedReasoning,
      effort: typeof effort === "string" ? effort : undefined,
    },
  };
}

function wrong(problems: readonly RequestProblem[]): ParsedResponsesRequest {
  return { kind: "wrong", problems };
}

function readTools(value: unknown, problems: RequestProblem[]): Turn["tools"] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    problems.push(wrongType("tools", "an array"));
    return [];
  }
  const tools: Turn["tools"][number][] = [];
  value.forEach((given: unknown, index) => {
    const at = `tools[${index}]`;
    const tool = membersOf(given);
    if (typeof tool["type"] !== "string" || !TOOL_TYPES.includes(tool["type"])) {
      problems.push(wrongValue(`${at}.type`, tool["type"], TOOL_TYPES));
    } else if (tool["type"] === "function" || tool["type"] === "custom") {
      const made = readCallable(tool, at, problems);
      if (made !== undefined) tools.push(made);
    }
  });
  return tools;
}

function readCallable(
  tool: Members,
  at: string,
  problems: RequestProblem[],
): Turn["tools"][number] | undefined {
  const name = tool["name"];
  if (name === undefined) {
    problems.push(missing(`${at}.name`));
    return undefined;
  }
  if (typeof name !== "string" || !/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    problems.push({
      message:
        `Invalid '${at}.name': string does not match pattern '^[a-zA-Z0-9_-]+$' or is longer than 64 characters.`,
      param: `${at}.name`,
      code: "invalid_value",
    });
    return undefined;
  }
  if (tool["type"] === "custom") return { name, parameters: null, freeform: true };
  const parameters = tool["parameters"] ?? null;
  const fault = parameters !== null && membersOf(parameters)["type"] !== "object"
    ? "schema must be a JSON Schema of 'type: \"object\"'."
    : tool["strict"] === true
    ? strictSchemaFault(parameters)
    : undefined;
  if (fault !== undefined) {
    problems.push({
      message: `Invalid schema for function '${name}': ${fault}`,
      param: `${at}.parameters`,
      code: "invalid_function_parameters",
    });
  }
  return { name, parameters };
}

function readToolChoice(
  value: unknown,
  tools: Turn["tools"],
  problems: RequestProblem[],
): { toolChoice: Turn["toolChoice"]; tools: Turn["tools"] } {
  if (value === undefined || value === null || value === "auto") return { toolChoice: "auto", tools };
  if (value === "none") return { toolChoice: "none", tools };
  const choice = membersOf(value);
  const names = choice["type"] === "allowed_tools"
    ? elementsOf(choice["tools"]).map((tool) => membersOf(tool)["name"])
    : choice["type"] === "function" || choice["type"] === "custom"
    ? [choice["name"]]
    : [];
  const unknown = names.find((name) => !tools.some((tool) => tool.name === name));
  if (value === "required" ? tools.length === 0 : names.length === 0 || unknown !== undefined) {
    problems.push({
      message: names.length > 0
        ? `Tool choice '${String(unknown)}' not found in 'tools' parameter.`
        : "Invalid value for 'tool_choice': expected 'none', 'auto', 'required' with tools, or a tool that is offered.",
      param: "tool_choice",
      code: null,
    });
  }
  if (value === "required") return { toolChoice: "required", tools };
  if (choice["type"] !== "allowed_tools") return { toolChoice: { name: String(choice["name"]) }, tools };
  return {
    toolChoice: choice["mode"] === "required" ? "required" : "auto",
    tools: tools.filter((tool) => names.includes(tool.name)),
  };
}

/** The schema that `text.format` asks for; `json_object` asks for any object. */
function readFormat(value: unknown, problems: RequestProblem[]): unknown {
  if (value === undefined || value === null) return undefined;
  const format = membersOf(value);
  if (format["type"] === "text") return undefined;
  if (format["type"] === "json_object") return { type: "object" };
  if (format["type"] !== "json_schema") {
    problems.push(wrongValue("text.format.type", format["type"], ["json_object", "json_schema", "text"]));
    return undefined;
  }
  if (typeof format["name"] !== "string") problems.push(missing("text.format.name"));
  if (!isMembers(format["schema"])) problems.push(missing("text.format.schema"));
  const fault = format["strict"] === true ? strictSchemaFault(format["schema"]) : undefined;
  if (fault !== undefined) {
    problems.push({
      message: `Invalid schema for response_format '${String(format["name"])}': ${fault}`,
      param: "text.format.schema",
      code: "invalid_json_schema",
    });
  }
  return format["schema"];
}

function readFlag(body: Members, name: string, fallback: boolean, problems: RequestProblem[]): boolean {
  const value = body[name] ?? fallback;
  if (typeof value === "boolean") return value;
  problems.push(wrongType(name, "a boolean"));
  return fallback;
}

function readLimit(value: unknown, problems: RequestProblem[]): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1) return value;
  problems.push(wrongType("max_output_tokens", "an integer of at least 1"));
  return undefined;
}
