import assert from "node:assert/strict";
import { readJsonBody } from "../../src/guard/body.ts";
import type { BodyLimits } from "../../src/guard/body_pieces.ts";

function post(body: BodyInit | null, headers: HeadersInit = {}): Request {
  return new Request("http://relay.test/", { method: "POST", body, headers });
}

Deno.test("readJsonBody() reads an object and keeps the client's bytes", async () => {
  const text = ' {"b":1, "a":"\u00e4"}\n';
  const body = await readJsonBody(post(text), limits(100));
  assert.ok(body.kind === "object");
  assert.deepEqual(body.value, { b: 1, a: "\u00e4" });
  assert.equal(new TextDecoder().decode(body.bytes), text);
});

Deno.test("readJsonBody() tells what is wrong with other bodies", async () => {
  const cases: [BodyInit | null, string][] = [
    [null, "empty"],
    ["", "empty"],
    ["{", "invalid"],
    ["[]", "invalid"],
    ['"text"', "invalid"],
    ["null", "invalid"],
    ["<html>", "invalid"],
    [new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), "invalid"],
  ];
  for (const [bytes, kind] of cases) {
    assert.equal((await readJsonBody(post(bytes), limits(100))).kind, kind, String(bytes));
  }
});

Deno.test("readJsonBody() refuses a body that nests too deep for anything to be done with it", async () => {
  const nested = (levels: number) => `{"input":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;
  assert.equal((await readJsonBody(post(nested(512)), limits(100_000))).kind, "object");
  for (const levels of [513, 20_000]) {
    const body = await readJsonBody(post(nested(levels)), limits(100_000));
    assert.ok(body.kind === "invalid", String(levels));
    assert.match(body.message, /nests .* more than 512 levels deep\./);
  }
});

Deno.test("readJsonBody() accepts a body of exactly the limit and refuses one byte more", async () => {
  const text = JSON.stringify({ text: "x".repeat(50) });
  assert.equal((await readJsonBody(post(text), limits(text.length))).kind, "object");
  assert.equal((await readJsonBody(post(text), limits(text.length - 1))).kind, "too_large");
});

Deno.test("readJsonBody() stops reading an unannounced body at the limit", async () => {
  let pulled = 0;
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(1024));
    },
    cancel() {
      cancelled = true;
    },
  });
  assert.equal((await readJsonBody(post(endless), limits(10_000))).kind, "too_large");
  assert.ok(cancelled);
  assert.ok(pulled <= 13, `pulled ${pulled} chunks`);
});

Deno.test("readJsonBody() refuses an announced body without reading it", async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(1));
    },
  }, { highWaterMark: 0 });
  const request = post(body, { "content-length": "52428800" });
  assert.equal((await readJsonBody(request, limits(1_000))).kind, "too_large");
  assert.equal(pulled, 0);
});

Deno.test("readJsonBody() says that a body was cut", async () => {
  const cut = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"a":'));
      controller.error(new Error("Connection reset."));
    },
  });
  const body = await readJsonBody(post(cut), limits(100));
  assert.deepEqual(body, { kind: "invalid", message: "The request body ended before it was complete." });
});

/** A bound on size alone. */
function limits(maxBytes: number): BodyLimits {
  return { maxBytes, timeoutMs: 1, after: () => () => {} };
}
