import assert from "node:assert/strict";
import { documentUsage, watchDocument } from "../../src/app/document_usage.ts";
import type { AnswerEnd } from "../../src/app/request_trace.ts";

const chatUsage = {
  prompt_tokens: 7,
  completion_tokens: 3,
  total_tokens: 10,
  prompt_tokens_details: { cached_tokens: 2 },
};
const responsesUsage = {
  input_tokens: 7,
  output_tokens: 3,
  output_tokens_details: { reasoning_tokens: 1 },
};

function chunksOf(text: string, size: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  }, { highWaterMark: 0 });
}

Deno.test("documentUsage() reads both spellings, and nothing where none is", () => {
  assert.equal(documentUsage({ usage: chatUsage })?.cachedTokens, 2);
  assert.equal(documentUsage({ usage: responsesUsage })?.reasoningTokens, 1);
  for (const usage of [undefined, null, {}, "7"]) assert.equal(documentUsage({ usage }), undefined);
});

Deno.test("watchDocument() passes a document on and finds its usage, in one piece and in many", async () => {
  const said = 'The word "usage": {"prompt_tokens": 1000, "completion_tokens": 1000} in a text.'.repeat(200);
  const documents = [
    { choices: [{ message: { content: said } }], usage: chatUsage, service_tier: "default" },
    {
      output: [{ content: [{ text: said }] }],
      usage: responsesUsage,
      user: "x".repeat(1000),
    },
  ];
  for (const document of documents) {
    const text = JSON.stringify(document);
    for (const size of [1, 5, 4095, 4096, 4097, 100_000]) {
      const ends: AnswerEnd[] = [];
      const body = watchDocument(chunksOf(text, size), (end) => void ends.push(end));
      assert.equal(await new Response(body).text(), text);
      assert.deepEqual(ends.map(({ end, usage }) => [end, usage?.inputTokens, usage?.outputTokens]), [[
        "completed",
        7,
        3,
      ]]);
    }
    const ends: AnswerEnd[] = [];
    const bytes = new TextEncoder().encode(text);
    assert.equal(watchDocument(bytes, (end) => void ends.push(end)), bytes);
    assert.equal(ends[0]?.usage?.inputTokens, 7);
  }
});

Deno.test("watchDocument() reports a document without usage, a broken one, and a client that leaves", async () => {
  const ends: AnswerEnd[] = [];
  const report = (end: AnswerEnd) => void ends.push(end);
  for (const text of ['{"choices":[]}', '{"usage":null}', '{"usage": {"prompt_tokens": 1', ""]) {
    await new Response(watchDocument(chunksOf(text, 8), report)).text();
    assert.deepEqual(ends.splice(0), [{ end: "completed", usage: undefined }], text);
  }
  const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: () => Promise.reject(new TypeError("The connection is lost.")),
  });
  await assert.rejects(new Response(watchDocument(broken, report)).text(), TypeError);
  assert.deepEqual(ends.splice(0), [{ end: "cut", reason: "connection_lost" }]);
  const left = watchDocument(chunksOf('{"choices":[]}', 2), report);
  assert.ok(left instanceof ReadableStream);
  await left.cancel();
  assert.deepEqual(ends, [{ end: "cancelled" }]);
});
