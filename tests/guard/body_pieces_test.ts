import assert from "node:assert/strict";
import { readJsonBody } from "../../src/guard/body.ts";
import { type BodyLimits, type BodyPiece, bodyPieces, progressBytes } from "../../src/guard/body_pieces.ts";

Deno.test("next() gives the pieces of a body, then its end, and stops the timer", async () => {
  const timer = manualTimer();
  const pieces = bodyPieces(post(streamOf(["ab", "c"])), timer.limits(3));
  assert.deepEqual(await text(pieces.next()), "ab");
  assert.deepEqual(await text(pieces.next()), "c");
  assert.deepEqual(await pieces.next(), { kind: "end" });
  assert.equal(timer.running(), 0);
  assert.deepEqual(await bodyPieces(post(null), timer.limits(3)).next(), { kind: "end" });
});

Deno.test("next() refuses the byte that is one too many, and what announces more", async () => {
  const timer = manualTimer();
  const cancelled: string[] = [];
  const pieces = bodyPieces(post(streamOf(["abc", "d"], () => cancelled.push("read"))), timer.limits(3));
  await pieces.next();
  assert.deepEqual(await pieces.next(), { kind: "too_large" });
  const announced = new Request("http://x/", {
    method: "POST",
    body: streamOf(["a"], () => cancelled.push("announced")),
    headers: { "content-length": "4" },
  });
  assert.deepEqual(await bodyPieces(announced, timer.limits(3)).next(), { kind: "too_large" });
  assert.deepEqual(cancelled, ["read", "announced"]);
  assert.equal(timer.running(), 0);
});

Deno.test("next() tells a body that failed from one that ended", async () => {
  const timer = manualTimer();
  const broken = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.error(new Error("Connection reset."));
    },
  });
  assert.deepEqual(await bodyPieces(post(broken), timer.limits(3)).next(), { kind: "cut" });
  assert.equal(timer.running(), 0);
});

Deno.test("next() gives up a body that stands still, also one that has begun", async () => {
  const timer = manualTimer();
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("{"));
    },
    cancel() {
      cancelled = true;
    },
  });
  const pieces = bodyPieces(post(body), timer.limits(10));
  await pieces.next();
  const waiting = pieces.next();
  timer.fire();
  assert.deepEqual(await waiting, { kind: "timeout" });
  assert.ok(cancelled);
  assert.deepEqual(await pieces.next(), { kind: "timeout" });
});

Deno.test("the time begins anew with each 256 KiB, and with nothing less", async () => {
  const timer = manualTimer();
  const sizes = [progressBytes - 1, 1, 10];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const size = sizes.shift();
      if (size === undefined) controller.close();
      else controller.enqueue(new Uint8Array(size));
    },
  }, { highWaterMark: 0 });
  const pieces = bodyPieces(post(body), timer.limits(2 * progressBytes));
  const started: number[] = [];
  for (let piece: BodyPiece["kind"] = "piece"; piece === "piece";) {
    started.push(timer.started());
    piece = (await pieces.next()).kind;
  }
  assert.deepEqual(started, [1, 1, 2, 2]);
});

for (const [name, size] of [["a small body", 1_000], ["a large body", 2 * progressBytes]] as const) {
  Deno.test(`readJsonBody() gives up ${name} that trickles in, and serves on`, async () => {
    const timer = manualTimer();
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
      const body = await readJsonBody(request, timer.limits(1_000_000));
      return new Response(body.kind, { status: body.kind === "timeout" ? 408 : 200 });
    });
    const { port } = server.addr;
    {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      const head = `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${size}\r\n\r\n{"a":`;
      await connection.write(new TextEncoder().encode(head));
      await timer.waitStarted();
      timer.fire();
      const buffer = new Uint8Array(1_000);
      const length = await connection.read(buffer) ?? 0;
      assert.match(new TextDecoder().decode(buffer.subarray(0, length)), /^HTTP\/1\.1 408 /);
    }
    const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "{}" });
    assert.equal(await response.text(), "object");
    assert.equal(timer.running(), 0);
    await server.shutdown();
  });
}

/** A timer that runs out when the test says so. */
function manualTimer() {
  let running: (() => void)[] = [];
  let started = 0;
  const first = Promise.withResolvers<void>();
  return {
    limits: (maxBytes: number): BodyLimits => ({
      maxBytes,
      timeoutMs: 30_000,
      after(_delayMs, run) {
        running.push(run);
        started += 1;
        first.resolve();
        return () => {
          running = running.filter((other) => other !== run);
        };
      },
    }),
    running: () => running.length,
    started: () => started,
    waitStarted: () => first.promise,
    fire() {
      assert.equal(running.length, 1);
      running.pop()?.();
    },
  };
}

function post(body: BodyInit | null): Request {
  return new Request("http://x/", { method: "POST", body });
}

function streamOf(texts: readonly string[], onCancel: () => void = () => {}): ReadableStream<Uint8Array> {
  const left = [...texts];
  return new ReadableStream({
    pull(controller) {
      const next = left.shift();
      if (next === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(next));
    },
    cancel: onCancel,
  }, { highWaterMark: 0 });
}

async function text(piece: Promise<BodyPiece>): Promise<string> {
  const read = await piece;
  return read.kind === "piece" ? new TextDecoder().decode(read.bytes) : read.kind;
}
