import assert from "node:assert/strict";
import { formatDuration, requestLimitHeaders } from "../../src/wire/rate_limit_headers.ts";

Deno.test("formatDuration() writes whole seconds, minutes and hours as OpenAI does", () => {
  const cases: readonly (readonly [number, string])[] = [
    [-5, "0s"],
    [0, "0s"],
    [0.2, "1s"],
    [59, "59s"],
    [60, "1m0s"],
    [360, "6m0s"],
    [3599.5, "1h0m0s"],
    [3725, "1h2m5s"],
    [5 * 86_400, "120h0m0s"],
  ];
  for (const [seconds, expected] of cases) assert.equal(formatDuration(seconds), expected, String(seconds));
});

Deno.test("requestLimitHeaders() says 0 only when nothing is left", () => {
  const cases: readonly (readonly [number, string])[] = [
    [88, "88"],
    [0.4, "1"],
    [99.7, "100"],
    [0, "0"],
    [-3, "0"],
  ];
  for (const [remaining, expected] of cases) {
    assert.deepEqual(requestLimitHeaders({ limit: 100, remaining, resetSeconds: undefined }), {
      "x-ratelimit-limit-requests": "100",
      "x-ratelimit-remaining-requests": expected,
    });
  }
});

Deno.test("requestLimitHeaders() tells the reset where it is known", () => {
  assert.equal(
    requestLimitHeaders({ limit: 1, remaining: 1, resetSeconds: 360 })["x-ratelimit-reset-requests"],
    "6m0s",
  );
});
