import assert from "node:assert/strict";
import { createExpiringCache } from "../../src/provider/expiring_cache.ts";

Deno.test("get() tells fresh entries from those whose time is over", () => {
  let now = 1000;
  const cache = createExpiringCache<string>(2, () => now);
  cache.set("a", "A", 50);
  assert.deepEqual(cache.get("a"), { value: "A", fresh: true });
  now = 1050;
  assert.deepEqual(cache.get("a"), { value: "A", fresh: false });
  assert.equal(cache.get("b"), undefined);
});

Deno.test("set() pushes out the least recently used entry", () => {
  const cache = createExpiringCache<number>(2, () => 0);
  cache.set("a", 1, 10);
  cache.set("b", 2, 10);
  cache.get("a");
  cache.set("c", 3, 10);
  assert.deepEqual([cache.get("a")?.value, cache.get("b")?.value, cache.get("c")?.value], [1, undefined, 3]);
});
