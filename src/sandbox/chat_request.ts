/**
 * Reads a Chat Completions request body the way a strict upstream does: everything that the API reference does not
 * allow is named, nothing is skipped in silence. The upstreams turn the findings into their own error shapes.
 *
 * Source: OpenAI's API reference, "Create chat completion"; the deviations of the upstreams are theirs to add.
 *
 * @module
 */
import { type ChatProblem, readConversation, rule, shape, TOOL_NAME } from "./chat_conversation.ts";
import type { Turn } from "./contract.ts";
import { isMembers, type Members } from "./members.ts";

/** A request that was understood. */
export interface ChatRequest {
  readonly turn: Turn;
  readonly stream: boolean;
  /** `stream_options.include_usage`. */
  readonly includeUsage: boolean;
  /** `reasoning_effort` as sent. */
  readonly effort: string | undefined;
  /** How many images the messages carry. */
  readonly images: number;
}

/** What {@linkcode parseChatRequest} makes of a body. */
export type ParsedChatRequest =
  | { readonly kind: "request"; readonly request: ChatRequest }
  /** At least one problem, in the order of discovery. */
  | { readonly kind: "wrong"; readonly problems: readonly ChatProblem[] };

/** Judges `body`, which came off the wire as JSON. Never throws. */
export function parseChatRequest(body: unknown): ParsedChatRequest {
  const problems: ChatProblem[] = [];
  if (!isMembers(body)) {
    return { kind: "wrong", problems: [shape("", "The request body has to be one JSON object.")] };
  }
  const model = body["model"];
  if (typeof model !== "string" || model === "") {
    problems.push(shape("model", "Missing required parameter: 'model'."));
  }
  const { instructions, messages, toolResults } = readConversation(body["messages"], problems);
  const tools = readTools(body["tools"], problems);
  const toolChoice = readToolChoice(body["tool_choice"], tools, problems);
  const stream = readFlag(body, "stream", false, problems);
  const parallelToolCalls = readFlag(body, "parallel_tool_calls", true, problems);
  const includeUsage = readStreamOptions(body["stream_options"], stream, problems);
  const effort = readEffort(body["reasoning_effort"], problems);
  const schema = readResponseFormat(body["response_format"], problems);
  const maxOutputTokens = readOutputLimit(body, problems);
  checkChoiceCount(body["n"], problems);
  if (problems.length > 0 || typeof model !== "string") return { kind: "wrong", problems };
  return {
    kind: "request",
    request: {
      turn: {
        model,
        instructions,
        messages,
        tools,
        toolResults,
        toolChoice,
        parallelToolCalls,
        reasoning: effort !== undefined && effort !== "none",
        schema,
        ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      },
      stream,
      includeUsage,
      effort,
      images: messages.reduce((sum, message) => sum + message.images, 0),
    },
  };
}

function readTools(value: unknown, problems: ChatProblem[]): Turn["tools"] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    problems.push(shape("tools", "Invalid type for 'tools': expected an array."));
    return [];
  }
  const tools: Turn["tools"][number][] = [];
  value.forEach((tool: unknown, index) => {
    const at = `tools[${index}]`;
    const described = isMembers(tool) ? tool["function"] : undefined;
    if (!isMembers(tool) || tool["type"] !== "function" || !isMembers(described)) {
      const type = isMembers(tool) ? String(tool["type"]) : typeof tool;
      problems.push(
        shape(`${at}.type`, `unknown variant \`${type}\`, expected \`function\` with its description`),
      );
      return;
    }
    const name = described["name"];
    if (typeof name !== "string" || !TOOL_NAME.test(name)) {
      problems.push(
        shape(
          `${at}.function.name`,
          `Invalid '${at}.function.name': expected a match of '^[a-zA-Z0-9_-]{1,64}$'.`,
        ),
      );
      return;
    }
    const parameters = described["parameters"] ?? { type: "object", properties: {} };
    if (!isMembers(parameters) || parameters["type"] !== "object") {
      problems.push(
        shape(
          `${at}.function.parameters`,
          `Invalid schema for function '${name}': schema must have type 'object'.`,
        ),
      );
    }
    tools.push({ name, parameters });
  });
  return tools;
}

function readToolChoice(value: unknown, tools: Turn["tools"], problems: ChatProblem[]): Turn["toolChoice"] {
  if (value === undefined || value === null) return "auto";
  if (tools.length === 0) {
    problems.push(
      rule("tool_choice", "Invalid value for 'tool_choice': it is only allowed when 'tools' are specified."),
    );
    return "auto";
  }
  if (value === "auto" || value === "none" || value === "required") return value;
  const named = isMembers(value) && value["type"] === "function" ? value["function"] : undefined;
  const name = isMembers(named) ? named["name"] : undefined;
  if (typeof name !== "string") {
    problems.push(shape("tool_choice", "Invalid value for 'tool_choice'."));
    return "auto";
  }
  if (!tools.some((tool) => tool.name === name)) {
    problems.push(rule("tool_choice", `Tool choice '${name}' not found in 'tools' parameter.`));
  }
  return { name };
}

function readStreamOptions(value: unknown, stream: boolean, problems: ChatProblem[]): boolean {
  if (value === undefined || value === null) return false;
  if (!isMembers(value)) {
    problems.push(shape("stream_options", "Invalid type for 'stream_options': expected an object."));
    return false;
  }
  if (!stream) {
    problems.push(
      rule("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled."),
    );
  }
  return readFlag(value, "include_usage", false, problems);
}

function readEffort(value: unknown, problems: ChatProblem[]): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  problems.push(shape("reasoning_effort", "Invalid type for 'reasoning_effort': expected a string."));
  return undefined;
}

/** The schema that `response_format` asks for; `json_object` asks for any object. */
function readResponseFormat(value: unknown, problems: ChatProblem[]): unknown {
  if (value === undefined || value === null) return undefined;
  const type = isMembers(value) ? value["type"] : undefined;
  if (type === "text") return undefined;
  if (type === "json_object") return { type: "object" };
  const named = isMembers(value) && type === "json_schema" ? value["json_schema"] : undefined;
  if (isMembers(named) && typeof named["name"] === "string" && isMembers(named["schema"])) {
    return named["schema"];
  }
  problems.push(
    shape("response_format", "Invalid 'response_format': expected text, json_object or a named json_schema."),
  );
  return undefined;
}

/** `max_tokens` is the older name of `max_completion_tokens`; the API takes one of them. */
function readOutputLimit(body: Members, problems: ChatProblem[]): number | undefined {
  const given = (["max_tokens", "max_completion_tokens"] as const)
    .map((name) => ({ name, value: body[name] ?? undefined }))
    .filter(({ value }) => value !== undefined);
  if (given.length > 1) {
    problems.push(
      rule(
        "max_tokens",
        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
      ),
    );
  }
  let limit: number | undefined;
  for (const { name, value } of given) {
    if (typeof value === "number" && Number.isInteger(value) && value >= 1) limit = value;
    else problems.push(shape(name, `Invalid value for '${name}': expected an integer of at least 1.`));
  }
  return limit;
}

function checkChoiceCount(n: unknown, problems: ChatProblem[]): void {
  if (n !== undefined && n !== null && n !== 1) {
    problems.push(rule("n", "Invalid value for 'n': only 1 is supported."));
  }
}

function readFlag(of: Members, name: string, fallback: boolean, problems: ChatProblem[]): boolean {
  const value = of[name];
  if (value === undefined || value === null) return fallback;
  if (typeof value === "boolean") return value;
  problems.push(shape(name, `Invalid type for '${name}': expected a boolean.`));
  return fallback;
}
