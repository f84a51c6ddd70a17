import assert from "node:assert/strict";
import { createHttpSender, type UpstreamAnswer } from "../../src/provider/http_sender.ts";
import { openBody } from "../../src/wire/byte_source.ts";
import {
  answering,
  CHUNKED,
  compressedAnswer,
  contentOf,
  DOCUMENT,
  LENGTH_2,
  ownSender,
  POST,
} from "./open_sender.ts";
import { startRawServer } from "./raw_server.ts";
import { noAbort } from "./stub_upstream.ts";

Deno.test("createHttpSender().send decodes deflate, and rejects a coding that it does not know", async () => {
  const deflated = await compressedAnswer("deflate");
  await using server = startRawServer(async (peer) => {
    await peer.request();
    await peer.say(peer.number === 1 ? deflated : deflated.replace(": deflate", ": br"));
    assert.equal(await peer.receive(), undefined);
  });
  {
    using sender = ownSender();
    assert.equal(await contentOf(await sender.send(server.origin, POST, noAbort())), DOCUMENT);
  }
  using sender = ownSender();
  await assert.rejects(sender.send(server.origin, POST, noAbort()), { name: "ConnectionBroken" });
});

Deno.test("createHttpSender().send uses a connection again when the answer leaves it usable, and only then", async () => {
  const answers: readonly (readonly [string, boolean])[] = [
    [LENGTH_2, true],
    [`${CHUNKED}2\r\n{}\r\n0\r\n\r\n`, true],
    ["HTTP/1.1 204 No Content\r\n\r\n", true],
    ["HTTP/1.1 429 Too Many Requests\r\ncontent-length: 2\r\n\r\n{}", true],
    ["HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}", true],
    ["HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", false],
    ["HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}", false],
    ["HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", false],
    // What is left over would be taken for the next answer.
    [`${LENGTH_2}${LENGTH_2}`, false],
    [`${CHUNKED}2\r\n{}\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n`, false],
    [`HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n{}`, false],
  ];
  for (const [text, reused] of answers) {
    await using server = startRawServer(answering(text));
    using sender = ownSender();
    for (let call = 0; call < 3; call++) await contentOf(await sender.send(server.origin, POST, noAbort()));
    assert.equal(server.connections, reused ? 1 : 3, text);
  }
});

Deno.test("createHttpSender().send takes a head of nearly 64 KiB, and no larger one", async () => {
  for (const [length, taken] of [[65_000, true], [65_536, false], [1_000_000, false]] as const) {
    const head = `HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx: ${"x".repeat(length)}\r\n\r\n`;
    await using server = startRawServer(answering(`${head}{}`));
    using sender = ownSender();
    const sent = sender.send(server.origin, POST, noAbort());
    if (taken) assert.equal(await contentOf(await sent), "{}");
    else await assert.rejects(sent, { name: "ConnectionBroken" });
  }
});

Deno.test("createHttpSender().send gives a connection to one request at a time", async () => {
  const waiting: (() => void)[] = [];
  const both = Promise.withResolvers<void>();
  await using server = startRawServer(async (peer) => {
    await peer.request();
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    if (waiting.length === 2) both.resolve();
    await promise;
    await peer.say(LENGTH_2);
    await peer.receive();
  });
  using sender = ownSender();
  const calls = [1, 2].map(async () => contentOf(await sender.send(server.origin, POST, noAbort())));
  await both.promise;
  for (const answer of waiting) answer();
  assert.deepEqual(await Promise.all(calls), ["{}", "{}"]);
  assert.equal(server.connections, 2);
});

Deno.test("createHttpSender().send does not use a connection again on which half of a request is", async () => {
  const ended = Promise.withResolvers<void>();
  await using server = startRawServer(async (peer) => {
    if (peer.number > 1) return await answering(LENGTH_2)(peer);
    // More than fits into both sockets' buffers stays where it is.
    await peer.receive();
    await peer.say("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno");
    await ended.promise;
  });
  using sender = ownSender();
  const content = new Uint8Array(50_000_000);
  const refused = await sender.send(server.origin, { ...POST, content }, noAbort());
  assert.deepEqual([refused.status, await contentOf(refused)], [401, "no"]);
  assert.equal(await contentOf(await sender.send(server.origin, POST, noAbort())), "{}");
  assert.equal(server.connections, 2);
  ended.resolve();
});

Deno.test("createHttpSender().send tells the answer of an upstream that refuses and ends before it has read all", async () => {
  await using server = startRawServer(async (peer) => {
    await peer.receive();
    await peer.say("HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno");
  });
  using sender = ownSender();
  const content = new Uint8Array(50_000_000);
  const refused = await sender.send(server.origin, { ...POST, content }, noAbort());
  assert.deepEqual([refused.status, await contentOf(refused)], [413, "no"]);
});

Deno.test("createHttpSender().send ends a connection on which bytes come that nobody asked for", async () => {
  const ended = Promise.withResolvers<void>();
  await using server = startRawServer(async (peer) => {
    await peer.request();
    await peer.say(LENGTH_2);
    if (peer.number > 1) return void await peer.receive();
    await read.promise;
    await peer.say("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
    assert.equal(await peer.receive(), undefined);
    ended.resolve();
  });
  const read = Promise.withResolvers<void>();
  using sender = ownSender();
  assert.equal(await contentOf(await sender.send(server.origin, POST, noAbort())), "{}");
  read.resolve();
  await ended.promise;
  assert.equal(await contentOf(await sender.send(server.origin, POST, noAbort())), "{}");
});

Deno.test("createHttpSender().send keeps 64 waiting connections at most", async () => {
  const calls = 70;
  const arrived = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let requests = 0;
  let ends = 0;
  await using server = startRawServer(async (peer) => {
    await peer.request();
    if (++requests === calls) arrived.resolve();
    await arrived.promise;
    await peer.say(LENGTH_2);
    assert.equal(await peer.receive(), undefined);
    if (++ends === calls - 64) ended.resolve();
  });
  using sender = ownSender();
  await Promise.all(
    Array.from({ length: calls }, async () => contentOf(await sender.send(server.origin, POST, noAbort()))),
  );
  await ended.promise;
  assert.equal(ends, calls - 64);
});

Deno.test("createHttpSender().send ends a connection that has waited for long, and opens another one", async () => {
  const original = globalThis.setTimeout;
  const limits: { readonly ms: number | undefined; readonly over: () => void }[] = [];
  await using server = startRawServer(answering(LENGTH_2));
  using sender = ownSender();
  globalThis.setTimeout = Object.assign((over: () => void, ms?: number) => {
    limits.push({ ms, over });
    return original(over, ms);
  }, original);
  try {
    await contentOf(await sender.send(server.origin, POST, noAbort()));
  } finally {
    globalThis.setTimeout = original;
  }
  const [limit] = limits.filter(({ ms }) => ms === 45_000);
  assert.ok(limit !== undefined);
  limit.over();
  // At once: the connection that has just been closed is not given to this request.
  assert.equal(await contentOf(await sender.send(server.origin, POST, noAbort())), "{}");
  assert.equal(server.connections, 2);
  // The limit is that of a rest that is over.
  limit.over();
  assert.equal(await contentOf(await sender.send(server.origin, POST, noAbort())), "{}");
  assert.equal(server.connections, 2);
});

Deno.test("close() of a sender ends what waits at once, and what is in use after its request", async () => {
  const ends: number[] = [];
  const gone = Promise.withResolvers<void>();
  await using server = startRawServer(async (peer) => {
    await peer.request();
    await peer.say(peer.number === 1 ? LENGTH_2 : `${CHUNKED}2\r\n{}\r\n`);
    if (peer.number === 2) {
      await gone.promise;
      await peer.say("0\r\n\r\n");
    }
    assert.equal(await peer.receive(), undefined);
    ends.push(peer.number);
    if (peer.number === 1) gone.resolve();
    if (ends.length === 2) all.resolve();
  });
  const all = Promise.withResolvers<void>();
  const sender = createHttpSender();
  const first = await sender.send(server.origin, POST, noAbort());
  const second = await sender.send(server.origin, POST, noAbort());
  await contentOf(first);
  sender.close();
  sender.close();
  assert.equal(await contentOf(second), "{}");
  await all.promise;
  assert.deepEqual(ends, [1, 2]);
});

Deno.test("createHttpSender().send leaves no listener on the signal, however the call ends", async () => {
  const outcomes: readonly (readonly [string, boolean, (answer: UpstreamAnswer) => Promise<unknown>])[] = [
    [LENGTH_2, false, contentOf],
    ["HTTP/1.1 204 No Content\r\n\r\n", false, contentOf],
    [LENGTH_2, false, async ({ body }) => await body?.cancel()],
    [CHUNKED, true, (answer) => contentOf(answer).catch(() => {})],
    ["nonsense\r\n\r\n", true, () => Promise.resolve()],
    [
      "HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\n{}",
      false,
      () => Promise.resolve(),
    ],
  ];
  for (const [text, thenEnd, use] of outcomes) {
    await using server = startRawServer(answering(text, thenEnd));
    using sender = ownSender();
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    Object.assign(signal, {
      addEventListener: (...listener: Parameters<typeof add>): void => (listeners++, add(...listener)),
      removeEventListener: (
        ...listener: Parameters<typeof remove>
      ): void => (listeners--, remove(...listener)),
    });
    await sender.send(server.origin, POST, signal).then(use, () => {});
    assert.ok(listeners <= 0, text);
  }
});

Deno.test("createHttpSender().send hands out bytes that stay as they are until the next read", async () => {
  const pieces = Array.from({ length: 40 }, (_, index) => `${index}:`.padEnd(5000, "abcdefgh"));
  await using server = startRawServer(async (peer) => {
    await peer.request();
    await peer.say(CHUNKED);
    for (const piece of pieces) await peer.say(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    await peer.say("0\r\n\r\n");
    await peer.receive();
  });
  using sender = ownSender();
  const { body } = await sender.send(server.origin, POST, noAbort());
  assert.ok(body !== null);
  const source = openBody(body);
  let text = "";
  for (let bytes; (bytes = await source.read()) !== undefined;) {
    const before = bytes.slice();
    // More arrives meanwhile.
    await new Promise((resolve) => setTimeout(resolve));
    assert.deepEqual(bytes, before);
    text += new TextDecoder().decode(bytes);
  }
  assert.equal(text, pieces.join(""));
});
