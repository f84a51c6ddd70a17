/**
 * Reading a request body without trusting it: no more bytes than allowed are ever held, whatever `Content-Length` says.
 *
 * @module
 */
import { isObject, type JsonObject } from "../wire/json.ts";

/** How reading a JSON body ended. */
export type JsonBody =
  /** `bytes` are the client's own, for passing on untouched. */
  | { readonly kind: "object"; readonly value: JsonObject; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "empty" }
  | { readonly kind: "too_large" }
  /** Not JSON, not an object, or cut; `message` is a sentence for the client. */
  | { readonly kind: "invalid"; readonly message: string };

/**
 * Reads the body as one JSON object.
 *
 * The `Content-Type` is not judged: several clients in the field send none. A body above `maxBytes` is not read to its
 * end; the rest of it is cancelled.
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<JsonBody> {
  const body = await readBytes(request, maxBytes);
  if (body.kind !== "bytes") return body;
  if (body.bytes.length === 0) return { kind: "empty" };
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
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) {
    await request.body?.cancel();
    return { kind: "too_large" };
  }
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.length;
      // Leaving the loop cancels the body.
      if (length > maxBytes) return { kind: "too_large" };
      chunks.push(chunk);
    }
  } catch {
    return { kind: "invalid", message: "The request body ended before it was complete." };
  }
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return { kind: "bytes", bytes: first };
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return { kind: "bytes", bytes };
}
