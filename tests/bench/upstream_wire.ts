/**
 * What the simulated upstreams of the benchmarks say, byte by byte. Nothing of the relay's own codecs is used.
 *
 * @module
 */

/** The stream of one dialect. */
export interface Script {
  /** The events before the first text. */
  readonly head: readonly string[];
  /** The event of one piece of text. */
  delta(text: string): string;
  /** The events after the last text; `whole` is all of it. */
  tail(whole: string): readonly string[];
}

const created = 1787000000;

const usage = {
  input_tokens: 7112,
  input_tokens_details: { cached_tokens: 3072 },
  output_tokens: 463,
  output_tokens_details: { reasoning_tokens: 64 },
  total_tokens: 7575,
};

function responsesEvent(type: string, members: Readonly<Record<string, unknown>>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: 0, ...members })}\n\n`;
}

const response = {
  id: "resp_1",
  object: "response",
  created_at: created,
  status: "in_progress",
  model: "gpt-5.5",
  output: [],
  usage: null,
};
const place = { item_id: "msg_1", output_index: 0, content_index: 0 };
const emptyPart = { type: "output_text", text: "", annotations: [], logprobs: [] };
const emptyItem = { id: "msg_1", type: "message", status: "in_progress", role: "assistant", content: [] };

const responses: Script = {
  head: [
    responsesEvent("response.created", { response }),
    responsesEvent("response.in_progress", { response }),
    responsesEvent("response.output_item.added", { output_index: 0, item: emptyItem }),
    responsesEvent("response.content_part.added", { ...place, part: emptyPart }),
  ],
  delta: (text) => responsesEvent("response.output_text.delta", { ...place, delta: text, logprobs: [] }),
  tail(whole) {
    const part = { ...emptyPart, text: whole };
    const item = { ...emptyItem, status: "completed", content: [part] };
    return [
      responsesEvent("response.output_text.done", { ...place, text: whole, logprobs: [] }),
      responsesEvent("response.content_part.done", { ...place, part }),
      responsesEvent("response.output_item.done", { output_index: 0, item }),
      responsesEvent("response.completed", {
        response: { ...response, status: "completed", output: [item], usage },
      }),
    ];
  },
};

const chatUsage = { prompt_tokens: 7112, completion_tokens: 463, total_tokens: 7575 };

function chatChunk(delta: unknown, finishReason: string | null, members = {}): string {
  const choices = [{ index: 0, delta, finish_reason: finishReason }];
  const head = { id: "chatcmpl-1", object: "chat.completion.chunk", created, model: "grok-4.5" };
  return `data: ${JSON.stringify({ ...head, choices, ...members })}\n\n`;
}

const chat: Script = {
  head: [chatChunk({ role: "assistant", content: "" }, null)],
  delta: (text) => chatChunk({ content: text }, null),
  tail: () => [chatChunk({}, "stop", { usage: chatUsage }), "data: [DONE]\n\n"],
};

/** The dialects by the path that speaks them. */
export const streamScripts: Readonly<Record<string, Script>> = Object.freeze({
  "/codex/responses": responses,
  "/chat/completions": chat,
});

/** What a Chat call without a stream is answered with. */
export const completion: unknown = {
  id: "chatcmpl-1",
  object: "chat.completion",
  created,
  model: "grok-4.5",
  choices: [{
    index: 0,
    message: {
      role: "assistant",
      content: "Sixty words or so, as a short answer has. ".repeat(10),
      refusal: null,
    },
    finish_reason: "stop",
  }],
  usage: chatUsage,
};

/** What copilot-api asks GitHub before it serves: a token, the person, the models. One document answers all. */
export const account: unknown = {
  token: "bench",
  refresh_in: 1500,
  expires_at: 4_000_000_000,
  login: "bench",
  data: [],
};
