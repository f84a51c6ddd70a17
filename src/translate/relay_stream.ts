/**
 * The pump between an upstream's event stream and the client: pull driven, one piece out for each piece in, and an end
 * that tells the truth.
 *
 * @module
 */
import type { TokenUsage } from "../wire/token_usage.ts";
import { ownFailure, type StreamFailure } from "./stream_failure.ts";

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
  /** What the call used, where the upstream told. */
  readonly usage: TokenUsage | undefined;
}

/** Size of the buffer that a byte-oriented upstream fills; larger reads come as several pieces. */
const READ_BUFFER_BYTES = 16 * 1024;

/**
 * Relays `upstream` through `translator`. Reads only when the client wants more, so that at most one piece is held;
 * enqueues once per piece that makes output. When the client leaves, `upstream` is cancelled with the same reason; after
 * a failure it is cancelled too, and the client's stream ends. Whatever breaks, the client gets an error event and a
 * clean close, never a stream error.
 *
 * `onEnd` is called exactly once. An upstream that breaks after `signal` was aborted counts as `cancelled`.
 */
export function relayStream(options: {
  readonly upstream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly translator: StreamTranslator;
  readonly onEnd: (summary: StreamSummary) => void;
  readonly signal?: AbortSignal;
}): ReadableStream<Uint8Array> {
  const { translator, signal } = options;
  const source = openSource(options.upstream);
  let over = false;
  let left = false;

  function finish(end: StreamSummary["end"]): void {
    if (over) return;
    over = true;
    options.onEnd({ end, usage: translator.usage });
  }

  /** Reads and translates one piece; finishes when it was the last one. */
  async function next(): Promise<Uint8Array | undefined> {
    let bytes: Uint8Array | undefined;
    try {
      bytes = await source.read();
    } catch {
      // The reason names hosts and system calls: not for clients.
      const out = translator.fail(ownFailure("connection_lost"));
      finish(signal?.aborted === true ? "cancelled" : translator.ended ?? "cut");
      return out;
    }
    const out = bytes === undefined ? translator.end() : translator.chunk(bytes);
    const { ended } = translator;
    if (bytes === undefined) {
      finish(ended ?? "cut");
    } else if (ended === "failed" || ended === "cut") {
      finish(ended);
      await source.cancel(undefined);
    }
    return out;
  }

  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      for (;;) {
        const out = await next();
        // The client left while the read was under way: its stream takes nothing any more, not even an end.
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

interface Source {
  /** The next bytes, valid until the next call; undefined at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Tells the upstream that nobody reads any more; its errors no longer matter. */
  cancel(reason: unknown): Promise<void>;
}

/**
 * Reads into one buffer again and again where the upstream is a byte stream, as fetch bodies are: in Deno that costs
 * half of what a default reader does per piece.
 */
function openSource(upstream: ReadableStream<Uint8Array<ArrayBuffer>>): Source {
  const byob = byobReader(upstream);
  if (byob === undefined) {
    const reader = upstream.getReader();
    return {
      read: async (): Promise<Uint8Array | undefined> => (await reader.read()).value,
      cancel: (reason): Promise<void> => reader.cancel(reason).catch(ignoreLateError),
    };
  }
  let buffer = new ArrayBuffer(READ_BUFFER_BYTES);
  return {
    async read(): Promise<Uint8Array | undefined> {
      const { value, done } = await byob.read(new Uint8Array(buffer));
      if (done || value === undefined) return undefined;
      buffer = value.buffer;
      return value;
    },
    cancel: (reason): Promise<void> => byob.cancel(reason).catch(ignoreLateError),
  };
}

function byobReader(upstream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStreamBYOBReader | undefined {
  try {
    return upstream.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

function ignoreLateError(): void {}
