/**
 * The pump between an upstream's event stream and the client: pull driven, one piece out for each piece in, and an end
 * that tells the truth.
 *
 * @module
 */
import type { UpstreamBody } from "../wire/byte_source.ts";
import type { TokenUsage } from "../wire/token_usage.ts";
import { ownFailure, type StreamFailure } from "./stream_failure.ts";
import { type LateUpstream, NeverStreamed, openUpstream } from "./upstream_source.ts";

/** What happens to the bytes on their way. Bytes that are passed in are only valid during the call. */
export interface StreamTranslator {
  /** What to send for the next bytes; undefined when they complete nothing. */
  chunk(bytes: Uint8Array): Uint8Array | undefined;
  /** The upstream has no more bytes: what is still to be sent, with an error event if the answer had not ended. */
  end(): Uint8Array | undefined;
  /** The stream breaks: the error event in the client's dialect, or undefined if the answer had ended. */
  fail(failure: StreamFailure): Uint8Array | undefined;
  /** How the answer ended, once it has; `cut` when it is not the upstream that told the failure. */
  readonly ended: "completed" | "failed" | "cut" | undefined;
  /** The code of the failure that ended it, the upstream's own where it told one. */
  readonly failureCode: string | undefined;
  /** What the call used, once the upstream has told. */
  readonly usage: TokenUsage | undefined;
}

/** How a relayed stream ended. */
export interface StreamSummary {
  /**
   * `completed`: the upstream's own end came through. `failed`: the upstream told a failure. `cut`: it stopped, broke or
   * became unreadable before its end. `cancelled`: the client left.
   */
  readonly end: "completed" | "failed" | "cut" | "cancelled";
  /** The code of the failure that ended or cut it; the upstream's own words stay in the stream. */
  readonly reason?: string;
  /** What the call used, where the upstream told. */
  readonly usage: TokenUsage | undefined;
}

/** How a relayed stream shows that it lives, and how long its upstream may be silent. */
export interface Liveness {
  /**
   * Calls `tick` every `keepAliveMs` milliseconds until the returned function is called. Handed in, so that tests own the
   * time.
   */
  readonly repeat: (keepAliveMs: number, tick: () => void) => () => void;
  /** After a silence of one to two times this long the client gets a comment, milliseconds. */
  readonly keepAliveMs: number;
  /** An upstream that is silent for this long while the client waits has failed; counted in keep-alive ticks. */
  readonly silenceLimitMs: number;
}

/** A comment line (WHATWG HTML, section 9.2.6): clients skip it, proxies see that the connection is alive. */
const KEEP_ALIVE: Uint8Array<ArrayBuffer> = new TextEncoder().encode(": keep-alive\n\n");

/**
 * Relays `upstream` through `translator`. Reads only when the client wants more, so that at most one piece is held;
 * enqueues once per piece that makes output. When the client leaves, `upstream` is cancelled with the same reason; after
 * a failure it is cancelled too, and the client's stream ends. Whatever breaks, the client gets an error event and a
 * clean close, never a stream error.
 *
 * An `upstream` that is still awaited is one that has not answered yet: the stream begins with a comment, so that the
 * client has its headers, and a refusal that comes later is told as an error event.
 *
 * `onEnd` is called exactly once. An upstream that breaks after `signal` was aborted counts as `cancelled`.
 */
export function relayStream(options: {
  readonly upstream: UpstreamBody | Promise<LateUpstream>;
  readonly translator: StreamTranslator;
  readonly liveness: Liveness;
  readonly onEnd: (summary: StreamSummary) => void;
  readonly signal?: AbortSignal;
}): ReadableStream<Uint8Array> {
  const { translator, signal, liveness } = options;
  const source = openUpstream(options.upstream);
  const begunEarly = options.upstream instanceof Promise;
  let over = false;
  let left = false;
  /** Whether the client waits for the upstream, and for how many ticks nothing has come. */
  let waiting = false;
  let silentTicks = 0;
  let stopTicking: () => void = () => {};

  function finish(end: StreamSummary["end"]): void {
    if (over) return;
    over = true;
    stopTicking();
    const reason = end === "failed" || end === "cut" ? translator.failureCode : undefined;
    options.onEnd({ end, usage: translator.usage, ...(reason === undefined ? {} : { reason }) });
  }

  /** Breaks the stream off: what the client is told, once the upstream is done with. */
  function fail(failure: StreamFailure): Uint8Array | undefined {
    const out = translator.fail(failure);
    if (signal?.aborted === true) finish("cancelled");
    else finish(translator.ended ?? "cut");
    return out;
  }

  /** Translates one piece, undefined for the end; finishes when it was the last one. */
  function take(bytes: Uint8Array | undefined): Uint8Array | undefined {
    const out = bytes === undefined ? translator.end() : translator.chunk(bytes);
    const { ended } = translator;
    if (bytes === undefined) {
      finish(ended ?? "cut");
    } else if (ended === "failed" || ended === "cut") {
      finish(ended);
      void source.cancel(undefined);
    }
    return out;
  }

  function tick(controller: ReadableStreamDefaultController<Uint8Array>): void {
    // A client that does not read gets no comments either: they would pile up.
    if (!waiting) return;
    silentTicks++;
    if (silentTicks * liveness.keepAliveMs < liveness.silenceLimitMs) return controller.enqueue(KEEP_ALIVE);
    left = true;
    const out = fail(ownFailure("upstream_silent"));
    if (out !== undefined) controller.enqueue(out);
    controller.close();
    void source.cancel(undefined);
  }

  return new ReadableStream<Uint8Array>({
    start(controller): void {
      if (begunEarly) controller.enqueue(KEEP_ALIVE);
      stopTicking = liveness.repeat(liveness.keepAliveMs, () => tick(controller));
    },
    async pull(controller): Promise<void> {
      // One function and not several that await each other: each costs a few hundredths of what an event may.
      for (;;) {
        let bytes: Uint8Array | undefined;
        let failure: StreamFailure | undefined;
        waiting = true;
        try {
          bytes = await source.read();
        } catch (error) {
          // The reason of a broken connection names hosts and system calls: not for clients.
          failure = error instanceof NeverStreamed ? error.failure : ownFailure("connection_lost");
        }
        waiting = false;
        silentTicks = 0;
        // A stream that ended while the read was under way still has an end to tell, to `onEnd`.
        const out = failure === undefined ? take(bytes) : fail(failure);
        // The stream ended while the read was under way: it takes nothing any more, not even an end.
        if (left) return;
        if (out !== undefined) controller.enqueue(out);
        if (over) return controller.close();
        if (out !== undefined) return;
      }
    },
    async cancel(reason): Promise<void> {
      left = true;
      finish("cancelled");
      await source.cancel(reason);
    },
  }, { highWaterMark: 0 });
}
