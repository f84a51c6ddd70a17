/**
 * Reading a request body piece by piece, with a bound on its size and on the time that the client may take.
 *
 * @module
 */

/** What a body may cost. */
export interface BodyLimits {
  /** The largest body, bytes. */
  readonly maxBytes: number;
  /**
   * A client that trickles is not waited for: each {@linkcode progressBytes} of the body, and what is left at its end, have
   * to arrive within this time, milliseconds. A large body over a slow line is no trickle.
   */
  readonly timeoutMs: number;
  /** Calls `run` once after `delayMs` unless the returned function is called before. */
  readonly after: (delayMs: number, run: () => void) => () => void;
}

/** What has to arrive within the timeout, bytes: 8.5 KiB/s with the default of 30 s. */
export const progressBytes: number = 256 * 1024;

/** How asking for the next piece ended. After anything but a piece the body is cancelled or over. */
export type BodyPiece =
  | { readonly kind: "piece"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "end" }
  /** Announced or read: more than `maxBytes`. */
  | { readonly kind: "too_large" }
  /** The client went, or its connection broke, before the body was complete. */
  | { readonly kind: "cut" }
  | { readonly kind: "timeout" };

/** A body that is being read. */
export interface BodyPieces {
  /** Waits for the next piece. */
  next(): Promise<BodyPiece>;
  /** Ends the reading. Needed when the body is left before its end; no effect afterwards. */
  cancel(): Promise<void>;
}

/** Begins to read. A request that announces more than `maxBytes` is not read at all. */
export function bodyPieces(request: Request, limits: BodyLimits): BodyPieces {
  return new TimedPieces(request, limits);
}

/** Whether the request announces a body of more than `maxBytes`. */
export function announcesMore(request: Request, maxBytes: number): boolean {
  const announced = request.headers.get("content-length");
  return announced !== null && Number(announced) > maxBytes;
}

class TimedPieces implements BodyPieces {
  readonly #limits: BodyLimits;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  readonly #announcesMore: boolean;
  #length = 0;
  #sinceProgress = 0;
  #stopTimer: () => void = () => {};
  #timedOut = false;

  constructor(request: Request, limits: BodyLimits) {
    this.#limits = limits;
    this.#announcesMore = announcesMore(request, limits.maxBytes);
    this.#reader = request.body?.getReader();
    this.#startTimer();
  }

  async next(): Promise<BodyPiece> {
    if (this.#announcesMore) return await this.#ended("too_large");
    let read: ReadableStreamReadResult<Uint8Array<ArrayBuffer>> | undefined;
    try {
      read = await this.#reader?.read();
    } catch {
      return await this.#ended(this.#timedOut ? "timeout" : "cut");
    }
    // Cancelling, which is how the timer ends the wait, looks like the end of the body.
    if (this.#timedOut) return { kind: "timeout" };
    if (read?.value === undefined) {
      this.#stopTimer();
      return { kind: "end" };
    }
    this.#length += read.value.length;
    if (this.#length > this.#limits.maxBytes) return await this.#ended("too_large");
    this.#sinceProgress += read.value.length;
    if (this.#sinceProgress >= progressBytes) this.#startTimer();
    return { kind: "piece", bytes: read.value };
  }

  async cancel(): Promise<void> {
    this.#stopTimer();
    // A body that has failed already cannot be cancelled, and need not be.
    await this.#reader?.cancel().catch(() => undefined);
  }

  async #ended(kind: "too_large" | "cut" | "timeout"): Promise<BodyPiece> {
    await this.cancel();
    return { kind };
  }

  #startTimer(): void {
    this.#stopTimer();
    this.#sinceProgress = 0;
    this.#stopTimer = this.#limits.after(this.#limits.timeoutMs, () => {
      this.#timedOut = true;
      void this.cancel();
    });
  }
}
