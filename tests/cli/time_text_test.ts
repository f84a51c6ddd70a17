import assert from "node:assert/strict";
import { duration, timeOf } from "../../src/cli/time_text.ts";

for (
  const [seconds, text] of [
    [0, "0 seconds"],
    [1, "1 second"],
    [59, "59 seconds"],
    [60, "1 minute"],
    [90, "90 seconds"],
    [600, "10 minutes"],
    [3600, "1 hour"],
    [5400, "90 minutes"],
    [172_800, "2 days"],
  ] as const
) {
  Deno.test(`duration() calls ${seconds} s "${text}"`, () => assert.equal(duration(seconds * 1000), text));
}

Deno.test("timeOf() tells day and time in UTC", () => {
  assert.equal(timeOf(Date.UTC(2026, 11, 6, 9, 30, 5, 999)), "2026-12-06 09:30:05");
});
