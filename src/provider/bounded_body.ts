/**
 * Reading a body whose length somebody else decides. A hostile or broken upstream must not be able to fill our memory
 * with an error page.
 *
 * @module
 */

import { openBody, type UpstreamBody } from "../wire/byte_source.ts";

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
export async function readBodyPrefix(body: UpstreamBody | null, maxBytes: number): Promise<BodyPrefix> {
  if (body === null) return { bytes: new Uint8Array(0), extent: "all" };
  const source = openBody(body);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    while (true) {
      const bytes = await source.read();
      if (bytes === undefined) return { bytes: join(chunks, length), extent: "all" };
      const room = maxBytes - length;
      // A copy, because the source uses its buffer again.
      chunks.push(bytes.slice(0, room));
      length += Math.min(bytes.byteLength, room);
      if (bytes.byteLength > room) {
        await source.cancel();
        return { bytes: join(chunks, length), extent: "longer" };
      }
    }
  } catch {
    return { bytes: join(chunks, length), extent: "broken" };
  }
}

/** As {@linkcode readBodyPrefix}, decoded as UTF-8 with replacement characters for what is not. */
export async function readTextPrefix(body: UpstreamBody | null, maxBytes: number): Promise<string> {
  return new TextDecoder().decode((await readBodyPrefix(body, maxBytes)).bytes);
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
