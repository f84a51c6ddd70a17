/**
 * The one error of the browser client.
 *
 * @module
 */
import { isObject, nonEmptyString, parseObject } from "../../wire/json.ts";

/** A call that the relay refused or that never reached it. `message` is a sentence for the person at the screen. */
export class RelayError extends Error {
  override readonly name = "RelayError";
  /** The HTTP status of the refusal; undefined when there was no answer, or one that could not be read. */
  readonly status: number | undefined;

  /** `message` must be fit for display: no secret, no markup that means anything. */
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }

  /** True when the relay no longer accepts the session JWT. */
  get sessionEnded(): boolean {
    return this.status === 401;
  }
}

/** The sentence for a request that got no answer. */
export const unreachable = "The relay could not be reached. Check your connection and try again.";

/** The sentence for an answer that is not what the contract says. */
export const unreadable =
  "The relay gave an answer that this page cannot read. Reload the page and try again.";

/**
 * The sentence in an error body: `{"error": "..."}` of the sign-in routes or `{"error": {"message": "..."}}` of the model
 * routes. The body may be anything, for example the HTML of a proxy, of which nothing is shown.
 */
export function errorSentence(body: string, status: number): string {
  if (status === 401) return "Your session has ended. Sign in again.";
  return sentenceOf(parseObject(body)?.["error"]) ??
    `The relay answered with status ${status}. Try again later.`;
}

/** The sentence in the value of an `error` member, in either of its two shapes. */
export function sentenceOf(error: unknown): string | undefined {
  return nonEmptyString(isObject(error) ? error["message"] : error);
}
