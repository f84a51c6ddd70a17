import assert from "node:assert/strict";
import { plausibleWait, retryAfterSeconds } from "../../src/provider/retry_after.ts";
import { nowMs } from "./stub_upstream.ts";

Deno.test("retryAfterSeconds() reads seconds and HTTP dates, and nothing else", () => {
  const cases: readonly (readonly [string | null, number | undefined])[] = [
    [null, undefined],
    ["", undefined],
    ["0", 0],
    ["7", 7],
    ["1.2", 2],
    ["208800", 208_800],
    ["Sun, 22 Nov 2026 00:01:30 GMT", 90],
    ["Sat, 21 Nov 2026 00:00:00 GMT", 0],
    ["soon", undefined],
    ["99999999999", undefined],
  ];
  for (const [value, expected] of cases) {
    const headers = new Headers(value === null ? {} : { "retry-after": value });
    assert.equal(retryAfterSeconds(headers, nowMs), expected, String(value));
  }
});

Deno.test("plausibleWait() rounds up, stops at zero and refuses more than a month", () => {
  assert.equal(plausibleWait(11.054), 12);
  assert.equal(plausibleWait(-5), 0);
  assert.equal(plausibleWait(31 * 24 * 3600), 31 * 24 * 3600);
  assert.equal(plausibleWait(31 * 24 * 3600 + 1), undefined);
});
