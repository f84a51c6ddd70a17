/**
 * One connection to an upstream, HTTP/1.1, one request at a time.
 *
 * @module
 */
import {
  type AnswerHead,
  type ChunkedDecoder,
  createChunkedDecoder,
  formatRequest,
  readAnswerHead,
  type RequestParts,
} from "../wire/http1.ts";

/** The buffer begins with this many bytes; a held stream keeps it. */
const firstBufferBytes = 4 * 1024;

/** It doubles while reads fill it, up to this: then one read brings hundreds of events. */
const maxBufferBytes = 64 * 1024;

/** A connection that rests keeps no larger buffer than this. */
const maxRestingBytes = 16 * 1024;

/** The most that a head may have, bytes. */
const maxHeadBytes = maxBufferBytes;

/** Stand for lengths that nobody announced. */
const untilLastChunk = Number.MAX_SAFE_INTEGER;
const untilClose = Infinity;

/** The connection ended, or what came on it is not HTTP/1.1. Its message is for nobody: it names no host and no byte. */
export class ConnectionBroken extends Error {
  override readonly name = "ConnectionBroken";
}

/**
 * A connection. After {@linkcode HttpConnection.send} the content is read to its end with {@linkcode HttpConnection.read};
 * then, when it is `reusable`, {@linkcode HttpConnection.rest} makes it ready for the next request. Everything rejects once it is closed.
 */
export class HttpConnection {
  readonly #conn: Deno.TcpConn | Deno.TlsConn;
  /** `#start` to `#end` has been received and not been handed out. */
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(firstBufferBytes);
  #start = 0;
  #end = 0;
  /** Of the content, bytes still to be handed out; 0 when it has ended. */
  #left = 0;
  #chunked: ChunkedDecoder | undefined;
  #reusable = false;
  /** Whether the request has gone out whole: what another one would follow is all of it. */
  #written = true;
  #closed = false;
  /** Why it was closed, if the caller has said so. */
  #reason: unknown;
  /** While no request is under way: the read that notices that the upstream closes. */
  #resting: Promise<number | null> | undefined;
  #restLimit: ReturnType<typeof setTimeout> | undefined;

  private constructor(conn: Deno.TcpConn | Deno.TlsConn) {
    this.#conn = conn;
  }

  /** Connects to the origin of `url`. Rejects as the system or the abort does. */
  static async open(url: URL, signal: AbortSignal): Promise<HttpConnection> {
    const hostname = url.hostname.replace(/^\[|\]$/g, "");
    if (url.protocol === "https:") {
      const port = Number(url.port || 443);
      const connecting = Deno.connectTls({ hostname, port, alpnProtocols: ["http/1.1"] });
      return new HttpConnection(await unlessAborted(connecting, signal));
    }
    return new HttpConnection(await Deno.connect({ hostname, port: Number(url.port || 80), signal }));
  }

  /** Sends a request and resolves to the head of its answer; the content is to be read. */
  async send(request: RequestParts): Promise<AnswerHead> {
    const bytes = formatRequest(request);
    this.#written = false;
    // Not awaited: an upstream may answer, and refuse, before it has read everything. It may end the connection then, and
    // writing fails before the answer is read: what is left to read tells whether there is one.
    this.#write(bytes).catch(() => {});
    for (;;) {
      const parsed = readAnswerHead(this.#buffer.subarray(this.#start, this.#end));
      if (parsed.kind === "malformed") throw this.#broken();
      if (parsed.kind === "incomplete") {
        if (this.#end - this.#start >= maxHeadBytes) throw this.#broken();
        if (await this.#fill() === 0) throw this.#broken();
        continue;
      }
      this.#start += parsed.length;
      const { head } = parsed;
      // 100 and 103 precede the answer; 101 was never asked for.
      if (head.status === 101) throw this.#broken();
      if (head.status < 200) continue;
      this.#begin(head);
      return head;
    }
  }

  /**
   * The next bytes of the content, valid until the next read; undefined at its end. Rejects when it is cut, and with the
   * reason of {@linkcode HttpConnection.close} if there is one. `onEnd` is called before the end or the cut is told.
   */
  async read(onEnd: (whole: boolean) => void): Promise<Uint8Array<ArrayBuffer> | undefined> {
    // One function and not several that await each other: each costs a few hundredths of what an event may.
    try {
      // What came before the close counts no more: the caller was told that the content breaks off.
      if (this.#closed) throw this.#broken();
      for (;;) {
        const bytes = this.#chunked === undefined ? this.#takePlain() : this.#takeChunked(this.#chunked);
        if (bytes !== undefined) return bytes;
        if (this.#left === 0) break;
        this.#makeRoom();
        const received = await this.#conn.read(this.#buffer.subarray(this.#end));
        if (received === null) {
          if (this.#left !== untilClose) throw this.#broken();
          this.#left = 0;
          break;
        }
        this.#end += received;
      }
      this.#finish();
    } catch (error) {
      this.close();
      onEnd(false);
      throw this.#reason ?? error;
    }
    onEnd(true);
    return undefined;
  }

  /** Whether the content has been read and another request may follow. */
  get reusable(): boolean {
    return this.#reusable && !this.#closed;
  }

  /**
   * Waits for the next request, for `maxMs` milliseconds at most. `onEnd` is called when the connection ends instead. The
   * process does not stay for it.
   */
  rest(maxMs: number, onEnd: () => void): void {
    if (this.#buffer.length > maxRestingBytes) this.#buffer = new Uint8Array(firstBufferBytes);
    this.#start = 0;
    this.#end = 0;
    this.#reusable = false;
    // Not in a promise chain that a later request waits for: it takes this read over.
    this.#conn.unref();
    const resting = this.#conn.read(this.#buffer);
    this.#resting = resting;
    const over = (): void => {
      if (this.#resting !== resting) return;
      this.#resting = undefined;
      this.close();
      onEnd();
    };
    // Bytes that nobody asked for end it too.
    resting.then(over, over);
    // Tells it itself: until the read has ended for it, a request could still be given the closed connection.
    const limit = setTimeout(over, maxMs);
    Deno.unrefTimer(limit);
    this.#restLimit = limit;
  }

  /** Ends the connection; whatever waits on it rejects, reading with `reason` if there is one. Idempotent. */
  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reason = reason;
    clearTimeout(this.#restLimit);
    this.#conn.close();
  }

  #begin(head: AnswerHead): void {
    const { framing } = head;
    this.#chunked = framing.kind === "chunked" ? createChunkedDecoder() : undefined;
    this.#left = framing.kind === "length"
      ? framing.bytes
      : framing.kind === "chunked"
      ? untilLastChunk
      : untilClose;
    this.#reusable = head.reusable;
  }

  #takePlain(): Uint8Array<ArrayBuffer> | undefined {
    const length = Math.min(this.#end - this.#start, this.#left);
    if (length === 0) return undefined;
    this.#start += length;
    this.#left -= length;
    return this.#buffer.subarray(this.#start - length, this.#start);
  }

  #takeChunked(chunked: ChunkedDecoder): Uint8Array<ArrayBuffer> | undefined {
    if (this.#start === this.#end) return undefined;
    const window = this.#buffer.subarray(this.#start, this.#end);
    const decoded = chunked.decode(window);
    if (decoded === undefined) throw this.#broken();
    const { contentStart, contentEnd, consumed } = decoded;
    this.#start += consumed;
    if (chunked.done) this.#left = 0;
    return contentEnd === contentStart ? undefined : window.subarray(contentStart, contentEnd);
  }

  #finish(): void {
    // Bytes beyond the content belong to no request of ours, and behind half a request there is no next one.
    if (this.#start !== this.#end || !this.#written) this.#reusable = false;
    if (!this.#reusable) this.close();
  }

  /** Receives more behind what is there; 0 when the connection has ended. */
  async #fill(): Promise<number> {
    const resting = this.#resting;
    if (resting === undefined) {
      this.#makeRoom();
    } else {
      this.#resting = undefined;
      clearTimeout(this.#restLimit);
      this.#conn.ref();
    }
    const received = await (resting ?? this.#conn.read(this.#buffer.subarray(this.#end)));
    if (received === null) return 0;
    this.#end += received;
    return received;
  }

  /** Makes room behind what is there, moved to the beginning. Bytes that were handed out are overwritten. */
  #makeRoom(): void {
    const held = this.#end - this.#start;
    const full = this.#end === this.#buffer.length && this.#buffer.length < maxBufferBytes;
    const target = full ? new Uint8Array(this.#buffer.length * 2) : this.#buffer;
    if (held > 0) target.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = target;
    this.#start = 0;
    this.#end = held;
  }

  async #write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      written += await this.#conn.write(written === 0 ? bytes : bytes.subarray(written));
    }
    this.#written = true;
  }

  #broken(): ConnectionBroken {
    this.close();
    return new ConnectionBroken("The connection to the upstream broke.");
  }
}

/** A handshake cannot be aborted; one that comes too late is closed. */
async function unlessAborted(connecting: Promise<Deno.TlsConn>, signal: AbortSignal): Promise<Deno.TlsConn> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  try {
    return await Promise.race([connecting, aborted]);
  } catch (error) {
    connecting.then((conn) => conn.close(), () => {});
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
