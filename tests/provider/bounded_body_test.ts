import assert from "node:assert/strict";
import { readBodyPrefix, readTextPrefix } from "../../src/provider/bounded_body.ts";

Deno.test("readBodyPrefix() reads a body up to its end or the limit, whichever comes first", async () => {
  const all = await readBodyPrefix(new Response("12345").body, 5);
  assert.deepEqual([all.bytes.byteLength, all.extent], [5, "all"]);
  const longer = await readBodyPrefix(new Response("123456").body, 5);
  assert.deepEqual([new TextDecoder().decode(longer.bytes), longer.extent], ["12345", "longer"]);
  assert.deepEqual((await readBodyPrefix(new Response(null).body, 5)).extent, "all");
});

Deno.test("readBodyPrefix() cancels an endless body once the limit is reached", async () => {
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => controller.enqueue(new Uint8Array(1024)),
    cancel: () => {
      cancelled = true;
    },
  });
  const { bytes, extent } = await readBodyPrefix(new Response(endless).body, 10_000);
  assert.deepEqual([bytes.byteLength, extent, cancelled], [10_000, "longer", true]);
});

Deno.test("readTextPrefix() keeps what arrived before the connection broke", async () => {
  let sent = false;
  const broken = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      if (sent) controller.error(new Error("reset"));
      else controller.enqueue(new TextEncoder().encode("half"));
      sent = true;
    },
  });
  assert.equal(await readTextPrefix(new Response(broken).body, 100), "half");
});
