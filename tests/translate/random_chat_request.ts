/** Random Chat Completions requests, and the normal form in which they come back from the Responses dialect. */
import fc from "fast-check";
import type OpenAI from "openai";
import { isObject, type JsonObject } from "../../src/wire/json.ts";

type Message = OpenAI.Chat.ChatCompletionMessageParam;
type Request = OpenAI.Chat.ChatCompletionCreateParamsStreaming;

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const name = fc.stringMatching(/^[a-zA-Z0-9_-]{1,12}$/);

/** An object with some of the members, as `fc.record` makes it, without its null prototype. */
function some<T extends object>(members: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(members, { requiredKeys: [], noNullPrototype: true }) as fc.Arbitrary<Partial<T>>;
}

const breakpoint = some({ prompt_cache_breakpoint: fc.constant({ mode: "explicit" as const }) });

const textPart = fc.tuple(text, breakpoint).map(([text, rest]) => ({ type: "text" as const, text, ...rest }));

const imagePart = fc.record({
  type: fc.constant("image_url" as const),
  image_url: fc.tuple(fc.webUrl(), some({ detail: fc.constantFrom("auto", "low", "high" as const) }))
    .map(([url, rest]) => ({ url, ...rest })),
}, { noNullPrototype: true });

const filePart = fc.record({
  type: fc.constant("file" as const),
  file: fc.tuple(
    fc.oneof(fc.record({ file_data: text }), fc.record({ file_id: name })),
    some({ filename: name }),
  ).map(([source, rest]) => ({ ...source, ...rest })),
}, { noNullPrototype: true });

const functionCall = fc.record({ name, arguments: fc.json() }, { noNullPrototype: true })
  .map((called) => ({ type: "function" as const, function: called }));

const customCall = fc.record({ name, input: text }, { noNullPrototype: true })
  .map((called) => ({ type: "custom" as const, custom: called }));

const answerPart = fc.oneof(
  text.map((text) => ({ type: "text" as const, text })),
  text.map((refusal) => ({ type: "refusal" as const, refusal })),
);

/** A turn: what was asked, and possibly the answer with the results of its calls. */
const turn = fc.tuple(
  fc.oneof(
    fc.tuple(
      fc.constantFrom("system" as const, "developer" as const),
      fc.oneof(text, fc.array(textPart, { minLength: 1, maxLength: 3 })),
    ).map(([role, content]): Message => ({ role, content })),
    fc.oneof(text, fc.array(fc.oneof(textPart, imagePart, filePart), { minLength: 1, maxLength: 4 }))
      .map((content): Message => ({ role: "user", content })),
  ),
  fc.option(fc.record({
    content: fc.oneof(fc.constant(null), text, fc.array(answerPart, { minLength: 1, maxLength: 3 })),
    refusal: fc.option(text),
    calls: fc.array(
      fc.tuple(
        fc.oneof(functionCall, customCall),
        fc.oneof(text, fc.array(textPart, { minLength: 1, maxLength: 2 })),
      ),
      { maxLength: 3 },
    ),
  })),
);

const tools = fc.uniqueArray(
  fc.oneof(
    fc.tuple(
      name,
      some({
        description: text,
        parameters: fc.constantFrom({ type: "object", properties: { a: { type: "string" } } }, {
          type: "object",
        }),
        strict: fc.boolean(),
      }),
    ).map(([name, rest]) => ({ type: "function" as const, function: { name, ...rest } })),
    fc.tuple(
      name,
      some({
        description: text,
        format: fc.oneof(
          fc.constant({ type: "text" as const }),
          fc.tuple(fc.constantFrom("lark" as const, "regex" as const), text).map(([syntax, definition]) => ({
            type: "grammar" as const,
            grammar: { syntax, definition },
          })),
        ),
      }),
    ).map(([name, rest]) => ({ type: "custom" as const, custom: { name, ...rest } })),
  ),
  { minLength: 1, maxLength: 4, selector: nameOf },
);

/** What speaks of tools, for a list of them. */
const toolMembers = tools.chain((tools) => {
  const named = fc.constantFrom(...tools).map((tool) =>
    tool.type === "function"
      ? { type: tool.type, function: { name: tool.function.name } }
      : { type: tool.type, custom: { name: tool.custom.name } }
  );
  return fc.tuple(
    fc.constant({ tools }),
    some({
      parallel_tool_calls: fc.boolean(),
      tool_choice: fc.oneof(
        fc.constantFrom("none" as const, "auto" as const, "required" as const),
        named,
        fc.tuple(
          fc.constantFrom("auto" as const, "required" as const),
          fc.array(named, { minLength: 1, maxLength: 2 }),
        )
          .map(([mode, tools]) => ({ type: "allowed_tools" as const, allowed_tools: { mode, tools } })),
      ),
    }),
  ).map(([tools, rest]) => ({ ...tools, ...rest }));
});

const responseFormat = fc.oneof(
  fc.constant({ type: "text" as const }),
  fc.constant({ type: "json_object" as const }),
  fc.tuple(
    name,
    some({
      description: text,
      schema: fc.constant({ type: "object", properties: {} }),
      strict: fc.boolean(),
    }),
  ).map(([name, rest]) => ({ type: "json_schema" as const, json_schema: { name, ...rest } })),
);

const optionMembers = some({
  max_completion_tokens: fc.nat(),
  max_tokens: fc.nat(),
  metadata: fc.dictionary(name, text, { maxKeys: 2, noNullPrototype: true }),
  prompt_cache_key: text,
  reasoning_effort: fc.constantFrom("none" as const, "low" as const, "high" as const),
  response_format: responseFormat,
  safety_identifier: text,
  service_tier: fc.constantFrom("auto" as const, "priority" as const),
  store: fc.constant(false),
  temperature: fc.double({ min: 0, max: 2, noNaN: true }),
  top_p: fc.double({ min: 0, max: 1, noNaN: true }),
  user: text,
  verbosity: fc.constantFrom("low" as const, "high" as const),
  // Dropped on the way to Responses.
  seed: fc.nat(),
  stop: fc.array(text, { minLength: 1, maxLength: 2 }),
  frequency_penalty: fc.double({ min: 0.1, max: 2, noNaN: true }),
});

/** A random request that the reference allows and that the translation carries, apart from what is named as dropped. */
export const randomChatRequest: fc.Arbitrary<Request> = fc.tuple(
  fc.array(turn, { minLength: 1, maxLength: 4 }),
  fc.option(toolMembers, { nil: {} }),
  optionMembers,
).map(([turns, tools, options]) => ({
  model: "m",
  stream: true,
  messages: turns.flatMap(toMessages),
  ...tools,
  ...options,
}));

type Turn = typeof turn extends fc.Arbitrary<infer Value> ? Value : never;

function toMessages([asked, answer]: Turn, turnIndex: number): Message[] {
  if (answer === null) return [asked];
  const { content, refusal, calls } = answer;
  const ids = calls.map((_, index) => `call_${turnIndex}_${index}`);
  const toolCalls = calls.map(([call], index) => ({ id: ids[index] ?? "", ...call }));
  return [
    asked,
    {
      role: "assistant",
      content,
      ...(refusal === null ? {} : { refusal }),
      ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
    },
    ...calls.map(([, content], index): Message => ({
      role: "tool",
      tool_call_id: ids[index] ?? "",
      content,
    })),
  ];
}

/** The request as it comes back, and what is named as dropped on both ways. */
export function normalForm(
  request: Request,
): { readonly body: JsonObject; readonly ignored: ReadonlySet<string> } {
  const body: JsonObject = { ...request };
  const ignored = new Set<string>();
  for (const dropped of ["seed", "stop", "frequency_penalty"] as const) {
    if (request[dropped] !== undefined) ignored.add(dropped);
    delete body[dropped];
  }
  // The newer name of the limit is the one that counts and that comes back.
  delete body["max_tokens"];
  if (request.max_completion_tokens !== undefined && request.max_tokens !== undefined) {
    ignored.add("max_tokens");
  }
  const limit = request.max_completion_tokens ?? request.max_tokens;
  if (limit !== undefined) body["max_completion_tokens"] = limit;
  // False is what holds anyway.
  delete body["store"];
  // A Responses stream always tells its usage.
  body["stream_options"] = { include_usage: true };
  // The summary that Chat has no word for is asked for in the hub.
  if (request.reasoning_effort !== undefined && request.reasoning_effort !== "none") {
    ignored.add("reasoning.summary");
  }
  if (request.response_format?.type === "text") delete body["response_format"];
  if (request.response_format?.type === "json_schema") {
    const format = request.response_format.json_schema;
    body["response_format"] = {
      type: "json_schema",
      json_schema: { ...format, schema: format.schema ?? {} },
    };
  }
  if (request.tools !== undefined) body["tools"] = request.tools.map(normalTool);
  body["messages"] = request.messages.flatMap(normalMessage);
  return { body, ignored };
}

/** The defaults of Chat, written out. */
function normalTool(tool: OpenAI.Chat.ChatCompletionTool): unknown {
  if (tool.type !== "function") return tool;
  const none = { type: "object", properties: {}, required: [], additionalProperties: false };
  return {
    type: "function",
    function: {
      ...tool.function,
      parameters: tool.function.parameters ?? none,
      strict: tool.function.strict ?? false,
    },
  };
}

function normalMessage(message: Message): unknown[] {
  switch (message.role) {
    case "system":
    case "developer":
    case "user":
      return [{ role: message.role, content: normalParts(message.content) }];
    case "tool":
      return [message];
    case "assistant":
      return normalAnswer(message);
    default:
      return [];
  }
}

/** Texts become parts, and an image has a detail. */
function normalParts(content: unknown): unknown[] {
  if (!Array.isArray(content)) return [{ type: "text", text: content }];
  return content.map((part: unknown) =>
    isObject(part) && isObject(part["image_url"])
      ? { ...part, image_url: { detail: "auto", ...part["image_url"] } }
      : part
  );
}

/** A refusal becomes a part, one text stays a text, and a message that says nothing has no content, or is left out. */
function normalAnswer(message: OpenAI.Chat.ChatCompletionAssistantMessageParam): unknown[] {
  const { content, refusal, tool_calls: calls } = message;
  const parts: JsonObject[] = typeof content === "string"
    ? [{ type: "text", text: content }]
    : (content ?? []).map((part) => ({ ...part }));
  if (typeof refusal === "string" && refusal !== "") parts.push({ type: "refusal", refusal });
  const saysNothing = parts.every((part) => part["type"] === "text" && part["text"] === "");
  const hasCalls = calls !== undefined && calls.length > 0;
  if (saysNothing && !hasCalls && parts.length === 0) return [];
  const [only] = parts;
  const told = parts.length === 1 && only?.["type"] === "text" ? only["text"] : parts;
  return [{
    role: "assistant",
    content: saysNothing && hasCalls ? null : told,
    ...(hasCalls ? { tool_calls: calls } : {}),
  }];
}

function nameOf(tool: OpenAI.Chat.ChatCompletionTool): string {
  return tool.type === "function" ? tool.function.name : tool.custom.name;
}
