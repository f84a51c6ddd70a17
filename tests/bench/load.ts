/**
 * Clients of a relay: many calls at once, many streams at once, and many streams that are only held open. Every answer is
 * read to its end and judged, because a fast wrong answer is no answer.
 *
 * @module
 */

/** One kind of request, and where it goes. */
export interface LoadRequest {
  /** The whole URL. */
  readonly url: string;
  /** What it carries beside the content type. */
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON body. */
  readonly body: unknown;
  /** What a whole answer contains in its last event, or anywhere if it is a document. */
  readonly ending: string;
}

/** What clients of streams saw. */
export interface StreamsSeen {
  /** Events of text, of all streams. */
  readonly events: number;
  /** From the upstream's sending of an event to its arrival here, milliseconds; ascending, one per event. */
  readonly delaysMs: readonly number[];
}

/** Sends `calls` calls over `connections` connections, each of which sends its next call after an answer. */
export async function sendCalls(
  request: LoadRequest,
  options: { readonly connections: number; readonly calls: number },
  signal: AbortSignal,
): Promise<void> {
  let left = options.calls;
  await Promise.all(Array.from({ length: options.connections }, async () => {
    while (left-- > 0) {
      const text = await (await post(request, signal)).text();
      if (!text.includes(request.ending)) throw new Error(`${request.url} answered: ${text}`);
    }
  }));
}

/** The time that an event of the stub upstream carries as its text. */
const sendingTime = /"(?:delta|content)":"(\d+\.\d+)"/g;

/** Opens `streams` streams at once and reads them to their end. */
export async function readStreams(
  request: LoadRequest,
  options: { readonly streams: number },
  signal: AbortSignal,
): Promise<StreamsSeen> {
  const delaysMs: number[] = [];
  await Promise.all(Array.from({ length: options.streams }, async () => {
    const response = await post(request, signal);
    const decoder = new TextDecoder();
    let last = "";
    let open = "";
    for await (const chunk of response.body ?? []) {
      const nowMs = performance.timeOrigin + performance.now();
      // An event may be cut between two chunks.
      const text = open + decoder.decode(chunk, { stream: true });
      const end = text.lastIndexOf("\n\n") + 2;
      for (const [, sentMs] of text.slice(0, end).matchAll(sendingTime)) {
        delaysMs.push(nowMs - Number(sentMs));
      }
      open = text.slice(end);
      last = text;
    }
    if (!last.includes(request.ending)) throw new Error(`A stream of ${request.url} ended with: ${last}`);
  }));
  return { events: delaysMs.length, delaysMs: delaysMs.toSorted((one, other) => one - other) };
}

/** Opens `streams` streams, waits until each has brought something, and reads on until it is disposed of. */
export async function holdStreams(
  request: LoadRequest,
  options: { readonly streams: number },
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const readers: ReadableStreamDefaultReader<Uint8Array>[] = [];
  const ended: Promise<void>[] = [];
  await Promise.all(Array.from({ length: options.streams }, async () => {
    const reader = (await post(request, signal)).body?.getReader();
    if (reader === undefined || (await reader.read()).done) {
      throw new Error(`${request.url} streamed nothing.`);
    }
    readers.push(reader);
    ended.push(drain(reader));
  }));
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      for (const reader of readers) void reader.cancel();
      await Promise.all(ended);
    },
  };
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

async function post(request: LoadRequest, signal: AbortSignal): Promise<Response> {
  const response = await fetch(request.url, {
    method: "POST",
    headers: { ...request.headers, "content-type": "application/json" },
    body: JSON.stringify(request.body),
    signal,
  });
  if (response.status === 200) return response;
  throw new Error(`${request.url} answered ${response.status}: ${await response.text()}`);
}
