/**
 * The body of a streamed answer: pulled step by step, so that a slow reader slows the sandbox down, and stopped when the
 * client leaves.
 *
 * @module
 */
import type { SandboxContext } from "./contract.ts";
import { ConnectionDropped } from "./interruption.ts";
import type { StreamStep } from "./stream_steps.ts";

/** How a body is made of steps. */
export interface StreamBodyOptions<Event> {
  /** The wire text of an event. Called once per event, in order. */
  readonly frame: (event: Event) => string;
  readonly context: Pick<SandboxContext, "hang">;
  /** Aborts when the client leaves. */
  readonly signal: AbortSignal;
  /** Cuts the bytes into chunks of this size whatever the frames; 0 (the default) sends one chunk per frame. */
  readonly chunkBytes?: number;
}

/** The steps as bytes. Cancelling the body ends the iteration (`return` is called on it). */
export function streamBody<Event>(
  steps: Iterable<StreamStep<Event>>,
  options: StreamBodyOptions<Event>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { frame, context, signal } = options;
  const chunkBytes = options.chunkBytes ?? 0;
  const encoder = new TextEncoder();
  const iterator = steps[Symbol.iterator]();
  let waiting = new Uint8Array(0);

  /** The next bytes to send; undefined at the end. */
  async function nextBytes(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const { done, value } = iterator.next();
      if (done === true) return undefined;
      if (value.kind === "event") return encoder.encode(frame(value.event));
      if (value.kind === "text") return encoder.encode(value.text);
      if (value.kind === "break") throw new ConnectionDropped();
      await context.hang(signal);
      if (signal.aborted) return undefined;
    }
  }

  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      if (waiting.length === 0) {
        const bytes = await nextBytes();
        if (bytes === undefined) {
          controller.close();
          return;
        }
        waiting = bytes;
      }
      const size = chunkBytes === 0 ? waiting.length : chunkBytes;
      controller.enqueue(waiting.slice(0, size));
      waiting = waiting.slice(size);
    },
    cancel() {
      iterator.return?.();
    },
  }, { highWaterMark: 0 });
}
