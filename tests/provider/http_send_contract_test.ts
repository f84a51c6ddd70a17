import assert from "node:assert/strict";
import type { OutgoingRequest } from "../../src/provider/http_sender.ts";
import { openBody } from "../../src/wire/byte_source.ts";
import { startDroppingServer } from "./dropping_server.ts";
import {
  answering,
  CHUNKED,
  compressedAnswer,
  contentOf,
  DOCUMENT,
  GET,
  LENGTH_2,
  POST,
  SENDERS,
} from "./open_sender.ts";
import { startRawServer } from "./raw_server.ts";
import { noAbort } from "./stub_upstream.ts";

for (const [name, open] of SENDERS) {
  Deno.test(`${name} sends a request once, with its line, fields and content`, async () => {
    const received: string[] = [];
    await using server = startRawServer(async (peer) => {
      for (let request; (request = await peer.request()) !== undefined;) {
        received.push(request);
        await peer.say(LENGTH_2);
      }
    });
    using sender = open();
    const long = new Uint8Array(1_000_000).fill(120);
    const requests: readonly OutgoingRequest[] = [
      { method: "GET", headers: { authorization: "Bearer canary", "x-latin": "\xe9" } },
      POST,
      { method: "POST", headers: {}, content: long },
      { method: "POST", headers: {} },
    ];
    for (const request of requests) {
      const answer = await sender.send(`${server.origin}/a%20b?q=1`, request, noAbort());
      assert.deepEqual([answer.status, await contentOf(answer)], [200, "{}"]);
    }
    assert.deepEqual(
      received.map((request) => request.slice(0, request.indexOf("\r\n"))),
      ["GET", "POST", "POST", "POST"].map((method) => `${method} /a%20b?q=1 HTTP/1.1`),
    );
    for (const request of received) {
      assert.ok(request.toLowerCase().includes(`\r\nhost: ${server.origin.slice("http://".length)}\r\n`));
    }
    assert.match(received[0] ?? "", /\r\nauthorization: Bearer canary\r\n/);
    assert.match(received[0] ?? "", /\r\nx-latin: \xe9\r\n/);
    assert.ok(received[0]?.endsWith("\r\n\r\n") && !/content-length/i.test(received[0]));
    assert.match(received[1] ?? "", /\r\ncontent-type: application\/json\r\n/i);
    assert.match(received[1] ?? "", /\r\ncontent-length: 13\r\n/i);
    assert.ok(received[1]?.endsWith('\r\n\r\n{"model":"m"}'));
    assert.ok(received[2]?.endsWith(`\r\n\r\n${"x".repeat(1_000_000)}`));
    assert.match(received[3] ?? "", /\r\ncontent-length: 0\r\n/i);
  });

  Deno.test(`${name} reads an answer in every framing`, async () => {
    const long = "x".repeat(100_000);
    const hex = (length: number): string => length.toString(16);
    const answers: readonly (readonly [string, number, string | null])[] = [
      ["HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", 200, "hello"],
      ["HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", 404, ""],
      [`HTTP/1.1 200 OK\r\ncontent-length: ${long.length}\r\n\r\n${long}`, 200, long],
      ["HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end"],
      ["HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "until the end"],
      [`${CHUNKED}5\r\nhello\r\n6;x=1\r\n world\r\n0\r\nt: 1\r\n\r\n`, 200, "hello world"],
      [`${CHUNKED}0\r\n\r\n`, 200, ""],
      [`${CHUNKED}${hex(long.length)}\r\n${long}\r\n5\r\nhello\r\n0\r\n\r\n`, 200, `${long}hello`],
      ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + LENGTH_2, 200, "{}"],
      ["HTTP/1.1 204 No Content\r\n\r\n", 204, null],
      ["HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", 304, null],
    ];
    for (const [text, status, content] of answers) {
      await using server = startRawServer(answering(text, true));
      using sender = open();
      const answer = await sender.send(server.origin, POST, noAbort());
      assert.deepEqual([answer.status, await contentOf(answer)], [status, content], text.slice(0, 80));
    }
  });

  Deno.test(`${name} reads an answer that comes byte by byte`, async () => {
    const text = `${CHUNKED.replace("OK", "OK\r\nx-a: 1")}5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`;
    await using server = startRawServer(async (peer) => {
      await peer.request();
      for (const character of text) await peer.say(character);
    });
    using sender = open();
    const answer = await sender.send(server.origin, POST, noAbort());
    assert.equal(answer.headers.get("x-a"), "1");
    assert.equal(await contentOf(answer), "hello!");
  });

  Deno.test(`${name} tells a cut from an end`, async () => {
    const whole = `${CHUNKED}5\r\nhello\r\n0\r\n\r\n`;
    const cuts = [
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
      ...Array.from(
        { length: whole.length - CHUNKED.length },
        (_, more) => whole.slice(0, CHUNKED.length + more),
      ),
      `${CHUNKED}5\r\nhelloX\r\n0\r\n\r\n`,
      `${CHUNKED}nonsense\r\n`,
    ];
    for (const text of cuts) {
      await using server = startRawServer(answering(text, true));
      using sender = open();
      const { body } = await sender.send(server.origin, POST, noAbort());
      assert.ok(body !== null);
      const source = openBody(body);
      const read = async (): Promise<void> => {
        while (await source.read() !== undefined);
      };
      await assert.rejects(read(), text);
      // It does not become an end later.
      await assert.rejects(read(), text);
      await source.cancel();
    }
  });

  Deno.test(`${name} rejects when there is no usable answer`, async () => {
    const answers = [
      "",
      "HTTP/1.1 200 OK\r\ncontent-le",
      "HTTP/1.1 100 Continue\r\n\r\n",
      "SSH-2.0-OpenSSH_9.9\r\n\r\n",
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
      "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    ];
    for (const text of answers) {
      await using server = startRawServer(answering(text, true));
      using sender = open();
      await assert.rejects(sender.send(server.origin, POST, noAbort()), text.slice(0, 80));
    }
  });

  Deno.test(`${name} rejects when nobody listens`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    using sender = open();
    await assert.rejects(sender.send(`http://127.0.0.1:${port}`, POST, noAbort()));
    await assert.rejects(sender.send(`https://127.0.0.1:${port}`, POST, noAbort()));
  });

  Deno.test(`${name} rejects a field that would be two, and sends nothing`, async () => {
    const received: (string | undefined)[] = [];
    await using server = startRawServer(async (peer) => void received.push(await peer.receive()));
    using sender = open();
    const headers = { "x-a": "1\r\n\r\nGET /smuggled HTTP/1.1" };
    await assert.rejects(sender.send(server.origin, { ...GET, headers }, noAbort()), TypeError);
    assert.deepEqual(received.filter((text) => text !== undefined), []);
  });

  Deno.test(`${name} follows no redirect`, async () => {
    await using server = startRawServer(
      answering("HTTP/1.1 307 Temporary Redirect\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n", true),
    );
    using sender = open();
    const answer = await sender.send(server.origin, POST, noAbort());
    assert.deepEqual([answer.status, answer.headers.get("location"), await contentOf(answer)], [
      307,
      "/other",
      "",
    ]);
    assert.equal(server.connections, 1);
  });

  Deno.test(`${name} never sends a request again when its connection ends without an answer`, async () => {
    await using server = startDroppingServer('{"model":"m"}');
    using sender = open();
    assert.equal(await contentOf(await sender.send(server.origin, POST, noAbort())), "{}");
    await assert.rejects(sender.send(server.origin, POST, noAbort()));
    assert.equal(server.requests, 2);
  });

  Deno.test(`${name} opens another connection when the one that waited has ended`, async () => {
    const ended = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await using server = startRawServer(async (peer) => {
      await peer.request();
      await peer.say(LENGTH_2 + (peer.number === 2 ? "left over" : ""));
      // Half of it: the client must close the other half.
      if (peer.number === 1) await peer.say("HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n");
      while (await peer.receive() !== undefined);
      ended[peer.number - 1]?.resolve();
    });
    using sender = open();
    for (const number of [1, 2]) {
      assert.equal(await contentOf(await sender.send(server.origin, POST, noAbort())), "{}");
      await ended[number - 1]?.promise;
    }
    assert.equal(server.connections, 2);
  });

  Deno.test(`${name} rejects with the reason of an abort, before it sends and while it waits`, async () => {
    const left = Promise.withResolvers<void>();
    const controller = new AbortController();
    const reason = new DOMException("late", "TimeoutError");
    await using server = startRawServer(async (peer) => {
      await peer.request();
      controller.abort(reason);
      assert.equal(await peer.receive(), undefined);
      left.resolve();
    });
    using sender = open();
    await assert.rejects(sender.send(server.origin, POST, controller.signal), reason);
    await left.promise;
    await assert.rejects(sender.send(server.origin, POST, controller.signal), reason);
    assert.equal(server.connections, 1);
  });

  Deno.test(`${name} rejects with the reason of an abort in the middle of a handshake`, async () => {
    const controller = new AbortController();
    const rejected = Promise.withResolvers<void>();
    await using server = startRawServer(async (peer) => {
      await peer.receive();
      controller.abort("left");
      // Deno closes such a connection when the other side does.
      await rejected.promise;
    });
    using sender = open();
    const sent = sender.send(server.origin.replace("http", "https"), POST, controller.signal);
    assert.equal(await sent.catch((error: unknown) => error), "left");
    rejected.resolve();
  });

  Deno.test(`${name} breaks the body off when the caller aborts, also what had arrived already`, async () => {
    for (const framing of [`${CHUNKED}5\r\nhello\r\n`, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello"]) {
      for (const pending of [true, false]) {
        const left = Promise.withResolvers<void>();
        await using server = startRawServer(async (peer) => {
          await peer.request();
          await peer.say(framing);
          while (await peer.receive() !== undefined);
          left.resolve();
        });
        using sender = open();
        const controller = new AbortController();
        const { body } = await sender.send(server.origin, POST, controller.signal);
        assert.ok(body !== null);
        const source = openBody(body);
        if (pending) await source.read();
        const reading = pending ? source.read() : undefined;
        reading?.catch(() => {});
        controller.abort(new DOMException("left", "AbortError"));
        await assert.rejects(reading ?? source.read(), { name: "AbortError" });
        await assert.rejects(source.read());
        await left.promise;
        await source.cancel();
      }
    }
  });

  Deno.test(`${name} leaves an answer alone that was read before the abort`, async () => {
    await using server = startRawServer(answering(LENGTH_2));
    using sender = open();
    const controller = new AbortController();
    assert.equal(await contentOf(await sender.send(server.origin, POST, controller.signal)), "{}");
    controller.abort();
    assert.equal(await contentOf(await sender.send(server.origin, POST, noAbort())), "{}");
  });

  Deno.test(`${name} stops the upstream when the body is cancelled, also before it was read`, async () => {
    for (const reads of [0, 1]) {
      const left = Promise.withResolvers<void>();
      await using server = startRawServer(async (peer) => {
        await peer.request();
        await peer.say(`${CHUNKED}5\r\nhello\r\n`);
        while (await peer.receive() !== undefined);
        left.resolve();
      });
      using sender = open();
      const { body } = await sender.send(server.origin, POST, noAbort());
      assert.ok(body !== null);
      const source = openBody(body);
      for (let read = 0; read < reads; read++) await source.read();
      await source.cancel("enough");
      await source.cancel("again");
      await left.promise;
    }
  });

  Deno.test(`${name} decodes an answer that is compressed although nobody asked`, async () => {
    const compressed = await compressedAnswer("gzip");
    {
      await using server = startRawServer(answering(compressed));
      using sender = open();
      assert.equal(await contentOf(await sender.send(server.origin, POST, noAbort())), DOCUMENT);
    }
    await using server = startRawServer(answering(compressed.slice(0, -20), true));
    using sender = open();
    const cut = await sender.send(server.origin, POST, noAbort());
    await assert.rejects(contentOf(cut));
  });
}
