/**
 * Reads the `input` of a Responses request: items, content parts, and the pairing of calls with their outputs, which the
 * upstreams enforce.
 *
 * Source: OpenAI's API reference, "Create a model response"; the facts page on ChatGPT, sections 3.6 and 3.7.
 *
 * @module
 */
import type { Turn } from "./contract.ts";
import { judgeImageUrl } from "./image_url.ts";
import { elementsOf, isMembers, type Members } from "./members.ts";
import { missing, type RequestProblem, wrongType, wrongValue } from "./request_problem.ts";

/** Where the upstreams differ in how they read a request. */
export interface ResponsesReading {
  /** The effort when the request names none; `undefined` answers without reasoning. */
  readonly defaultEffort?: string;
  /** Refuse item ids without the type's prefix or over 64 characters (ChatGPT). */
  readonly checkItemIds: boolean;
  /** Refuse members of items that the reference does not know (ChatGPT); else they are ignored. */
  readonly checkItemMembers: boolean;
}

/** What the input says. */
export interface ResponsesInput extends Pick<Turn, "instructions" | "messages" | "toolResults"> {
  /** Ciphertexts of reasoning items, in order. */
  readonly replayedReasoning: readonly string[];
}

/** Members that the reference knows, and the prefix of ids, per item type; types that are mere echoes have none. */
const ITEM_TYPES: Readonly<Record<string, { members?: readonly string[]; prefix?: string }>> = Object.freeze({
  message: { members: ["role", "content", "phase"], prefix: "msg" },
  reasoning: { members: ["summary", "content", "encrypted_content"], prefix: "rs" },
  function_call: { members: ["call_id", "name", "arguments", "namespace"], prefix: "fc" },
  function_call_output: { members: ["call_id", "output"] },
  custom_tool_call: { members: ["call_id", "name", "input"], prefix: "ctc" },
  custom_tool_call_output: { members: ["call_id", "output"], prefix: "ctco" },
  web_search_call: {},
  image_generation_call: {},
  local_shell_call: {},
  local_shell_call_output: {},
  tool_search_call: {},
  tool_search_output: {},
  compaction: {},
  compaction_summary: {},
  compaction_trigger: {},
  additional_tools: {},
  agent_message: {},
});

/** Members of every item: the last is what Codex CLI adds for its own backend. */
const COMMON_MEMBERS: readonly string[] = Object.freeze([
  "type",
  "id",
  "status",
  "internal_chat_message_metadata_passthrough",
]);

const INPUT_PARTS: readonly string[] = Object.freeze([
  "input_text",
  "input_image",
  "output_text",
  "refusal",
  "input_file",
  "computer_screenshot",
  "summary_text",
]);

const ASSISTANT_PARTS: readonly string[] = Object.freeze(["output_text", "refusal"]);
const OUTPUT_PARTS: readonly string[] = Object.freeze(["input_text", "input_image", "input_file"]);
const MAX_ID_LENGTH = 64;

/** What the input has shown so far, while it is read item by item. */
interface Progress {
  readonly problems: RequestProblem[];
  readonly instructions: string[];
  readonly messages: Turn["messages"][number][];
  readonly replayedReasoning: string[];
  /** Calls by id, until their output came. */
  readonly open: Map<string, { readonly name: string; readonly noun: string }>;
  toolResults: Turn["toolResults"][number][];
}

/** Reads `input`; what is wrong with it is added to `problems`. */
export function readInput(
  value: unknown,
  reading: ResponsesReading,
  problems: RequestProblem[],
): ResponsesInput {
  const progress: Progress = {
    problems,
    instructions: [],
    messages: [],
    replayedReasoning: [],
    open: new Map(),
    toolResults: [],
  };
  if (typeof value === "string") {
    progress.messages.push({ role: "user", text: value, images: 0 });
    return progress;
  }
  if (value === undefined) problems.push(missing("input"));
  else if (!Array.isArray(value)) problems.push(wrongType("input", "a string or an array of items"));
  elementsOf(value).forEach((item, index) => readItem(item, `input[${index}]`, reading, progress));
  for (const [callId, call] of progress.open) {
    problems.push({
      message: `No tool output found for ${call.noun} ${callId}.`,
      param: "input",
      code: null,
    });
  }
  return progress;
}

function readItem(item: unknown, at: string, reading: ResponsesReading, progress: Progress): void {
  const { problems } = progress;
  if (!isMembers(item)) {
    problems.push(wrongType(at, "an object"));
    return;
  }
  const type = item["type"] ?? ("role" in item ? "message" : undefined);
  if (type === "item_reference") {
    problems.push({
      message:
        `Item with id '${
          String(item["id"])
        }' not found. Items are not persisted when \`store\` is set to false. ` +
        "Try again with `store` set to true, or remove this item from your input.",
      param: "input",
      code: null,
    });
    return;
  }
  const known = typeof type === "string" && Object.hasOwn(ITEM_TYPES, type) ? ITEM_TYPES[type] : undefined;
  if (known === undefined) {
    problems.push(wrongValue(`${at}.type`, type, Object.keys(ITEM_TYPES)));
    return;
  }
  if (reading.checkItemIds) checkId(item, at, known.prefix, problems);
  if (reading.checkItemMembers) checkMembers(item, at, known.members, problems);
  switch (type) {
    case "message":
      readMessage(item, at, progress);
      return;
    case "reasoning":
      if (!Array.isArray(item["summary"])) problems.push(missing(`${at}.summary`));
      if (typeof item["encrypted_content"] === "string") {
        progress.replayedReasoning.push(item["encrypted_content"]);
      }
      return;
    case "function_call":
    case "custom_tool_call":
      readCall(item, at, type === "function_call", progress);
      return;
    case "function_call_output":
    case "custom_tool_call_output":
      readOutput(item, at, type === "function_call_output", progress);
  }
}

function readMessage(item: Members, at: string, progress: Progress): void {
  const role = item["role"];
  const { problems } = progress;
  switch (role) {
    case "system":
    case "developer":
      progress.instructions.push(readParts(item["content"], `${at}.content`, INPUT_PARTS, problems).text);
      return;
    case "user":
      progress.messages.push({ role, ...readParts(item["content"], `${at}.content`, INPUT_PARTS, problems) });
      progress.toolResults = [];
      return;
    case "assistant":
      progress.messages.push({
        role,
        ...readParts(item["content"], `${at}.content`, ASSISTANT_PARTS, problems),
      });
      return;
    default:
      problems.push(wrongValue(`${at}.role`, role, ["assistant", "system", "developer", "user"]));
  }
}

function readCall(item: Members, at: string, isFunction: boolean, progress: Progress): void {
  for (const name of ["call_id", "name", isFunction ? "arguments" : "input"]) {
    if (item[name] === undefined) progress.problems.push(missing(`${at}.${name}`));
    else if (typeof item[name] !== "string") progress.problems.push(wrongType(`${at}.${name}`, "a string"));
  }
  const noun = isFunction ? "function call" : "custom tool call";
  progress.open.set(String(item["call_id"]), { name: String(item["name"]), noun });
}

function readOutput(item: Members, at: string, isFunction: boolean, progress: Progress): void {
  const callId = String(item["call_id"]);
  const call = progress.open.get(callId);
  const output = readParts(item["output"], `${at}.output`, OUTPUT_PARTS, progress.problems).text;
  if (call === undefined) {
    const noun = isFunction ? "function call" : "custom tool call";
    progress.problems.push({
      message: `No tool call found for ${noun} output with call_id ${callId}.`,
      param: "input",
      code: null,
    });
    return;
  }
  progress.open.delete(callId);
  progress.toolResults.push({ callId, name: call.name, output });
}

function readParts(
  content: unknown,
  at: string,
  legal: readonly string[],
  problems: RequestProblem[],
): { text: string; images: number } {
  if (typeof content === "string") return { text: content, images: 0 };
  if (!Array.isArray(content)) {
    problems.push(wrongType(at, "a string or an array of content parts"));
    return { text: "", images: 0 };
  }
  const texts: string[] = [];
  let images = 0;
  content.forEach((part: unknown, index) => {
    const place = `${at}[${index}]`;
    const type = isMembers(part) ? part["type"] : undefined;
    // The list in the error names output parts too, but the API takes them from the assistant alone.
    const isForeign = legal === INPUT_PARTS && (type === "output_text" || type === "refusal");
    if (!isMembers(part) || typeof type !== "string" || !legal.includes(type) || isForeign) {
      problems.push(wrongValue(place, type, legal));
      return;
    }
    if (type === "input_image") {
      images += 1;
      checkImage(part, place, problems);
    } else if (type === "input_text" || type === "output_text" || type === "refusal") {
      const text = part[type === "refusal" ? "refusal" : "text"];
      if (typeof text === "string") texts.push(text);
      else problems.push(missing(`${place}.${type === "refusal" ? "refusal" : "text"}`));
    }
  });
  return { text: texts.join(""), images };
}

function checkImage(part: Members, at: string, problems: RequestProblem[]): void {
  const verdict = judgeImageUrl(part["image_url"]);
  if (verdict === "fine") return;
  problems.push(
    verdict === "bad_bytes"
      ? {
        message:
          "The image data you provided does not represent a valid image. Please check your input and try again.",
        param: `${at}.image_url`,
        code: "invalid_image",
      }
      : {
        message: `Invalid '${at}.image_url'. Expected a valid URL, but got a value with an invalid format.`,
        param: `${at}.image_url`,
        code: "invalid_value",
      },
  );
}

function checkId(item: Members, at: string, prefix: string | undefined, problems: RequestProblem[]): void {
  const id = item["id"];
  if (id === undefined || id === null || prefix === undefined) return;
  const param = `${at}.id`;
  if (typeof id !== "string") {
    problems.push(wrongType(param, "a string"));
  } else if (id.length > MAX_ID_LENGTH) {
    problems.push({
      message:
        `Invalid '${param}': string too long. Expected a string with maximum length ${MAX_ID_LENGTH}, ` +
        `but got a string with length ${id.length} instead.`,
      param,
      code: "string_above_max_length",
    });
  } else if (!id.startsWith(`${prefix}_`)) {
    problems.push({
      message: `Invalid '${param}': '${id}'. Expected an ID that begins with '${prefix}'.`,
      param,
      code: "invalid_value",
    });
  }
}

function checkMembers(
  item: Members,
  at: string,
  members: readonly string[] | undefined,
  problems: RequestProblem[],
): void {
  if (members === undefined) return;
  for (const name of Object.keys(item)) {
    if (members.includes(name) || COMMON_MEMBERS.includes(name)) continue;
    problems.push({
      message: `Unknown parameter: '${at}.${name}'.`,
      param: `${at}.${name}`,
      code: "unknown_parameter",
    });
  }
}
