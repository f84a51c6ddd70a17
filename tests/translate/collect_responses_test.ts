import assert from "node:assert/strict";
import {
  collectResponses,
  createResponseCollector,
  judgeResponse,
} from "../../src/translate/collect_responses.ts";
import { everyCut, fixture, LINE_ENDS, streamOf } from "./replay.ts";

const LIMITS = { maxEventBytes: 1 << 20, maxStreamBytes: 1 << 24 };

Deno.test("collectResponses() rebuilds the output in the order of output_index when the end has none", async () => {
  const collected = await collectResponses(streamOf(fixture("responses_parallel_tools")), LIMITS);
  assert.equal(collected.kind, "response");
  const output = collected.response["output"] as { type: string; status?: string }[];
  assert.deepEqual(output.map((item) => item.type), [
    "reasoning",
    "message",
    "function_call",
    "function_call",
  ]);
  assert.ok(output.slice(1).every((item) => item.status === "completed"));
  assert.equal((output[0] as unknown as { encrypted_content: string }).encrypted_content, "gAAAB");
});

Deno.test("collectResponses() leaves an output alone that the end has", async () => {
  const collected = await collectResponses(streamOf(fixture("responses_rotating_ids")), LIMITS);
  assert.equal(collected.kind, "response");
  const output = collected.response["output"] as { call_id?: string }[];
  assert.deepEqual(output.map((item) => item.call_id), [undefined, "call_A", "call_B"]);
});

Deno.test("collectResponses() takes an incomplete response for an answer, with the text so far", async () => {
  for (const lineEnd of Object.values(LINE_ENDS)) {
    const collected = await collectResponses(streamOf(fixture("responses_incomplete", lineEnd)), LIMITS);
    assert.equal(collected.kind, "response");
    assert.equal(collected.status, "incomplete");
    assert.deepEqual(collected.response["output"], [{
      id: "msg_1",
      type: "message",
      status: "in_progress",
      role: "assistant",
      content: [{ type: "output_text", annotations: [], text: "Once upon a ti" }],
    }]);
  }
});

Deno.test("collectResponses() gives the same for every cut", async () => {
  const bytes = fixture("responses_custom_tool");
  const whole = await collectResponses(streamOf(bytes), LIMITS);
  for (const pieces of everyCut(bytes)) {
    assert.deepEqual(
      await collectResponses(streamOf(...pieces.map((piece) => piece.slice())), LIMITS),
      whole,
    );
  }
});

Deno.test("collectResponses() fails with the code and true status of a failed response", async () => {
  const collected = await collectResponses(streamOf(fixture("responses_failed")), LIMITS);
  assert.deepEqual(collected, {
    kind: "failed",
    error: {
      status: 429,
      type: "rate_limit_error",
      code: "rate_limit_exceeded",
      param: null,
      message: "Rate limit reached for gpt-5.5. Please try again in 11.054s.",
      retryAfterSeconds: 12,
    },
  });
});

Deno.test("collectResponses() fails with incomplete_stream wherever the stream ends early", async () => {
  const bytes = fixture("responses_refusal");
  for (let length = 0; length < bytes.length - 2; length++) {
    const collected = await collectResponses(streamOf(bytes.slice(0, length)), LIMITS);
    assert.equal(collected.kind, "failed");
    assert.equal(collected.error.code, "incomplete_stream");
  }
});

Deno.test("collectResponses() fails when the connection breaks, the stream is broken, or a limit is passed", async () => {
  const start = fixture("responses_text").slice(0, 600);
  let reads = 0;
  const breaking = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller): void {
      if (reads++ === 0) controller.enqueue(start);
      else controller.error(new TypeError("connection reset by 10.0.0.1"));
    },
  });
  const broken = streamOf(start, new TextEncoder().encode('\n\ndata: {"type":"respo\n\n'));
  const cases = [
    ["connection_lost", breaking, LIMITS],
    ["unreadable_stream", broken, LIMITS],
    ["event_too_large", streamOf(fixture("responses_text")), { ...LIMITS, maxStreamBytes: 500 }],
    ["event_too_large", streamOf(start.slice(0, 100), start.slice(100)), { ...LIMITS, maxEventBytes: 50 }],
  ] as const;
  for (const [code, stream, limits] of cases) {
    const collected = await collectResponses(stream, limits);
    assert.equal(collected.kind, "failed");
    assert.equal(collected.error.code, code);
    assert.ok(!collected.error.message.includes("10.0.0.1"));
  }
});

Deno.test("collectResponses() cancels what follows the end of the response", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller): void => controller.enqueue(fixture("responses_text")),
    cancel(): void {
      cancelled = true;
    },
  });
  const collected = await collectResponses(stream, LIMITS);
  assert.equal(collected.kind, "response");
  assert.equal(cancelled, true);
});

Deno.test("collectResponses() stops a silent upstream when the client leaves, whatever the signal does to it", async () => {
  for (const leaves of ["before", "while"]) {
    const controller = new AbortController();
    const reading = Promise.withResolvers<void>();
    const cancelled: unknown[] = [];
    const silent = new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(): Promise<void> {
        reading.resolve();
        return new Promise(() => {});
      },
      cancel: (reason): void => void cancelled.push(reason),
    }, { highWaterMark: 0 });
    const left = new Error("left");
    if (leaves === "before") controller.abort(left);
    const collected = collectResponses(silent, LIMITS, controller.signal);
    if (leaves === "while") {
      await reading.promise;
      controller.abort(left);
    }
    await assert.rejects(collected, left);
    assert.deepEqual(cancelled, [left]);
  }
});

Deno.test("collectResponses() rejects with the signal's reason when the client left", async () => {
  const controller = new AbortController();
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(stream): void {
      controller.abort(new Error("left"));
      stream.error(controller.signal.reason);
    },
  });
  await assert.rejects(collectResponses(stream, LIMITS, controller.signal), /left/);
});

const DOCUMENTS = [
  { name: "completed", document: { object: "response", status: "completed", output: [] }, kind: "response" },
  {
    name: "incomplete",
    document: { object: "response", status: "incomplete", output: [] },
    kind: "response",
  },
  {
    name: "failed",
    document: { object: "response", status: "failed", error: { code: "server_error", message: "M." } },
    kind: "failed",
  },
  { name: "cancelled", document: { object: "response", status: "cancelled", output: [] }, kind: "failed" },
  { name: "an error in a 200", document: { code: "rate_limit_exceeded", error: "M." }, kind: "failed" },
  { name: "something else", document: { hello: "world" }, kind: "failed" },
] as const;

for (const { name, document, kind } of DOCUMENTS) {
  Deno.test(`judgeResponse() says ${kind} of a document that is ${name}`, () => {
    assert.equal(judgeResponse(document).kind, kind);
  });
}

Deno.test("createResponseCollector() orders the output by output_index, not by arrival", () => {
  const collector = createResponseCollector();
  for (const index of [2, 0, 1]) {
    collector.push({
      type: "response.output_item.done",
      output_index: index,
      item: { type: "message", id: index },
    });
  }
  collector.push({ type: "response.completed", response: { status: "completed" } });
  assert.equal(collector.result?.kind, "response");
  const output = collector.result.response["output"] as { id: number }[];
  assert.deepEqual(output.map((item) => item.id), [0, 1, 2]);
});
