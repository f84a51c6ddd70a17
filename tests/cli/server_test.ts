import assert from "node:assert/strict";
import { realTimers } from "../../src/app/timers.ts";
import { listen, stopSignal } from "../../src/cli/server.ts";
import { Exited, recordingProcess } from "./recording_process.ts";

const local = { host: "127.0.0.1", port: 0 };

Deno.test("listen() names an origin at which it answers", async () => {
  const server = listen(local, () => new Response("here"));
  assert.match(server.origin, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(await (await fetch(server.origin)).text(), "here");
  assert.equal(await server.stop(1000), true);
});

Deno.test("listen() puts an IPv6 address into brackets", async () => {
  const server = listen({ host: "::1", port: 0 }, () => new Response("here"));
  assert.match(server.origin, /^http:\/\/\[::1\]:\d+$/);
  await server.stop(1000);
});

Deno.test("listen() throws AddrInUse when the port is taken", async () => {
  const server = listen(local, () => new Response("here"));
  const port = Number(new URL(server.origin).port);
  assert.throws(() => listen({ host: "127.0.0.1", port }, () => new Response()), Deno.errors.AddrInUse);
  await server.stop(1000);
});

Deno.test("stop() lets an answer in progress finish, and accepts no new connection meanwhile", async () => {
  const stopping = Promise.withResolvers<void>();
  const server = listen(local, () =>
    new Response(
      ReadableStream.from((async function* () {
        yield new TextEncoder().encode("first, ");
        await stopping.promise;
        yield new TextEncoder().encode("last");
      })()),
    ));
  const response = await fetch(server.origin);
  const stopped = server.stop(60_000);
  await assert.rejects(refusedConnection(server.origin));
  stopping.resolve();
  assert.equal(await response.text(), "first, last");
  assert.equal(await stopped, true);
});

Deno.test("stop() gives up on an endless answer after the grace time", async () => {
  const end = Promise.withResolvers<void>();
  const server = listen(local, () =>
    new Response(
      ReadableStream.from((async function* () {
        yield new TextEncoder().encode("first");
        await end.promise;
      })()),
    ));
  const response = await fetch(server.origin);
  assert.equal(await server.stop(1), false);
  end.resolve();
  assert.equal(await response.text(), "first");
});

Deno.test("stopSignal() resolves at the first signal, and the second ends the process with its code", async () => {
  for (const [second, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    let nowMs = 0;
    const process = recordingProcess({}, { clock: { now: () => nowMs, timers: realTimers } });
    const stop = stopSignal(process);
    process.signal("SIGTERM");
    assert.equal(await stop, "SIGTERM");
    nowMs = second === "SIGTERM" ? 1000 : 0;
    assert.throws(() => process.signal(second), (error) => error instanceof Exited && error.code === code);
  }
});

Deno.test("stopSignal() takes the same signal within a second for the first one", () => {
  let nowMs = 0;
  const process = recordingProcess({}, { clock: { now: () => nowMs, timers: realTimers } });
  void stopSignal(process);
  process.signal("SIGINT");
  nowMs = 999;
  process.signal("SIGINT");
});

/** Rejects when no new connection is accepted. A connection of its own, because fetch may reuse one. */
async function refusedConnection(origin: string): Promise<void> {
  const { hostname, port } = new URL(origin);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  connection.close();
}
