import assert from "node:assert/strict";
import { type ByteSource, openBody, streamOf, withEnd } from "../../src/wire/byte_source.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** As many bytes as a body may well have, none of them like its neighbours. */
const LONG: Bytes = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 31 + (index >> 8)) & 0xff);

/** Both kinds of stream that a body may be; `type: "bytes"` is what fetch has. */
const KINDS = [
  ["a byte stream", (pieces: readonly Bytes[]): ReadableStream<Bytes> => byteStream(pieces)],
  ["a default stream", (pieces: readonly Bytes[]): ReadableStream<Bytes> => defaultStream(pieces)],
] as const;

function byteStream(pieces: readonly Bytes[]): ReadableStream<Bytes> {
  const waiting = pieces.map((piece) => piece.slice()).filter((piece) => piece.length > 0);
  return new ReadableStream({
    type: "bytes",
    pull(controller): void {
      const piece = waiting.shift();
      if (piece === undefined) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else controller.enqueue(piece);
    },
  });
}

function defaultStream(pieces: readonly Bytes[]): ReadableStream<Bytes> {
  return ReadableStream.from(pieces.map((piece) => piece.slice()));
}

/** All bytes; each piece is copied before the next read, as a source demands. */
async function readAll(source: ByteSource): Promise<number[]> {
  const all: number[] = [];
  for (;;) {
    const bytes = await source.read();
    if (bytes === undefined) return all;
    assert.ok(bytes.length > 0);
    all.push(...bytes);
  }
}

/** A source that fills one buffer again and again, and remembers what was asked of it. */
function oneBuffer(pieces: readonly string[], failure?: Error) {
  const buffer = new Uint8Array(16);
  const waiting = [...pieces];
  const log: unknown[] = [];
  const source: ByteSource = {
    read(): Promise<Bytes | undefined> {
      log.push("read");
      buffer.fill(0);
      const piece = waiting.shift();
      if (piece === undefined) {
        return failure === undefined ? Promise.resolve(undefined) : Promise.reject(failure);
      }
      return Promise.resolve(buffer.subarray(0, new TextEncoder().encodeInto(piece, buffer).written));
    },
    cancel(reason): Promise<void> {
      log.push(reason);
      return Promise.resolve();
    },
  };
  return { source, log };
}

for (const [kind, streamOfPieces] of KINDS) {
  Deno.test(`openBody() reads all bytes of ${kind} in order, and then its end again and again`, async () => {
    for (const pieces of [[], [LONG], [LONG.slice(0, 1), LONG.slice(1, 20_000), LONG.slice(20_000)]]) {
      const source = openBody(streamOfPieces(pieces));
      assert.deepEqual(await readAll(source), pieces.flatMap((piece) => [...piece]));
      assert.equal(await source.read(), undefined);
    }
  });
}

Deno.test("openBody() skips pieces without bytes", async () => {
  const empty = new Uint8Array(0);
  assert.deepEqual(
    await readAll(openBody(defaultStream([empty, LONG.slice(0, 3), empty]))),
    [...LONG.slice(0, 3)],
  );
});

Deno.test("openBody() reads the body of a real answer", async () => {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response(LONG));
  const response = await fetch(`http://127.0.0.1:${server.addr.port}`);
  assert.ok(response.body !== null);
  assert.deepEqual(await readAll(openBody(response.body)), [...LONG]);
  await server.shutdown();
});

Deno.test("openBody() leaves a source as it is", () => {
  const { source } = oneBuffer([]);
  assert.equal(openBody(source), source);
});

/** What both kinds of stream have in common. */
interface Handlers {
  start?(controller: { error(reason: unknown): void }): void;
  cancel?(reason: unknown): void;
}

for (const type of ["byte", "default"]) {
  const streamWith = (handlers: Handlers): ReadableStream<Bytes> =>
    type === "byte" ? new ReadableStream({ type: "bytes", ...handlers }) : new ReadableStream(handlers);

  Deno.test(`openBody() rejects when a ${type} stream breaks, and cancels it all the same`, async () => {
    const failure = new Error("reset");
    const source = openBody(streamWith({ start: (controller) => controller.error(failure) }));
    await assert.rejects(source.read(), failure);
    await assert.rejects(source.read());
    await source.cancel();
  });

  Deno.test(`openBody() passes the cancelling of a ${type} stream on with its reason`, async () => {
    const reasons: unknown[] = [];
    const source = openBody(streamWith({ cancel: (reason) => void reasons.push(reason) }));
    const reading = source.read();
    await source.cancel("enough");
    assert.deepEqual(reasons, ["enough"]);
    assert.equal(await reading, undefined);
    // There is nothing more, however often it is asked for.
    assert.deepEqual([await source.read(), await source.read()], [undefined, undefined]);
  });
}

Deno.test("streamOf() gives pieces that stay as they are while the source's buffer is used again", async () => {
  const { source } = oneBuffer(["one", "two", "three"]);
  const pieces = await Array.fromAsync(streamOf(source));
  assert.deepEqual(pieces.map((piece) => new TextDecoder().decode(piece)), ["one", "two", "three"]);
});

Deno.test("streamOf() reads only when it is read, and passes cancelling on", async () => {
  const { source, log } = oneBuffer(["one", "two"]);
  const reader = streamOf(source).getReader();
  assert.deepEqual(log, []);
  await reader.read();
  assert.deepEqual(log, ["read"]);
  await reader.cancel("enough");
  assert.deepEqual(log, ["read", "enough"]);
});

Deno.test("streamOf() breaks where its source does", async () => {
  const failure = new Error("reset");
  const reader = streamOf(oneBuffer(["one"], failure).source).getReader();
  assert.equal((await reader.read()).value?.length, 3);
  await assert.rejects(reader.read(), failure);
});

Deno.test("withEnd() tells once that the bytes have ended, broken off or are not wanted any more", async () => {
  const piece = new Uint8Array([1]);
  for (const way of ["ended", "broken", "cancelled"] as const) {
    const reads = [() => Promise.resolve(piece), () => {
      return way === "broken" ? Promise.reject(new Error("broken")) : Promise.resolve(undefined);
    }];
    let cancelled = 0;
    let ends = 0;
    const source = withEnd({
      read: () => reads.shift()?.() ?? Promise.resolve(undefined),
      cancel: () => Promise.resolve(void cancelled++),
    }, () => void ends++);
    assert.equal(await source.read(), piece);
    assert.equal(ends, 0, way);
    if (way === "ended") assert.equal(await source.read(), undefined);
    if (way === "broken") await assert.rejects(source.read(), /broken/);
    if (way === "cancelled") await source.cancel();
    assert.equal(ends, 1, way);
    await source.cancel();
    assert.equal(ends, 1, way);
    assert.equal(cancelled, way === "cancelled" ? 2 : 1);
  }
});
