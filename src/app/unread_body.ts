/**
 * The answers to a request body that was not read to its end: too large, too slow, or in a coding that is not understood.
 *
 * @module
 */
import type { JsonBody } from "../guard/body.ts";
import { acceptedCodings } from "../guard/content_encoding.ts";
import { errorResponse, errorStatus, type RelayErrorCode, sentenceResponse } from "./errors.ts";

/** Why a body was not read. */
export type UnreadBody = Extract<JsonBody["kind"], "too_large" | "timeout" | "unknown_coding">;

/** The answer in OpenAI's envelope. `maxBytes` is what the body may have. */
export function unreadBodyResponse(kind: UnreadBody, maxBytes: number): Response {
  const { code, sentence, headers } = tell(kind, maxBytes);
  const response = errorResponse(code, sentence);
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

/** The same in the form of the sign-in routes. */
export function unreadBodySentence(kind: UnreadBody, maxBytes: number): Response {
  const { code, sentence, headers } = tell(kind, maxBytes);
  return sentenceResponse(errorStatus(code), sentence, headers);
}

function tell(kind: UnreadBody, maxBytes: number): {
  readonly code: RelayErrorCode;
  readonly sentence: string;
  readonly headers: Readonly<Record<string, string>>;
} {
  switch (kind) {
    case "too_large":
      return {
        code: "payload_too_large",
        sentence: `The request body may have at most ${maxBytes} bytes.`,
        headers: {},
      };
    case "timeout":
      return {
        code: "request_timeout",
        sentence: "The request body took too long to arrive. Send it again.",
        // The rest of it is not waited for (RFC 9110 section 15.5.9).
        headers: { connection: "close" },
      };
    case "unknown_coding":
      return {
        code: "unsupported_content_encoding",
        sentence:
          `The request body is compressed in a way that is not supported. Send it plain, or in one of: ${acceptedCodings}.`,
        // RFC 9110 section 15.5.16.
        headers: { "accept-encoding": acceptedCodings },
      };
  }
}
