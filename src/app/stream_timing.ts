/**
 * How patient the relay is with upstreams and how it keeps clients company meanwhile.
 *
 * @module
 */

/** Times of a model call, milliseconds. */
export interface StreamTiming {
  /**
   * A streamed call whose upstream has not answered for this long gets its headers and a comment; what comes later, also a
   * refusal, is told in the stream. Before, the client keeps the true status; after, we notice when it leaves.
   */
  readonly headersAfterMs: number;
  /** After one to two times this long without an event the client of a stream gets a comment. */
  readonly keepAliveMs: number;
  /** The longest wait for an upstream's first byte; the call then fails with 504. */
  readonly firstByteLimitMs: number;
  /** The longest silence inside a stream; the answer then fails. */
  readonly silenceLimitMs: number;
}

/** ChatGPT's own client gives a silent stream 300 s (facts chatgpt-codex 4.1); a model may think that long before it begins. */
export const defaultStreamTiming: StreamTiming = Object.freeze({
  headersAfterMs: 2_000,
  keepAliveMs: 15_000,
  firstByteLimitMs: 600_000,
  silenceLimitMs: 300_000,
});
