/**
 * Undoing the compression of a request body (RFC 9110 section 8.4) without letting it grow beyond a bound: a few hundred
 * bytes can stand for gigabytes.
 *
 * @module
 */
import type { ZlibOptions } from "node:zlib";

/** The codings that are understood, as a 415 tells them in `Accept-Encoding`. */
export const acceptedCodings = "gzip, deflate, br, zstd";

/** How decoding ended. */
export type Decoded =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  /** The decoded body would have more bytes than allowed; decoding stopped there. */
  | { readonly kind: "too_large" }
  /** The bytes are not in the coding that the request names, or are cut. */
  | { readonly kind: "corrupt" };

/** Decodes bytes, to `maxBytes` at most. */
export type Decode = (bytes: Uint8Array<ArrayBuffer>, maxBytes: number) => Promise<Decoded>;

/**
 * The decoder for a `Content-Encoding`; undefined when it names a coding that is not understood, or several. No coding at
 * all, and `identity`, decode to the bytes themselves.
 */
export function decoderFor(contentEncoding: string | null): Decode | undefined {
  const coding = (contentEncoding ?? "").trim().toLowerCase();
  return Object.hasOwn(decoders, coding) ? decoders[coding] : undefined;
}

type Zlib = typeof import("node:zlib");

/** The functions of node:zlib that stop at a bound. The streams of the web platform decode whatever one chunk holds. */
type Inflate = (
  zlib: Zlib,
  bytes: Uint8Array,
  options: ZlibOptions,
  done: (error: Error | null, bytes: Uint8Array) => void,
) => void;

const unchanged: Decode = (bytes) => Promise.resolve({ kind: "bytes", bytes });
const gunzip = bounded((zlib, ...rest) => zlib.gunzip(...rest));

const decoders: Readonly<Record<string, Decode>> = Object.freeze({
  "": unchanged,
  identity: unchanged,
  gzip: gunzip,
  "x-gzip": gunzip,
  deflate: bounded((zlib, ...rest) => zlib.inflate(...rest)),
  br: bounded((zlib, bytes, { maxOutputLength }, done) =>
    zlib.brotliDecompress(bytes, maxOutputLength === undefined ? {} : { maxOutputLength }, done)
  ),
  zstd: bounded((zlib, bytes, options, done) =>
    zlib.zstdDecompress(
      bytes,
      // Windows of more than 8 MB are not for HTTP (RFC 9659): each request would claim that much memory.
      { ...options, params: { [zlib.constants.ZSTD_d_windowLogMax]: 23 } },
      done,
    )
  ),
});

function bounded(inflate: Inflate): Decode {
  return async (bytes, maxBytes) => {
    // Loaded with the first compressed body: most relays never see one, and it costs start-up time and memory.
    const zlib = await import("node:zlib");
    const { promise, resolve } = Promise.withResolvers<Decoded>();
    inflate(zlib, bytes, { maxOutputLength: maxBytes }, (error, decoded) => {
      if (error === null) resolve({ kind: "bytes", bytes: new Uint8Array(decoded) });
      else resolve({ kind: isTooLarge(error) ? "too_large" : "corrupt" });
    });
    return await promise;
  };
}

function isTooLarge(error: Error): boolean {
  return "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
}
