/**
 * Why an answer ended, in the words of Chat Completions: one total map in each direction.
 *
 * @module
 */

/** The values of `finish_reason` in OpenAI's API reference. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "function_call";

/**
 * The `finish_reason` for a Responses answer that reached its end. `reason` is that of an incomplete response;
 * `calls` tells whether the answer calls tools, and in which form the client is told so.
 *
 * A response that is incomplete for an unknown reason was cut short all the same: it finishes with `length`, never with
 * `stop`.
 */
export function finishReason(
  status: "completed" | "incomplete",
  reason: string | undefined,
  calls: "none" | "tool_calls" | "function_call",
): FinishReason {
  if (status === "incomplete") return reason === "content_filter" ? "content_filter" : "length";
  return calls === "none" ? "stop" : calls;
}

/** How a Responses answer ends whose Chat upstream told a `finish_reason`. */
export type ResponseEnding =
  | { readonly status: "completed" }
  | { readonly status: "incomplete"; readonly reason: "max_output_tokens" | "content_filter" }
  | { readonly status: "failed" };

/**
 * The end of a Responses answer for a `finish_reason` as an upstream spells it. Copilot's own word `error` is a
 * failure; an unknown word is a natural end, because all words for other ends are known.
 */
export function responseEnding(finish: string): ResponseEnding {
  switch (finish) {
    case "length":
      return { status: "incomplete", reason: "max_output_tokens" };
    case "content_filter":
      return { status: "incomplete", reason: "content_filter" };
    case "error":
      return { status: "failed" };
    default:
      return { status: "completed" };
  }
}

const SEVERITY = Object.freeze({ completed: 0, incomplete: 1, failed: 2 });

/** Of the ends of several choices of one answer the one that says least good about it; the first of two equal ones. */
export function worseEnding(a: ResponseEnding | undefined, b: ResponseEnding): ResponseEnding {
  return a !== undefined && SEVERITY[a.status] >= SEVERITY[b.status] ? a : b;
}
