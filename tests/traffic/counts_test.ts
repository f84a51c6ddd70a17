import assert from "node:assert/strict";
import { createTrafficCounter } from "../../src/traffic/counts.ts";
import type { TrafficEvent } from "../../src/traffic/observe.ts";

const requestId = "req_01JD8Z0000ABCDEFGHJKMNPQRS";
const of = { requestId, route: "/v1/responses", address: "192.0.2.7" };

function answerEnded(provider: string, end: "completed" | "cut", inputTokens: number | null): TrafficEvent {
  return {
    ...{
      kind: "answer_ended",
      requestId,
      provider,
      model: "m",
      streamed: true,
      end,
      reason: null,
      durationMs: 1,
    },
    ...{ inputTokens, cachedTokens: 1, outputTokens: 3, reasoningTokens: 2 },
  };
}

Deno.test("createTrafficCounter() counts requests, refusals and the tokens of each provider", () => {
  const counter = createTrafficCounter(1000);
  const events: TrafficEvent[] = [
    { kind: "request", method: "POST", ...of },
    { kind: "request", method: "POST", ...of },
    { kind: "response", requestId, route: of.route, status: 200, durationMs: 1 },
    { kind: "response", requestId, route: of.route, status: 503, durationMs: 1 },
    { kind: "authentication_failed", ...of, reason: "missing", fingerprint: null, blocked: false },
    { kind: "rejected", ...of, code: "rate_limit_exceeded", retryAfterSeconds: 1 },
    { kind: "retry", requestId, provider: "xai", attempt: 2, pauseMs: 200 },
    {
      kind: "upstream_error",
      requestId,
      provider: "xai",
      purpose: "call",
      status: 503,
      code: null,
      durationMs: 1,
    },
    answerEnded("openai", "completed", 10),
    answerEnded("openai", "cut", null),
    answerEnded("github", "completed", 5),
    { kind: "fault", route: "*", message: "Broken." },
  ];
  const before = counter.read();
  for (const event of events) counter.observe(event);
  assert.deepEqual(counter.read(), {
    sinceMs: 1000,
    requests: 2,
    responses: { "1xx": 0, "2xx": 1, "3xx": 0, "4xx": 0, "5xx": 1 },
    failedAuthentications: 1,
    rejected: 1,
    retries: 1,
    ends: { completed: 2, failed: 0, cut: 1, cancelled: 0 },
    faults: 1,
    tokens: { input: 15, cached: 3, output: 9, reasoning: 6 },
    providers: {
      xai: { answers: 0, errors: 1, tokens: { input: 0, cached: 0, output: 0, reasoning: 0 } },
      openai: { answers: 2, errors: 0, tokens: { input: 10, cached: 2, output: 6, reasoning: 4 } },
      github: { answers: 1, errors: 0, tokens: { input: 5, cached: 1, output: 3, reasoning: 2 } },
    },
  });
  // What was read does not go on counting.
  assert.equal(before.requests, 0);
  assert.equal(before.tokens.input, 0);
});
