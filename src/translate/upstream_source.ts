/**
 * An upstream's event stream for a relayed answer, also of an upstream that has not answered yet.
 *
 * @module
 */
import { type ByteSource, openBody, type UpstreamBody } from "../wire/byte_source.ts";
import type { StreamFailure } from "./stream_failure.ts";

/** What the upstream answered in the end, for a stream that began before. */
export type LateUpstream =
  | { readonly kind: "stream"; readonly stream: UpstreamBody }
  | { readonly kind: "failed"; readonly failure: StreamFailure };

/** The upstream never came to a stream: a read rejects with it. Nobody but the pump sees it. */
export class NeverStreamed extends Error {
  override readonly name = "NeverStreamed";
  constructor(readonly failure: StreamFailure) {
    super("The upstream did not come to a stream.");
  }
}

/** Opens the upstream for reading. A late one that failed rejects its first read with {@linkcode NeverStreamed}. */
export function openUpstream(upstream: UpstreamBody | Promise<LateUpstream>): ByteSource {
  return upstream instanceof Promise ? openLate(upstream) : openBody(upstream);
}

/** The opener of `pending` stops the request itself when the client leaves; a stream that comes all the same is cancelled. */
function openLate(pending: Promise<LateUpstream>): ByteSource {
  let source: ByteSource | undefined;
  return {
    async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
      if (source === undefined) {
        const late = await pending;
        if (late.kind === "failed") throw new NeverStreamed(late.failure);
        source = openBody(late.stream);
      }
      return await source.read();
    },
    async cancel(reason): Promise<void> {
      if (source !== undefined) return await source.cancel(reason);
      pending.then((late) => late.kind === "stream" ? late.stream.cancel(reason) : undefined).catch(
        ignoreLateError,
      );
    },
  };
}

function ignoreLateError(): void {}
