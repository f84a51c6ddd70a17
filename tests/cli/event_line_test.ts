import assert from "node:assert/strict";
import { eventLine } from "../../src/cli/event_line.ts";
import type { TrafficEvent } from "../../src/traffic/observe.ts";

const nowMs = Date.UTC(2026, 10, 22, 9, 30);
const requestId = "req_01JD8Z0000ABCDEFGHJKMNPQRS";

Deno.test("eventLine() gives the time, the kind and the fields in one line", () => {
  assert.equal(
    eventLine({
      ...{ kind: "upstream_error", requestId, provider: "xai", purpose: "call" },
      ...{ status: 429, code: null, durationMs: 12 },
    }, nowMs),
    "2026-11-22T09:30:00.000Z upstream_error request_id=req_01JD8Z0000ABCDEFGHJKMNPQRS " +
      "provider=xai purpose=call status=429 code=null duration_ms=12",
  );
});

Deno.test("eventLine() quotes a field that could fake another field or line", () => {
  assert.equal(
    eventLine({ kind: "fault", route: "/v1/models", message: 'a\nb=c "d"' }, nowMs),
    String.raw`2026-11-22T09:30:00.000Z fault route=/v1/models message="a b=c \"d\""`,
  );
  assert.match(eventLine({ kind: "fault", route: "", message: "x" }, nowMs) ?? "", / route="" /);
});

Deno.test("eventLine() says nothing of the ordinary course of traffic", () => {
  const ended = {
    kind: "answer_ended",
    requestId,
    provider: "xai",
    model: "grok-4.5",
    streamed: true,
    reason: null,
    durationMs: 1,
    inputTokens: 1,
    cachedTokens: 0,
    outputTokens: 1,
    reasoningTokens: 0,
  } as const;
  const quiet: TrafficEvent[] = [
    { kind: "request", requestId, method: "GET", route: "/v1/models", address: "::1" },
    { kind: "response", requestId, route: "/v1/models", status: 200, durationMs: 1 },
    { ...ended, end: "completed" },
    { ...ended, end: "cancelled" },
  ];
  for (const event of quiet) assert.equal(eventLine(event, nowMs), undefined, event.kind);
  assert.match(eventLine({ ...ended, end: "cut" }, nowMs) ?? "", / end=cut /);
});
