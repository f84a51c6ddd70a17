/**
 * What a file says about itself, as it is sealed.
 *
 * @module
 */
import { parseObject } from "../wire/json.ts";

/** What is sealed beside the content. */
export interface FileHead {
  readonly filename: string;
  readonly purpose: string;
  /** The size of the content. */
  readonly bytes: number;
  /** Of how many chunks the content is made; one at least. */
  readonly chunks: number;
}

/** The bytes to seal. */
export function encodeFileHead({ filename, purpose, bytes, chunks }: FileHead): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ v: 1, filename, purpose, bytes, chunks }));
}

/** Reads opened bytes; undefined when they are of another version. */
export function decodeFileHead(plaintext: Uint8Array): FileHead | undefined {
  const head = parseObject(new TextDecoder().decode(plaintext));
  if (head?.["v"] !== 1) return undefined;
  const { filename, purpose, bytes, chunks } = head;
  if (typeof filename !== "string" || typeof purpose !== "string") return undefined;
  if (typeof bytes !== "number" || typeof chunks !== "number") return undefined;
  return { filename, purpose, bytes, chunks };
}
