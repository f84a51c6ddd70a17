/**
 * Reads the `messages` of a Chat Completions request: roles, content parts, and the pairing of tool calls with their
 * results, which the upstreams enforce.
 *
 * @module
 */
import type { Turn } from "./contract.ts";
import { judgeImageUrl } from "./image_url.ts";
import { isMembers, type Members, membersOf } from "./members.ts";

/** Something that is wrong with a request. */
export interface ChatProblem {
  /**
   * `shape`: the body does not deserialize (wrong type, unknown variant, missing member). `rule`: each member is well
   * formed, but together they make no sense, e.g. a tool result without its call.
   */
  readonly kind: "shape" | "rule";
  /** Path of the member, e.g. `messages[2].content`. */
  readonly param: string;
  /** One sentence in the words of an API error. */
  readonly message: string;
}

/** What the messages say. */
export type Conversation = Pick<Turn, "instructions" | "messages" | "toolResults">;

/** Names of functions, as the API reference limits them. */
export const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

const IMAGE_PROBLEMS = Object.freeze({
  not_a_url: "Invalid 'image_url': expected an https URL or a base64 data URL of an image.",
  bad_bytes: "The image data you provided does not represent a valid image.",
});

/** What the conversation has shown so far, while it is read message by message. */
interface Reading {
  readonly problems: ChatProblem[];
  readonly instructions: string[];
  readonly messages: Turn["messages"][number][];
  /** Calls by id; a call is unanswered until its tool message came. */
  readonly calls: Map<string, { readonly name: string; answered: boolean }>;
  toolResults: Turn["toolResults"][number][];
}

/** Reads `messages`; what is wrong with them is added to `problems`. */
export function readConversation(value: unknown, problems: ChatProblem[]): Conversation {
  const reading: Reading = { problems, instructions: [], messages: [], calls: new Map(), toolResults: [] };
  if (!Array.isArray(value) || value.length === 0) {
    problems.push(shape("messages", "Invalid 'messages': expected an array with at least one message."));
    return reading;
  }
  value.forEach((message, index) => readMessage(message, `messages[${index}]`, reading));
  reportUnanswered("messages", reading);
  return reading;
}

function readMessage(message: unknown, path: string, reading: Reading): void {
  if (!isMembers(message)) {
    reading.problems.push(shape(path, `Invalid type for '${path}': expected an object.`));
    return;
  }
  const role = message["role"];
  if (role !== "tool") reportUnanswered(path, reading);
  switch (role) {
    case "system":
    case "developer":
      reading.instructions.push(
        readContent(message["content"], `${path}.content`, false, reading.problems).text,
      );
      return;
    case "user": {
      const content = readContent(message["content"], `${path}.content`, true, reading.problems);
      reading.messages.push({ role, ...content });
      reading.toolResults = [];
      return;
    }
    case "assistant":
      readAssistant(message, path, reading);
      return;
    case "tool":
      readToolResult(message, path, reading);
      return;
    default:
      reading.problems.push(
        shape(
          `${path}.role`,
          `Invalid value: '${
            String(role)
          }'. Supported values are: 'system', 'assistant', 'user', 'tool', and 'developer'.`,
        ),
      );
  }
}

function readAssistant(message: Members, path: string, reading: Reading): void {
  const { problems } = reading;
  const calls = message["tool_calls"];
  const content = message["content"];
  const hasCalls = Array.isArray(calls) && calls.length > 0;
  const refusal = message["refusal"];
  if (content !== null && content !== undefined) {
    reading.messages.push({ role: "assistant", ...readContent(content, `${path}.content`, false, problems) });
  } else if (typeof refusal === "string") {
    reading.messages.push({ role: "assistant", text: refusal, images: 0 });
  } else if (!hasCalls) {
    problems.push(shape(`${path}.content`, `Invalid value for 'content': expected a string, got null.`));
  }
  if (calls === undefined || calls === null) return;
  if (!hasCalls) {
    problems.push(shape(`${path}.tool_calls`, `Invalid '${path}.tool_calls': expected an array with calls.`));
    return;
  }
  calls.forEach((call: unknown, index) => {
    const at = `${path}.tool_calls[${index}]`;
    const called = isMembers(call) ? call["function"] : undefined;
    if (!isMembers(call) || call["type"] !== "function" || !isMembers(called)) {
      problems.push(shape(at, `Invalid '${at}': expected a call of type 'function'.`));
      return;
    }
    const id = call["id"];
    const name = called["name"];
    if (typeof id !== "string" || id === "" || typeof name !== "string" || !TOOL_NAME.test(name)) {
      problems.push(shape(at, `Invalid '${at}': 'id' and 'function.name' are required.`));
      return;
    }
    if (typeof called["arguments"] !== "string") {
      problems.push(
        shape(`${at}.function.arguments`, `Invalid '${at}.function.arguments': expected a string.`),
      );
    }
    if (reading.calls.has(id)) problems.push(rule(`${at}.id`, `Duplicate tool call id '${id}'.`));
    reading.calls.set(id, { name, answered: false });
  });
}

function readToolResult(message: Members, path: string, reading: Reading): void {
  const id = message["tool_call_id"];
  const output = readContent(message["content"], `${path}.content`, false, reading.problems).text;
  if (typeof id !== "string" || id === "") {
    reading.problems.push(
      shape(`${path}.tool_call_id`, `Missing required parameter: '${path}.tool_call_id'.`),
    );
    return;
  }
  const call = reading.calls.get(id);
  if (call === undefined || call.answered) {
    reading.problems.push(
      rule(path, "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'."),
    );
    return;
  }
  call.answered = true;
  reading.toolResults.push({ callId: id, name: call.name, output });
}

/** A call whose result never came makes the model's context invalid; the API says so instead of guessing. */
function reportUnanswered(path: string, reading: Reading): void {
  const missing = [...reading.calls].filter(([, call]) => !call.answered).map(([id]) => id);
  if (missing.length === 0) return;
  reading.problems.push(
    rule(
      path,
      "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
        `The following tool_call_ids did not have response messages: ${missing.join(", ")}`,
    ),
  );
  for (const id of missing) reading.calls.delete(id);
}

function readContent(
  content: unknown,
  path: string,
  imagesAllowed: boolean,
  problems: ChatProblem[],
): { text: string; images: number } {
  if (typeof content === "string") return { text: content, images: 0 };
  if (!Array.isArray(content)) {
    problems.push(shape(path, `Invalid type for '${path}': expected a string or an array of content parts.`));
    return { text: "", images: 0 };
  }
  const texts: string[] = [];
  let images = 0;
  content.forEach((part: unknown, index) => {
    const at = `${path}[${index}]`;
    const type = isMembers(part) ? part["type"] : undefined;
    if (isMembers(part) && type === "text" && typeof part["text"] === "string") {
      texts.push(part["text"]);
    } else if (isMembers(part) && type === "refusal" && typeof part["refusal"] === "string") {
      texts.push(part["refusal"]);
    } else if (isMembers(part) && type === "image_url" && imagesAllowed) {
      images += 1;
      const verdict = judgeImageUrl(membersOf(part["image_url"])["url"]);
      if (verdict !== "fine") problems.push(shape(`${at}.image_url`, IMAGE_PROBLEMS[verdict]));
    } else {
      problems.push(
        shape(`${at}.type`, `Invalid value: '${String(type)}' is no content part that is supported here.`),
      );
    }
  });
  return { text: texts.join(""), images };
}

/** A finding of kind `shape`. */
export function shape(param: string, message: string): ChatProblem {
  return { kind: "shape", param, message };
}

/** A finding of kind `rule`. */
export function rule(param: string, message: string): ChatProblem {
  return { kind: "rule", param, message };
}
