/**
 * The event stream of `POST v1/chat/completions`, read as text.
 *
 * @module
 */
import { EventSourceParserStream } from "eventsource-parser/stream";
import { nonEmptyString, objectOrEmpty, parseObject } from "../../wire/json.ts";
import { RelayError, sentenceOf } from "./relay_error.ts";

/** An event is one chunk of an answer. A larger one is no chat stream, and must not fill the tab's memory. */
const maxEventChars = 4 * 1024 * 1024;

/**
 * Yields the answer's text piece by piece and returns the `finish_reason` (undefined when the stream named none).
 *
 * Only `data: [DONE]` is an end. An error frame, a frame that is no JSON, a connection that breaks and a stream that
 * merely stops all throw {@linkcode RelayError}. Leaving the loop early cancels `body`. An abort of the request rejects
 * with the abort's own error.
 */
export async function* readChatStream(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, string | undefined, undefined> {
  const reader = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ maxBufferSize: maxEventChars }))
    .getReader();
  let finishReason: string | undefined;
  try {
    while (true) {
      const { done, value } = await reader.read().catch(brokenOff);
      if (done) throw new RelayError("The answer broke off before its end. What you see is not all of it.");
      if (value.data === "[DONE]") return finishReason;
      const choice = firstChoice(value.data);
      finishReason = nonEmptyString(choice["finish_reason"]) ?? finishReason;
      const delta = objectOrEmpty(choice["delta"]);
      const text = nonEmptyString(delta["content"]) ?? nonEmptyString(delta["refusal"]);
      if (text !== undefined) yield text;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** The first choice of a chunk; empty for chunks without one, such as the last one that carries the usage. */
function firstChoice(data: string): { [key: string]: unknown } {
  const chunk = parseObject(data);
  if (chunk === undefined) throw new RelayError("The relay sent a piece of the answer that cannot be read.");
  if ("error" in chunk) {
    throw new RelayError(
      sentenceOf(chunk["error"]) ?? "The provider reported an error in the middle of the answer.",
    );
  }
  const choices: unknown = chunk["choices"];
  return Array.isArray(choices) ? objectOrEmpty(choices[0]) : {};
}

function brokenOff(error: unknown): never {
  if (error instanceof DOMException && error.name === "AbortError") throw error;
  throw new RelayError("The connection broke before the end of the answer. What you see is not all of it.");
}
