/**
 * Reading a request body without trusting it: no more bytes than allowed are ever held, whatever `Content-Length` says.
 *
 * @module
 */
import { isObject, type JsonObject } from "../wire/json.ts";
import { decoderFor } from "./content_encoding.ts";

/** How reading a JSON body ended. */
export type JsonBody =
  /** `bytes` are the client's own, decompressed where it had compressed them, for passing on untouched. */
  | { readonly kind: "object"; readonly value: JsonObject; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "empty" }
  /** Before or after decompression. */
  | { readonly kind: "too_large" }
  /** Compressed in a way that is not understood. */
  | { readonly kind: "unknown_coding" }
  /** Not JSON, not an object, or cut; `message` is a sentence for the client. */
  | { readonly kind: "invalid"; readonly message: string };

/**
 * Reads the body as one JSON object.
 *
 * The `Content-Type` is not judged: several clients in the field send none. A body above `maxBytes` is not read to its
 * end; the rest of it is cancelled. A compressed body may have at most `maxBytes` in either form.
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<JsonBody> {
  const decode = decoderFor(request.headers.get("content-encoding"));
  if (decode === undefined) {
    await request.body?.cancel();
    return { kind: "unknown_coding" };
  }
  const encoded = await readBytes(request, maxBytes);
  if (encoded.kind !== "bytes") return encoded;
  if (encoded.bytes.length === 0) return { kind: "empty" };
  const body = await decode(encoded.bytes, maxBytes);
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
  return { kind: "object", value, bytes: body.bytes };
}

/** Stateless without the `stream` option; `fatal` makes broken UTF-8 an error instead of replacement characters. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

type Bytes =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "too_large" }
  | { readonly kind: "invalid"; readonly message: string };

async function readBytes(request: Request, maxBytes: number): Promise<Bytes> {
  const announced = request.headers.get("content-length");
  if (announced !== null && Number(announced) > maxBytes) {
    await request.body?.cancel();
    return { kind: "too_large" };
  }
  try {
    // The server that framed the request lets no more through than was announced (RFC 9112, section 6.3), and one read
    // of the whole costs half of what reading piece by piece does.
    const bytes = announced === null ? await readUnannounced(request, maxBytes) : await request.bytes();
    return bytes.length > maxBytes ? { kind: "too_large" } : { kind: "bytes", bytes };
  } catch {
    return { kind: "invalid", message: "The request body ended before it was complete." };
  }
}

/** The whole body, or its beginning, of more than `maxBytes`, when it is longer; the rest is cancelled. */
async function readUnannounced(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop cancels the body.
    if (length > maxBytes) break;
  }
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
