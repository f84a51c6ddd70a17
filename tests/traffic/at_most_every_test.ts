import assert from "node:assert/strict";
import { atMostEvery } from "../../src/traffic/at_most_every.ts";

Deno.test("atMostEvery() tells the first of each interval, and goes on when the clock is set back", () => {
  let nowMs = 1_000_000;
  const told: string[] = [];
  const tell = atMostEvery(60_000, () => nowMs, (value: string) => void told.push(value));
  const moments = [["first", 0], ["too soon", 59_999], ["due", 1], ["too soon", 30_000], [
    "set back",
    -3_600_000,
  ], [
    "too soon",
    59_999,
  ]] as const;
  for (const [value, afterMs] of moments) {
    nowMs += afterMs;
    tell(value);
  }
  assert.deepEqual(told, ["first", "due", "set back"]);
});
