/**
 * How the relay waits for upstreams: retries, limits, keep-alives, and what a client that leaves stops.
 */
import assert from "node:assert/strict";
import { defaultStreamTiming } from "../../src/app/stream_timing.ts";
import { type Rig, startRig } from "../e2e/rig.ts";
import { ManualTimers } from "./manual_timers.ts";

const call = { upstream: "chatgpt", on: "call" } as const;

async function startPatientRig() {
  const timers = new ManualTimers();
  const rig = await startRig({ relay: { timers } });
  return { rig, timers, jwt: await rig.signIn("openai") };
}

function ask(
  { origin }: Rig,
  jwt: string,
  options: { stream: boolean; signal?: AbortSignal },
): Promise<Response> {
  return fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${jwt}` },
    body: JSON.stringify({
      model: "gpt-5.5",
      stream: options.stream,
      // Long enough that Deno notices a client that leaves only once an answer has begun.
      messages: [{ role: "user", content: `Count to 3. ${"x".repeat(400)}` }],
    }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** The pauses before the first and the second repetition, with their jitter. */
const firstPause = [100, 200] as const;
const secondPause = [400, 800] as const;

Deno.test("a passing failure is tried again, before the client has got a byte", async () => {
  const { rig, timers, jwt } = await startPatientRig();
  await using _rig = rig;
  rig.sandbox.control.addFault({ ...call, kind: { type: "status", status: 503 } });
  rig.sandbox.control.addFault({ ...call, kind: { type: "drop" } });
  const answered = ask(rig, jwt, { stream: true });
  await timers.fire(...firstPause);
  await timers.fire(...secondPause);
  const response = await answered;
  assert.equal(response.status, 200);
  assert.match(await response.text(), /data: \[DONE\]\n\n$/);
  assert.equal(rig.sandbox.control.requests(call).length, 3);
  assert.deepEqual(timers.delaysMs, [], "no timer is left");
});

Deno.test("limits, refusals and challenges are not tried again", async () => {
  const { rig, jwt } = await startPatientRig();
  await using _rig = rig;
  for (
    const kind of [
      { type: "status", status: 429 },
      { type: "status", status: 400, body: '{"detail":"No."}' },
      { type: "challenge" },
      { type: "status", status: 503, headers: { "retry-after": "30" } },
    ] as const
  ) {
    const before = rig.sandbox.control.requests(call).length;
    rig.sandbox.control.addFault({ ...call, kind });
    const response = await ask(rig, jwt, { stream: false });
    await response.body?.cancel();
    assert.ok(response.status >= 400);
    assert.equal(rig.sandbox.control.requests(call).length - before, 1, JSON.stringify(kind));
  }
});

Deno.test("a streamed call whose upstream is slow gets its headers and comments, then the answer", async () => {
  const { rig, timers, jwt } = await startPatientRig();
  await using _rig = rig;
  rig.sandbox.control.addFault({ ...call, kind: { type: "hang" } });
  const answered = ask(rig, jwt, { stream: true });
  await timers.fire(defaultStreamTiming.headersAfterMs);
  const response = await answered;
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader?.read())?.value, ": keep-alive\n\n");
  await timers.fire(defaultStreamTiming.keepAliveMs);
  assert.equal((await reader?.read())?.value, ": keep-alive\n\n");
  await rig.sandbox.control.waitForRequests(call, 1);
  rig.sandbox.control.release();
  let text = "";
  for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
    text += read.value;
  }
  assert.match(text, /data: \[DONE\]\n\n$/);
});

Deno.test("a refusal that comes after the headers is told in the stream", async () => {
  const { rig, timers, jwt } = await startPatientRig();
  await using _rig = rig;
  rig.sandbox.control.addFault({ ...call, kind: { type: "status", status: 503 }, times: 3 });
  const answered = ask(rig, jwt, { stream: true });
  await rig.sandbox.control.waitForRequests(call, 1);
  await timers.fire(defaultStreamTiming.headersAfterMs);
  const response = await answered;
  assert.equal(response.status, 200);
  await timers.fire(...firstPause);
  await timers.fire(...secondPause);
  const text = await response.text();
  assert.match(text, /^: keep-alive\n\ndata: \{"error":/);
  assert.ok(!text.includes("[DONE]") && !text.includes('finish_reason":"stop'), text);
});

Deno.test("a client that leaves before the first byte stops the upstream", async () => {
  const { rig, timers, jwt } = await startPatientRig();
  await using _rig = rig;
  rig.sandbox.control.addFault({ ...call, kind: { type: "hang" } });
  const client = new AbortController();
  const answered = ask(rig, jwt, { stream: true, signal: client.signal });
  await timers.fire(defaultStreamTiming.headersAfterMs);
  const response = await answered;
  await rig.sandbox.control.waitForRequests(call, 1);
  client.abort();
  await response.body?.cancel().catch(() => {});
  await rig.sandbox.control.waitForRequests({ ...call, end: "client_left" }, 1);
});

Deno.test("nothing is tried again after the client has left", async () => {
  const { rig, timers, jwt } = await startPatientRig();
  await using _rig = rig;
  rig.sandbox.control.addFault({ ...call, kind: { type: "status", status: 503 }, times: 3 });
  const client = new AbortController();
  const answered = ask(rig, jwt, { stream: true, signal: client.signal });
  await rig.sandbox.control.waitForRequests(call, 1);
  await timers.fire(defaultStreamTiming.headersAfterMs);
  const response = await answered;
  client.abort();
  await response.body?.cancel().catch(() => {});
  // The pause is given up when the relay notices: then no timer of it is left.
  while (timers.delaysMs.length > 0) await rig.poll("x".repeat(43));
  assert.equal(rig.sandbox.control.requests(call).length, 1);
});

Deno.test("an upstream that does not answer at all is 504", async () => {
  const { rig, timers, jwt } = await startPatientRig();
  await using _rig = rig;
  rig.sandbox.control.addFault({ ...call, kind: { type: "hang" } });
  const answered = ask(rig, jwt, { stream: false });
  await rig.sandbox.control.waitForRequests(call, 1);
  await timers.fire(defaultStreamTiming.firstByteLimitMs);
  const response = await answered;
  assert.equal(response.status, 504);
  assert.equal((await response.json()).error.code, "upstream_timeout");
  await rig.sandbox.control.waitForRequests({ ...call, end: "client_left" }, 1);
});

Deno.test("an upstream that falls silent in a stream is let go, and the client is told", async () => {
  const { rig, timers, jwt } = await startPatientRig();
  await using _rig = rig;
  rig.sandbox.control.addFault({ ...call, kind: { type: "stream_hang", afterPieces: 2 } });
  const response = await ask(rig, jwt, { stream: true });
  const text = response.text();
  const ticks = defaultStreamTiming.silenceLimitMs / defaultStreamTiming.keepAliveMs;
  while (timers.delaysMs.includes(defaultStreamTiming.keepAliveMs)) {
    await timers.fire(defaultStreamTiming.keepAliveMs);
    await rig.poll("x".repeat(43));
  }
  const told = await text;
  assert.match(told, /"code":"upstream_silent"/);
  assert.ok(told.split(": keep-alive").length - 1 >= ticks - 1, told);
  assert.ok(!told.includes("[DONE]"));
  await rig.sandbox.control.waitForRequests({ ...call, end: "client_left" }, 1);
});

Deno.test("an upstream that falls silent while a document is collected is 504, and let go", async () => {
  const { rig, timers, jwt } = await startPatientRig();
  await using _rig = rig;
  rig.sandbox.control.addFault({ ...call, kind: { type: "stream_hang", afterPieces: 2 } });
  const answered = ask(rig, jwt, { stream: false });
  await rig.sandbox.control.waitForRequests(call, 1);
  let response: Response | undefined;
  void answered.then((given) => response = given);
  while (response === undefined) {
    if (timers.delaysMs.includes(defaultStreamTiming.silenceLimitMs)) {
      await timers.fire(defaultStreamTiming.silenceLimitMs);
    }
    await rig.poll("x".repeat(43));
  }
  assert.equal(response.status, 504);
  assert.equal((await response.json()).error.code, "upstream_silent");
  await rig.sandbox.control.waitForRequests({ ...call, end: "client_left" }, 1);
});
