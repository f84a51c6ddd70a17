import assert from "node:assert/strict";
import { createRepairedChatReply } from "../../src/translate/chat_repair.ts";
import { createReplyOverChat, createResponsesReply } from "../../src/translate/chat_reply_to_responses.ts";
import { translateEvents } from "../../src/translate/event_reply.ts";
import { passThrough } from "../../src/translate/pass_through.ts";
import {
  type Liveness,
  relayStream,
  type StreamSummary,
  type StreamTranslator,
} from "../../src/translate/relay_stream.ts";
import { createChatReply } from "../../src/translate/responses_to_chat.ts";
import { watchChat } from "../../src/translate/watch_chat.ts";
import { watchResponses } from "../../src/translate/watch_responses.ts";
import { ownFailure } from "../../src/translate/stream_failure.ts";
import type { LateUpstream } from "../../src/translate/upstream_source.ts";
import { foldChat } from "./chat_fold.ts";
import { fixture, replay, streamOf } from "./replay.ts";

const LIMITS = { maxEventBytes: 1 << 20 };

const chatOptions = {
  id: "chatcmpl-test",
  model: "m",
  nowS: 1,
  legacyFunctions: false,
  includeUsage: true,
};

function chatReply(): StreamTranslator {
  return translateEvents(createChatReply(chatOptions), LIMITS);
}

interface Relayed {
  stream: ReadableStream<Uint8Array>;
  ends: StreamSummary[];
}

/** A time that stands still. */
const calm: Liveness = { repeat: () => () => {}, keepAliveMs: 1, silenceLimitMs: 1 };

function relay(
  upstream: ReadableStream<Uint8Array<ArrayBuffer>> | Promise<LateUpstream>,
  { translator = chatReply(), signal, liveness = calm }: {
    translator?: StreamTranslator;
    signal?: AbortSignal;
    liveness?: Liveness;
  } = {},
): Relayed {
  const ends: StreamSummary[] = [];
  const onEnd = (summary: StreamSummary): void => void ends.push(summary);
  const stream = relayStream({
    upstream,
    translator,
    liveness,
    onEnd,
    ...(signal === undefined ? {} : { signal }),
  });
  return { stream, ends };
}

/** A byte stream, as fetch bodies are; each piece is one read. */
function byteStreamOf(...pieces: Uint8Array<ArrayBuffer>[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  const waiting = [...pieces];
  return new ReadableStream({
    type: "bytes",
    pull(controller): void {
      const piece = waiting.shift();
      if (piece !== undefined) return controller.enqueue(piece.slice());
      controller.close();
      controller.byobRequest?.respond(0);
    },
  });
}

/** Cuts bytes into pieces of `size`. */
function piecesOf(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer>[] {
  return Array.from(
    { length: Math.ceil(bytes.length / size) },
    (_, index) => bytes.slice(index * size, (index + 1) * size),
  );
}

for (const [kind, open] of [["byte stream", byteStreamOf], ["default stream", streamOf]] as const) {
  Deno.test(`relayStream() translates a ${kind}, one chunk out for each chunk that makes text`, async () => {
    const bytes = fixture("responses_parallel_tools");
    const pieces = piecesOf(bytes, 97);
    const probe = chatReply();
    const speaking = pieces.filter((piece) => probe.chunk(piece) !== undefined).length;
    const { stream, ends } = relay(open(...pieces));
    const chunks = await Array.fromAsync(stream);
    assert.equal(chunks.length, speaking);
    assert.equal(await new Blob(chunks as BlobPart[]).text(), replay(chatReply(), [bytes]));
    assert.equal(ends.length, 1);
    assert.equal(ends[0]?.end, "completed");
    assert.equal(ends[0]?.usage?.totalTokens, 7575);
  });

  Deno.test(`relayStream() passes a ${kind} through byte for byte`, async () => {
    const bytes = fixture("chat_parallel_tools");
    const { stream, ends } = relay(open(...piecesOf(bytes, 97)), {
      translator: passThrough(watchChat(), LIMITS),
    });
    assert.deepEqual(new Uint8Array(await new Response(stream).arrayBuffer()), bytes);
    assert.deepEqual(ends.map(({ end }) => end), ["completed"]);
  });
}

Deno.test("relayStream() relays a fetch body over a real socket", async () => {
  const bytes = fixture("responses_text");
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response(streamOf(...piecesOf(bytes, 500))),
  );
  try {
    const response = await fetch(`http://127.0.0.1:${server.addr.port}/`);
    assert.ok(response.body);
    const { stream, ends } = relay(response.body);
    assert.equal(await new Response(stream).text(), replay(chatReply(), [bytes]));
    assert.deepEqual(ends.map(({ end }) => end), ["completed"]);
  } finally {
    await server.shutdown();
  }
});

Deno.test("relayStream() reads nothing ahead of the client", async () => {
  let reads = 0;
  const pieces = piecesOf(fixture("responses_text"), 200);
  const upstream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller): void {
      const piece = pieces[reads++];
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  }, { highWaterMark: 0 });
  const { stream } = relay(upstream, { translator: passThrough(watchChat(), LIMITS) });
  await Promise.resolve();
  assert.equal(reads, 0);
  const reader = stream.getReader();
  await reader.read();
  const afterOne = reads;
  // More turns than a greedy pump would need to read everything.
  for (let turn = 0; turn < 1000; turn++) await Promise.resolve();
  assert.equal(reads, afterOne);
  await reader.cancel();
});

Deno.test("relayStream() tells a cut upstream as an error and closes cleanly", async () => {
  const { stream, ends } = relay(byteStreamOf(fixture("responses_text").slice(0, 1500)));
  const folded = foldChat(await new Response(stream).text());
  assert.equal((folded.error as { code: string }).code, "incomplete_stream");
  assert.equal(folded.done, false);
  assert.deepEqual(ends.map(({ end, reason }) => [end, reason]), [["cut", "incomplete_stream"]]);
});

Deno.test("relayStream() gives the code of the failure that the upstream told", async (test) => {
  const told = 'data: {"type":"error","code":"usage_limit_reached","message":"Enough for today."}\n\n';
  const identity = { id: "resp_test", model: "m", nowS: 1 };
  const translators: Record<string, () => StreamTranslator> = {
    "translated to Chat": chatReply,
    "passed through as Responses": () =>
      passThrough(watchResponses({ identity, dropPrivateEvents: true, stableIds: false }), LIMITS),
    "passed through as Chat": () => passThrough(watchChat(), LIMITS),
    "repaired as Chat": () => translateEvents(createRepairedChatReply({ includeUsage: false }), LIMITS),
    "translated to Responses": () => translateEvents(createResponsesReply(identity), LIMITS),
    "translated from Chat over the hub": () =>
      translateEvents(createReplyOverChat(identity, createChatReply(chatOptions)), LIMITS),
  };
  const chatError = 'data: {"error":{"code":"usage_limit_reached","message":"Enough for today."}}\n\n';
  for (const [name, translator] of Object.entries(translators)) {
    await test.step(name, async () => {
      const readsResponses = name === "translated to Chat" || name === "passed through as Responses";
      const bytes = new TextEncoder().encode(readsResponses ? told : chatError);
      const { stream, ends } = relay(byteStreamOf(bytes), { translator: translator() });
      await new Response(stream).text();
      assert.deepEqual(ends.map(({ reason }) => reason), ["usage_limit_reached"]);
    });
  }
});

Deno.test("relayStream() tells a broken connection without its reason", async () => {
  let reads = 0;
  const upstream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller): void {
      if (reads++ === 0) controller.enqueue(fixture("responses_text").slice(0, 1500));
      else controller.error(new TypeError("connection to 10.0.0.1 reset: canary"));
    },
  });
  const { stream, ends } = relay(upstream);
  const text = await new Response(stream).text();
  assert.equal((foldChat(text).error as { code: string }).code, "connection_lost");
  assert.ok(!text.includes("canary"));
  assert.deepEqual(ends.map(({ end }) => end), ["cut"]);
});

Deno.test("relayStream() ends and cancels the upstream once it has told a failure", async () => {
  let cancelled = false;
  const upstream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller): void => controller.enqueue(fixture("responses_failed")),
    cancel(): void {
      cancelled = true;
    },
  });
  const { stream, ends } = relay(upstream);
  const folded = foldChat(await new Response(stream).text());
  assert.equal((folded.error as { code: string }).code, "rate_limit_exceeded");
  assert.equal(cancelled, true);
  assert.deepEqual(ends.map(({ end }) => end), ["failed"]);
});

Deno.test("relayStream() cancels the upstream with the client's reason, also while a read is under way", async () => {
  for (const type of ["bytes", undefined] as const) {
    const reasons: unknown[] = [];
    let started = (): void => {};
    const reading = new Promise<void>((resolve) => started = resolve);
    const source: UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> = {
      pull(): Promise<void> {
        started();
        return new Promise(() => {});
      },
      cancel: (reason): void => void reasons.push(reason),
    };
    const upstream = type === undefined
      ? new ReadableStream<Uint8Array<ArrayBuffer>>(source, { highWaterMark: 0 })
      : new ReadableStream({
        type,
        pull: (): Promise<void> => Promise.resolve(source.pull?.({} as never)),
        cancel: source.cancel!,
      });
    const { stream, ends } = relay(upstream as ReadableStream<Uint8Array<ArrayBuffer>>);
    const reader = stream.getReader();
    const pending = reader.read();
    await reading;
    await reader.cancel("left");
    assert.deepEqual(await pending, { value: undefined, done: true });
    assert.deepEqual(reasons, ["left"]);
    assert.deepEqual(ends, [{ end: "cancelled", usage: undefined }]);
  }
});

Deno.test("relayStream() counts an upstream that breaks after the signal was aborted as cancelled", async () => {
  const controller = new AbortController();
  const upstream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(stream): void {
      controller.abort();
      stream.error(controller.signal.reason);
    },
  });
  const { stream, ends } = relay(upstream, { signal: controller.signal });
  await new Response(stream).text();
  assert.deepEqual(ends.map(({ end }) => end), ["cancelled"]);
});

Deno.test("relayStream() completes an answer whose connection breaks behind its end", async () => {
  let reads = 0;
  const upstream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller): void {
      if (reads++ === 0) controller.enqueue(fixture("responses_text"));
      else controller.error(new TypeError("reset"));
    },
  });
  const { stream, ends } = relay(upstream);
  const folded = foldChat(await new Response(stream).text());
  assert.equal(folded.done, true);
  assert.equal(folded.error, undefined);
  assert.deepEqual(ends.map(({ end }) => end), ["completed"]);
});

/** A time that the test moves tick by tick. */
function manualTime(): { liveness: Liveness; tick: () => Promise<void>; readonly stopped: boolean } {
  let onTick: (() => void) | undefined;
  return {
    liveness: {
      keepAliveMs: 1_000,
      silenceLimitMs: 3_000,
      repeat(_intervalMs, tick) {
        onTick = tick;
        return () => onTick = undefined;
      },
    },
    async tick(): Promise<void> {
      // The pump reads in the turns after the client's own read.
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      onTick?.();
    },
    get stopped() {
      return onTick === undefined;
    },
  };
}

const COMMENT = ": keep-alive\n\n";

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | undefined> {
  const { value } = await reader.read();
  return value === undefined ? undefined : new TextDecoder().decode(value);
}

Deno.test("relayStream() sends comments while the upstream is silent, and none while events flow", async () => {
  const time = manualTime();
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  const writer = writable.getWriter();
  const [first, second] = piecesOf(fixture("chat_parallel_tools"), 1 << 20);
  assert.ok(first !== undefined && second === undefined);
  const { stream, ends } = relay(readable, {
    translator: passThrough(watchChat(), LIMITS),
    liveness: time.liveness,
  });
  const reader = stream.getReader();
  const silent = reader.read();
  await time.tick();
  assert.equal(new TextDecoder().decode((await silent).value), COMMENT);
  const text = reader.read();
  void writer.write(first);
  assert.deepEqual((await text).value, first);
  // Nobody reads now: a comment would only pile up.
  await time.tick();
  await time.tick();
  await time.tick();
  const end = readText(reader);
  await writer.close();
  assert.equal(await end, undefined);
  assert.deepEqual(ends.map((summary) => summary.end), ["completed"]);
  assert.ok(time.stopped);
});

Deno.test("relayStream() fails an upstream that is silent for too long, and lets it go", async () => {
  const time = manualTime();
  let cancelled = false;
  const upstream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    cancel(): void {
      cancelled = true;
    },
  });
  const { stream, ends } = relay(upstream, { liveness: time.liveness });
  const reader = stream.getReader();
  for (let ticks = 0; ticks < 2; ticks++) {
    const comment = readText(reader);
    await time.tick();
    assert.equal(await comment, COMMENT);
  }
  const failure = readText(reader);
  await time.tick();
  assert.match(await failure ?? "", /"code":"upstream_silent"/);
  assert.equal(await readText(reader), undefined);
  assert.ok(cancelled);
  assert.ok(time.stopped);
  assert.deepEqual(ends.map((summary) => summary.end), ["cut"]);
});

Deno.test("relayStream() begins with a comment when the upstream has not answered yet", async () => {
  const bytes = fixture("responses_text");
  const answered = Promise.withResolvers<LateUpstream>();
  const { stream, ends } = relay(answered.promise);
  const reader = stream.getReader();
  assert.equal(await readText(reader), COMMENT);
  answered.resolve({ kind: "stream", stream: streamOf(bytes) });
  let text = "";
  for (let part = await readText(reader); part !== undefined; part = await readText(reader)) text += part;
  assert.equal(text, replay(chatReply(), [bytes]));
  assert.deepEqual(ends.map((summary) => summary.end), ["completed"]);
});

Deno.test("relayStream() tells a late refusal as an error event and never as an end", async () => {
  const refused = Promise.resolve<LateUpstream>({ kind: "failed", failure: ownFailure("connection_lost") });
  const { stream, ends } = relay(refused);
  const text = await new Response(stream).text();
  assert.match(text, /^: keep-alive\n\ndata: \{"error":/);
  assert.ok(!text.includes("[DONE]"));
  assert.deepEqual(ends.map((summary) => summary.end), ["cut"]);
});

Deno.test("relayStream() cancels a stream that comes after the client has left", async () => {
  const answered = Promise.withResolvers<LateUpstream>();
  const cancelled = Promise.withResolvers<void>();
  const { stream, ends } = relay(answered.promise);
  const reader = stream.getReader();
  await reader.read();
  await reader.cancel();
  answered.resolve({
    kind: "stream",
    stream: new ReadableStream({ cancel: () => cancelled.resolve() }),
  });
  await cancelled.promise;
  assert.deepEqual(ends.map((summary) => summary.end), ["cancelled"]);
});
