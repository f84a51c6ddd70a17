/**
 * Reading a request body without trusting it: no more bytes than allowed are ever held, whatever `Content-Length` says, and
 * nobody is waited for who sends them one by one.
 *
 * @module
 */
import { isObject, type JsonObject, nestsDeeper } from "../wire/json.ts";
import { announcesMore, type BodyLimits, bodyPieces, progressBytes } from "./body_pieces.ts";
import { decoderFor } from "./content_encoding.ts";

/** How reading a JSON body ended. */
export type JsonBody =
  /** `bytes` are the client's own, decompressed where it had compressed them, for passing on untouched. */
  | { readonly kind: "object"; readonly value: JsonObject; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "empty" }
  /** Before or after decompression. */
  | { readonly kind: "too_large" }
  /** It took longer than {@linkcode BodyLimits} allow. */
  | { readonly kind: "timeout" }
  /** Compressed in a way that is not understood. */
  | { readonly kind: "unknown_coding" }
  /** Not JSON, not an object, nested too deep, or cut; `message` is a sentence for the client. */
  | { readonly kind: "invalid"; readonly message: string };

/**
 * Reads the body as one JSON object.
 *
 * The `Content-Type` is not judged: several clients in the field send none. A body above `limits` is not read to its
 * end; the rest of it is cancelled. A compressed body may have at most `maxBytes` in either form.
 */
export async function readJsonBody(request: Request, limits: BodyLimits): Promise<JsonBody> {
  const decode = decoderFor(request.headers.get("content-encoding"));
  if (decode === undefined) {
    await request.body?.cancel();
    return { kind: "unknown_coding" };
  }
  const encoded = await readBytes(request, limits);
  if (encoded.kind !== "bytes") return encoded;
  if (encoded.bytes.length === 0) return { kind: "empty" };
  const body = await decode(encoded.bytes, limits.maxBytes);
  if (body.kind === "corrupt") {
    return {
      kind: "invalid",
      message: "The request body is not in the encoding that Content-Encoding names.",
    };
  }
  if (body.kind !== "bytes") return body;
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body.bytes));
  } catch {
    return { kind: "invalid", message: "The request body is not valid JSON." };
  }
  if (!isObject(value)) return { kind: "invalid", message: "The request body must be a JSON object." };
  if (nestsDeeper(value, maxDepth)) {
    return {
      kind: "invalid",
      message: `The request body nests objects and arrays more than ${maxDepth} levels deep.`,
    };
  }
  return { kind: "object", value, bytes: body.bytes };
}

/**
 * Parsing copes with any depth, and next to nothing that is done with the value afterwards does: beyond some 2 000 levels the
 * stack is exhausted. No request that means something comes near this.
 */
const maxDepth = 512;

/** Stateless without the `stream` option; `fatal` makes broken UTF-8 an error instead of replacement characters. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

type Bytes =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | Extract<JsonBody, { readonly kind: "too_large" | "timeout" | "invalid" }>;

async function readBytes(request: Request, limits: BodyLimits): Promise<Bytes> {
  if (announcesMore(request, limits.maxBytes)) {
    await request.body?.cancel();
    return { kind: "too_large" };
  }
  // The server that framed the request lets no more through than was announced (RFC 9112, section 6.3), and one read of
  // the whole costs half of what reading piece by piece does.
  const atOnce = request.headers.has("content-length") && !announcesMore(request, progressBytes);
  return await (atOnce ? readAtOnce : readPieces)(request, limits);
}

async function readAtOnce(request: Request, { timeoutMs, after }: BodyLimits): Promise<Bytes> {
  const { promise: late, resolve } = Promise.withResolvers<Bytes>();
  const stop = after(timeoutMs, () => resolve({ kind: "timeout" }));
  const whole = request.bytes().then(
    (bytes): Bytes => ({ kind: "bytes", bytes }),
    () => cut,
  );
  return await Promise.race([whole, late]).finally(stop);
}

async function readPieces(request: Request, limits: BodyLimits): Promise<Bytes> {
  const pieces = bodyPieces(request, limits);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const piece = await pieces.next();
    switch (piece.kind) {
      case "piece":
        chunks.push(piece.bytes);
        break;
      case "end":
        return { kind: "bytes", bytes: joined(chunks) };
      case "cut":
        return cut;
      case "too_large":
      case "timeout":
        return piece;
    }
  }
}

const cut: Bytes = Object.freeze({
  kind: "invalid",
  message: "The request body ended before it was complete.",
});

function joined(chunks: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
