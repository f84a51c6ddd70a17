/**
 * Finds where events end in the bytes of an event stream, without decoding them: what a pass-through needs in order to
 * send whole events only, so that an error event can follow at any moment.
 *
 * @module
 */

const LF = 10;
const CR = 13;

/** Cuts a byte stream after blank lines. */
export interface SseFramer {
  /**
   * Takes the next bytes and returns all bytes up to the end of the last whole event, or undefined when no event has
   * become whole. When nothing was held back, the result is a view into `chunk`: the bytes are the upstream's own.
   */
  push(chunk: Uint8Array): Uint8Array | undefined;
  /** What is held back: the bytes of the open event. */
  rest(): Uint8Array | undefined;
  /** How many bytes are held back. */
  readonly heldBytes: number;
}

/** Makes a framer. A CR that ends a piece counts as a whole line end; an LF that follows it is part of the same one. */
export function createSseFramer(): SseFramer {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  /** True when the bytes so far end in a line end, so that one more line end makes a blank line. */
  let lineStart = true;
  let afterCr = false;

  /** Index after the last blank line of `chunk`, or 0; carries the line state over to the next piece. */
  function lastBoundary(chunk: Uint8Array): number {
    let boundary = 0;
    let index = 0;
    while (index < chunk.length) {
      const byte = chunk[index];
      if (byte === LF && afterCr) {
        afterCr = false;
        // The pair's second half: what the CR ended has ended here.
        if (boundary === index && index > 0) boundary = index + 1;
        index++;
        continue;
      }
      afterCr = byte === CR;
      if (byte === LF || byte === CR) {
        if (lineStart) boundary = index + 1;
        lineStart = true;
        index++;
        continue;
      }
      lineStart = false;
      index = nextLineEnd(chunk, index + 1);
    }
    return boundary;
  }

  /** What {@linkcode lastBoundary} would find, without going through the piece: nearly every piece is one whole event. */
  function settled(length: number): number {
    lineStart = true;
    afterCr = false;
    return length;
  }

  function join(last: Uint8Array): Uint8Array {
    if (held.length === 0) return last;
    const joined = new Uint8Array(heldBytes + last.length);
    let offset = 0;
    for (const piece of [...held, last]) {
      joined.set(piece, offset);
      offset += piece.length;
    }
    held = [];
    heldBytes = 0;
    return joined;
  }

  return {
    push(chunk: Uint8Array): Uint8Array | undefined {
      const boundary = endsInBlankLine(chunk) ? settled(chunk.length) : lastBoundary(chunk);
      const whole = boundary === 0 ? undefined : join(chunk.subarray(0, boundary));
      if (boundary < chunk.length) {
        // A copy: the caller may reuse the buffer of the chunk.
        held.push(chunk.slice(boundary));
        heldBytes += chunk.length - boundary;
      }
      return whole;
    },
    rest(): Uint8Array | undefined {
      return heldBytes === 0 ? undefined : join(new Uint8Array(0));
    },
    get heldBytes(): number {
      return heldBytes;
    },
  };
}

/** Whether a piece ends in two LF: whatever line ends stand before, an event ends there. Others may end one too. */
export function endsInBlankLine(chunk: Uint8Array): boolean {
  return chunk[chunk.length - 1] === LF && chunk[chunk.length - 2] === LF;
}

function nextLineEnd(chunk: Uint8Array, from: number): number {
  const lf = chunk.indexOf(LF, from);
  const end = lf === -1 ? chunk.length : lf;
  const cr = chunk.subarray(from, end).indexOf(CR);
  return cr === -1 ? end : from + cr;
}
