/**
 * The dialects of OpenAI's API that upstreams speak.
 *
 * @module
 */

/** `responses` is the hub: every other dialect is translated to and from it. */
export type Dialect = "responses" | "chat";
