import assert from "node:assert/strict";
import { createBrowserClient } from "../../../src/page/client/browser_client.ts";
import { RelayError } from "../../../src/page/client/relay_error.ts";
import { manualTimers } from "../manual_timers.ts";
import { chunk, events, json, type Reply } from "../stub_relay.ts";
import { clientTest, jwt } from "./client_bench.ts";

const chat = "POST /v1/chat/completions";

async function collect(stream: AsyncGenerator<string, string | undefined>) {
  const pieces: string[] = [];
  try {
    while (true) {
      const step = await stream.next();
      if (step.done === true) return { pieces, finishReason: step.value, error: undefined };
      pieces.push(step.value);
    }
  } catch (error) {
    return { pieces, finishReason: undefined, error };
  }
}

clientTest("chat() yields the text and returns the finish reason", async ({ relay, client, abort }) => {
  relay.on(
    chat,
    events(
      chunk({ role: "assistant", content: "" }),
      chunk({ content: "Gr\u00fc\u00dfe " }),
      chunk({ refusal: "no" }),
      chunk({}, "length"),
      JSON.stringify({ choices: [], usage: { total_tokens: 3 } }),
      "[DONE]",
    ),
  );
  const answer = await collect(client.chat(jwt, { model: "gpt-5.5", prompt: "Hi" }, abort.signal));
  assert.deepEqual(answer, { pieces: ["Gr\u00fc\u00dfe ", "no"], finishReason: "length", error: undefined });
  const [request] = relay.requests;
  assert.equal(request?.headers.get("authorization"), `Bearer ${jwt}`);
  assert.deepEqual(JSON.parse(request.body), {
    model: "gpt-5.5",
    stream: true,
    messages: [{ role: "user", content: "Hi" }],
  });
});

clientTest(
  "chat() reads a stream that is cut at every byte, with LF and with CRLF",
  async ({ relay, client, abort }) => {
    const text = `: keep-alive\n\ndata: ${chunk({ content: "\u20ac" })}\n\ndata: ${
      chunk({}, "stop")
    }\n\ndata: [DONE]\n\n`;
    for (const wire of [text, text.replaceAll("\n", "\r\n")]) {
      const bytes = new TextEncoder().encode(wire);
      relay.on(chat, () =>
        new Response(ReadableStream.from([...bytes].map((byte) => Uint8Array.of(byte))), {
          headers: { "content-type": "text/event-stream; charset=utf-8" },
        }));
      const answer = await collect(client.chat(jwt, { model: "m", prompt: "p" }, abort.signal));
      assert.deepEqual(answer, { pieces: ["\u20ac"], finishReason: "stop", error: undefined });
    }
  },
);

clientTest(
  "chat() throws after the text so far when the stream does not end well",
  async ({ relay, client, abort }) => {
    const first = chunk({ content: "Half" });
    const cases: [Reply, RegExp][] = [
      [events(first), /broke off before its end/],
      [events(first, chunk({}, "stop")), /broke off before its end/],
      [
        events(first, JSON.stringify({ error: { message: "Usage limit reached." } })),
        /^RelayError: Usage limit reached\.$/,
      ],
      [events(first, JSON.stringify({ error: null })), /reported an error/],
      [events(first, "{not json"), /cannot be read/],
    ];
    for (const [reply, expected] of cases) {
      relay.on(chat, reply);
      const { pieces, error } = await collect(client.chat(jwt, { model: "m", prompt: "p" }, abort.signal));
      assert.deepEqual(pieces, ["Half"]);
      assert(error instanceof RelayError);
      assert.match(String(error), expected);
    }
  },
);

Deno.test("chat() throws when the connection breaks in the middle", async () => {
  const pieces = [`data: ${chunk({ content: "Half" })}\n\n`];
  const body = new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.error(new TypeError("connection reset"));
      else controller.enqueue(new TextEncoder().encode(piece));
    },
  });
  const client = createBrowserClient({
    baseUrl: "http://relay.test",
    fetch: () => Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } })),
    schedule: manualTimers().schedule,
  });
  const signal = new AbortController().signal;
  const answer = await collect(client.chat(jwt, { model: "m", prompt: "p" }, signal));
  assert.deepEqual(answer.pieces, ["Half"]);
  assert(answer.error instanceof RelayError);
  assert.match(answer.error.message, /connection broke/);
});

clientTest("chat() throws when the relay refuses or does not stream", async ({ relay, client, abort }) => {
  const cases: [Reply, RegExp][] = [
    [json({ error: { message: "No such model.", code: "model_not_found" } }, 404), /No such model/],
    [json({ choices: [{ message: { content: "whole" } }] }), /cannot read/],
  ];
  for (const [reply, expected] of cases) {
    relay.on(chat, reply);
    const { pieces, error } = await collect(client.chat(jwt, { model: "m", prompt: "p" }, abort.signal));
    assert.deepEqual(pieces, []);
    assert.match(String(error), expected);
  }
});

clientTest(
  "chat() stops the relay's stream when the caller aborts or leaves the loop",
  async ({ relay, client }) => {
    for (const leave of ["abort", "return"]) {
      const cancelled = Promise.withResolvers<void>();
      relay.on(chat, () =>
        new Response(
          new ReadableStream({
            start: (controller) =>
              controller.enqueue(new TextEncoder().encode(`data: ${chunk({ content: "One" })}\n\n`)),
            cancel: () => cancelled.resolve(),
          }),
          { headers: { "content-type": "text/event-stream" } },
        ));
      const abort = new AbortController();
      const stream = client.chat(jwt, { model: "m", prompt: "p" }, abort.signal);
      assert.deepEqual(await stream.next(), { done: false, value: "One" });
      if (leave === "abort") {
        const next = stream.next();
        abort.abort();
        await assert.rejects(next, { name: "AbortError" });
      } else {
        await stream.return(undefined);
      }
      await cancelled.promise;
    }
  },
);
