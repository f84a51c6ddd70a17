import assert from "node:assert/strict";
import { createFaultQueue } from "../../src/sandbox/fault_queue.ts";
import { streamBody } from "../../src/sandbox/stream_body.ts";
import type { StreamStep } from "../../src/sandbox/stream_steps.ts";

const OPTIONS = {
  frame: (event: string) => `${event};`,
  context: { hang: () => Promise.resolve() },
  signal: new AbortController().signal,
};

/** Steps that count how many were taken, and note when they are no longer wanted. */
function counted(
  total: number,
): { steps: Generator<StreamStep<string>>; taken: () => number; ended: () => boolean } {
  let taken = 0;
  let ended = false;
  function* walk(): Generator<StreamStep<string>> {
    try {
      for (; taken < total; taken++) yield { kind: "event", event: String(taken) };
    } finally {
      ended = true;
    }
  }
  return { steps: walk(), taken: () => taken, ended: () => ended };
}

Deno.test("streamBody() takes a step only when it is read, and none after it was cancelled", async () => {
  const { steps, taken, ended } = counted(100);
  const reader = streamBody(steps, OPTIONS).getReader();
  const first = await reader.read();
  assert.equal(new TextDecoder().decode(first.value), "0;");
  assert.ok(taken() <= 1);
  assert.ok(!ended());
  await reader.cancel();
  assert.ok(ended());
});

Deno.test("streamBody() cuts chunks at the given size whatever the frames", async () => {
  const chunks: string[] = [];
  for await (const chunk of streamBody(counted(4).steps, { ...OPTIONS, chunkBytes: 3 })) {
    chunks.push(new TextDecoder().decode(chunk));
  }
  assert.equal(chunks.join(""), "0;1;2;3;");
  assert.ok(chunks.every((chunk) => chunk.length <= 3));
});

Deno.test("streamBody() ends when the client leaves while it hangs", async () => {
  const leaving = new AbortController();
  const body = streamBody<string>([{ kind: "hang" }, { kind: "event", event: "late" }], {
    ...OPTIONS,
    context: createFaultQueue(),
    signal: leaving.signal,
  });
  const next = body.getReader().read();
  leaving.abort();
  assert.deepEqual(await next, { done: true, value: undefined });
});
