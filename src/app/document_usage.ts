/**
 * What a call used, as an answer in one document tells it.
 *
 * @module
 */
import { openBody, streamOf, type UpstreamBody } from "../wire/byte_source.ts";
import { type JsonObject, parseObject } from "../wire/json.ts";
import { readChatUsage, readResponsesUsage, type TokenUsage } from "../wire/token_usage.ts";
import type { ReportEnd } from "./request_trace.ts";

/** The usage of a document in any of the dialects; undefined when it tells none. */
export function documentUsage(document: JsonObject): TokenUsage | undefined {
  const usage = document["usage"];
  return readChatUsage(usage) ?? readResponsesUsage(usage);
}

/** The usage stands behind the answer itself: so much of a document's end is looked at, bytes. */
const tailBytes = 4 * 1024;

/**
 * The bytes of a document that goes to the client as it is. `report` is told how it ended, and what it says of its usage: it is
 * looked for in the last few KiB and the document is not parsed, because that would cost more than all else that is done
 * with it.
 */
export function watchDocument(
  body: Uint8Array<ArrayBuffer> | UpstreamBody,
  report: ReportEnd,
): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>> {
  if (body instanceof Uint8Array) {
    report({ end: "completed", usage: usageIn(body.subarray(-tailBytes)) });
    return body;
  }
  const source = openBody(body);
  let tail: Uint8Array = new Uint8Array();
  return streamOf({
    async read() {
      let bytes: Uint8Array<ArrayBuffer> | undefined;
      try {
        bytes = await source.read();
      } catch (error) {
        report({ end: "cut", reason: "connection_lost" });
        throw error;
      }
      if (bytes === undefined) report({ end: "completed", usage: usageIn(tail) });
      else tail = tailOf(tail, bytes);
      return bytes;
    },
    async cancel(reason) {
      report({ end: "cancelled" });
      await source.cancel(reason);
    },
  });
}

/** A copy, because the source uses its buffer again. */
function tailOf(before: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (chunk.length >= tailBytes) return chunk.slice(-tailBytes);
  const kept = before.subarray(-(tailBytes - chunk.length));
  const tail = new Uint8Array(kept.length + chunk.length);
  tail.set(kept);
  tail.set(chunk, kept.length);
  return tail;
}

/** Inside the text of an answer quotes are escaped, so that this is found as a member only. */
const usageMember = /"usage"\s*:\s*(?=\{)/g;

function usageIn(tail: Uint8Array): TokenUsage | undefined {
  const text = new TextDecoder().decode(tail);
  const last = [...text.matchAll(usageMember)].at(-1);
  if (last === undefined) return undefined;
  const start = last.index + last[0].length;
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === "{") depth++;
    else if (text[at] === "}" && --depth === 0) {
      const usage = parseObject(text.slice(start, at + 1));
      return usage === undefined ? undefined : documentUsage({ usage });
    }
  }
  return undefined;
}
