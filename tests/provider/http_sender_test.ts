import assert from "node:assert/strict";
import {
  createHttpSender,
  type HttpSend,
  type OutgoingRequest,
  sendByFetch,
  type UpstreamAnswer,
} from "../../src/provider/http_sender.ts";
import { openBody } from "../../src/wire/byte_source.ts";
import { startDroppingServer } from "./dropping_server.ts";
import { type RawPeer, startRawServer } from "./raw_server.ts";
import { selfSignedCertificate } from "./self_signed.ts";
import { noAbort } from "./stub_upstream.ts";

/** A sender of its own for each test. */
interface OpenSender extends Disposable {
  readonly send: HttpSend;
}

function ownSender(): OpenSender {
  const sender = createHttpSender();
  return { send: sender.send, [Symbol.dispose]: () => sender.close() };
}

function fetchSender(): OpenSender {
  const client = Deno.createHttpClient({});
  return {
    send: sendByFetch((url, init) => fetch(url, { ...init, client })),
    [Symbol.dispose]: () => client.close(),
  };
}

const SENDERS = [["createHttpSender().send", ownSender], ["sendByFetch(fetch)", fetchSender]] as const;

const GET: OutgoingRequest = { method: "GET", headers: {} };
const POST: OutgoingRequest = {
  method: "POST",
  headers: { "content-type": "application/json" },
  content: new TextEncoder().encode('{"model":"m"}'),
};

const LENGTH_2 = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const CHUNKED = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

/** The content, one character for each byte. */
async function contentOf({ body }: UpstreamAnswer): Promise<string | null> {
  if (body === null) return null;
  const source = openBody(body);
  let text = "";
  for (;;) {
    const bytes = await source.read();
    if (bytes === undefined) return text;
    text += Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  }
}

/** A server that answers each request of each connection with the same bytes, and ends the connection if it is told to. */
function answering(answer: string, thenEnd = false): (peer: RawPeer) => Promise<void> {
  return async (peer) => {
    while (await peer.request() !== undefined) {
      await peer.say(answer);
      if (thenEnd) return;
    }
  };
}

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
    assert.match(
      received[1] ?? "",
      /\r\ncontent-type: application\/json\r\n[^]*\r\ncontent-length: 13\r\n[^]*\r\n\r\n\{"model":"m"\}$/i,
    );
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
      await assert.rejects(read(), undefined, text);
      // It does not become an end later.
      await assert.rejects(read(), undefined, text);
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
      `HTTP/1.1 200 OK\r\nx: ${"x".repeat(1_000_000)}\r\n\r\n`,
    ];
    for (const text of answers) {
      await using server = startRawServer(answering(text, true));
      using sender = open();
      await assert.rejects(sender.send(server.origin, POST, noAbort()), undefined, text.slice(0, 80));
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
    const left = Promise.withResolvers<void>();
    const controller = new AbortController();
    await using server = startRawServer(async (peer) => {
      await peer.receive();
      controller.abort("left");
      while (await peer.receive() !== undefined);
      left.resolve();
    });
    using sender = open();
    const sent = sender.send(server.origin.replace("http", "https"), POST, controller.signal);
    assert.equal(await sent.catch((error: unknown) => error), "left");
    await left.promise;
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
        await assert.rejects(source.read(), { name: "AbortError" });
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
    assert.equal(server.connections, 1);
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
    const document = `{"text":"${"x".repeat(50_000)}"}`;
    for (const coding of ["gzip", "deflate"] as const) {
      const compressed = await new Response(
        new Blob([document]).stream().pipeThrough(new CompressionStream(coding)),
      ).bytes();
      const bytes = Array.from(compressed, (byte) => String.fromCharCode(byte)).join("");
      const head =
        `HTTP/1.1 200 OK\r\ncontent-encoding: ${coding}\r\ncontent-length: ${bytes.length}\r\n\r\n`;
      {
        await using server = startRawServer(answering(head + bytes));
        using sender = open();
        assert.equal(await contentOf(await sender.send(server.origin, POST, noAbort())), document);
      }
      await using server = startRawServer(answering((head + bytes).slice(0, -20), true));
      using sender = open();
      const cut = await sender.send(server.origin, POST, noAbort());
      await assert.rejects(contentOf(cut));
    }
  });
}
