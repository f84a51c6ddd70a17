/**
 * Bytes that are read one piece at a time: what an upstream's event stream is, with less between the socket and the reader
 * than a `ReadableStream` has.
 *
 * @module
 */

/** Bytes to be read by one reader, in order. */
export interface ByteSource {
  /**
   * The next bytes, at least one; undefined at the end. They are valid until the next read: the buffer is used again.
   * One read at a time. Rejects when the bytes break off before their end.
   */
  read(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Tells the sender that nobody reads any more; its errors no longer matter. Resolves in any case. */
  cancel(reason?: unknown): Promise<void>;
}

/** A body as it comes from an upstream. */
export type UpstreamBody = ReadableStream<Uint8Array<ArrayBuffer>> | ByteSource;

/** Size of the buffer that a byte stream fills; larger reads come as several pieces. */
const readBufferBytes = 16 * 1024;

/**
 * Opens a body for reading. A byte stream, as fetch bodies are, is read into one buffer again and again: in Deno that costs
 * half of what a default reader does per piece.
 */
export function openBody(body: UpstreamBody): ByteSource {
  if (!(body instanceof ReadableStream)) return body;
  const byob = byobReader(body);
  return byob === undefined ? openDefault(body.getReader()) : openByob(byob);
}

/** The same bytes as a stream, read when it is: cancelling it cancels `source`. */
export function streamOf(source: ByteSource): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller): Promise<void> {
      const bytes = await source.read();
      // A copy, because the source uses its buffer again.
      if (bytes === undefined) controller.close();
      else controller.enqueue(bytes.slice());
    },
    cancel: (reason): Promise<void> => source.cancel(reason),
  }, { highWaterMark: 0 });
}

/** The same bytes; `onEnd` is called once, when they have ended or broken off, or nobody wants them any more. */
export function withEnd(source: ByteSource, onEnd: () => void): ByteSource {
  let over = false;
  function end(): void {
    if (over) return;
    over = true;
    onEnd();
  }
  return {
    async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
      try {
        const bytes = await source.read();
        if (bytes === undefined) end();
        return bytes;
      } catch (error) {
        end();
        throw error;
      }
    },
    async cancel(reason): Promise<void> {
      end();
      await source.cancel(reason);
    },
  };
}

function openByob(reader: ReadableStreamBYOBReader): ByteSource {
  let buffer = new ArrayBuffer(readBufferBytes);
  return {
    async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
      const { value, done } = await reader.read(new Uint8Array(buffer));
      // Reading takes the buffer away; a cancelled stream does not give it back.
      buffer = value?.buffer ?? new ArrayBuffer(readBufferBytes);
      return done ? undefined : value;
    },
    cancel: (reason): Promise<void> => reader.cancel(reason).catch(ignoreLateError),
  };
}

function openDefault(reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>): ByteSource {
  return {
    async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
      for (;;) {
        const { value } = await reader.read();
        if (value === undefined || value.byteLength > 0) return value;
      }
    },
    cancel: (reason): Promise<void> => reader.cancel(reason).catch(ignoreLateError),
  };
}

function byobReader(body: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}

function ignoreLateError(): void {}
