/**
 * Reading a body whose length somebody else decides. A hostile or broken upstream must not be able to fill our memory
 * with an error page.
 *
 * @module
 */

/** The beginning of a body. */
export interface BodyPrefix {
  /** At most `maxBytes` bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** `all`: the body ended here. `longer`: more was to come. `broken`: the connection failed while reading. */
  readonly extent: "all" | "longer" | "broken";
}

/**
 * Reads at most `maxBytes` and cancels the rest, so that the connection is released in every case. Never rejects: a
 * connection that breaks, or that the caller aborts, yields what had arrived until then.
 */
export async function readBodyPrefix(response: Response, maxBytes: number): Promise<BodyPrefix> {
  if (response.body === null) return { bytes: new Uint8Array(0), extent: "all" };
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return { bytes: join(chunks, length), extent: "all" };
      const room = maxBytes - length;
      chunks.push(value.byteLength > room ? value.subarray(0, room) : value);
      length += Math.min(value.byteLength, room);
      if (value.byteLength > room) {
        await reader.cancel();
        return { bytes: join(chunks, length), extent: "longer" };
      }
    }
  } catch {
    return { bytes: join(chunks, length), extent: "broken" };
  }
}

/** As {@linkcode readBodyPrefix}, decoded as UTF-8 with replacement characters for what is not. */
export async function readTextPrefix(response: Response, maxBytes: number): Promise<string> {
  return new TextDecoder().decode((await readBodyPrefix(response, maxBytes)).bytes);
}

/** The chunks as one; `length` is the sum of theirs, bytes. */
export function join(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
