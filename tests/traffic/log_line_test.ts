import assert from "node:assert/strict";
import { createLogLines } from "../../src/traffic/log_line.ts";
import type { TrafficEvent } from "../../src/traffic/observe.ts";

const atMs = Date.UTC(2026, 10, 22, 9, 30, 0, 7);
const requestId = "req_01JD8Z0000ABCDEFGHJKMNPQRS";

function fieldsOf(event: TrafficEvent): Record<string, unknown> {
  const line = createLogLines()(event, atMs);
  assert.equal(line.indexOf("\n"), line.length - 1);
  return JSON.parse(line);
}

Deno.test("createLogLines() prints the moment of each line", () => {
  const print = createLogLines();
  const moments = [0, 1, 992, 993, 60_000, -1].map((ms) =>
    JSON.parse(print({ kind: "log_resumed", lost: 1 }, atMs + ms)).logged_at
  );
  assert.deepEqual(moments, [
    "2026-11-22T09:30:00.007Z",
    "2026-11-22T09:30:00.008Z",
    "2026-11-22T09:30:00.999Z",
    "2026-11-22T09:30:01.000Z",
    "2026-11-22T09:31:00.007Z",
    "2026-11-22T09:30:00.006Z",
  ]);
});

Deno.test("createLogLines() prints no member that the table does not name", () => {
  const careless = {
    kind: "request",
    requestId,
    method: "POST",
    route: "/v1/files",
    address: "192.0.2.7",
    authorization: "Bearer canary",
    body: { prompt: "canary" },
  } as const;
  assert.deepEqual(fieldsOf(careless), {
    logged_at: "2026-11-22T09:30:00.007Z",
    kind: "request",
    request_id: requestId,
    method: "POST",
    route: "/v1/files",
    address: "192.0.2.7",
  });
});

Deno.test("createLogLines() prints no value that its field may not have", () => {
  const canary = "The prompt of a canary";
  const asked = {
    kind: "upstream_request",
    requestId,
    provider: "xai",
    dialect: "chat",
    attempt: 1,
  } as const;
  for (
    const model of [
      canary,
      "eyJhbGciOiJIUzI1NiJ9.canary",
      "ghp_canary0000canary0000",
      "sk-canary000000000",
      "a".repeat(43),
      "two\nlines",
      "gpt?token=1",
    ]
  ) assert.equal(fieldsOf({ ...asked, model })["model"], "[unprintable]", model);
  for (const model of ["gpt-5.3-codex", "openai/gpt-5", "grok-4.5", ""]) {
    assert.equal(fieldsOf({ ...asked, model })["model"], model);
  }
  const request = { kind: "request", requestId, method: "GET", route: "/v1/*", address: "::1" } as const;
  assert.equal(fieldsOf({ ...request, method: "CANARYTOKEN" })["method"], "[unprintable]");
  assert.equal(fieldsOf({ ...request, requestId: canary })["request_id"], undefined);
  assert.equal(fieldsOf({ ...request, route: "/v1/models?canary" })["route"], undefined);
  assert.equal(fieldsOf({ ...request, address: "x".repeat(50) })["address"], "[unprintable]");
  const fault = {
    kind: "fault",
    route: "*",
    message: `Broken:\n Bearer ${canary} ghp_canary0000canary`,
  } as const;
  assert.equal(fieldsOf(fault)["message"], "Broken: [removed] prompt of a canary [removed]");
  const numbers = { kind: "response", requestId, route: "/", status: NaN, durationMs: 1.6 } as const;
  assert.deepEqual([fieldsOf(numbers)["status"], fieldsOf(numbers)["duration_ms"]], [undefined, 2]);
});

Deno.test("createLogLines() keeps every field of its event readable as JSON", () => {
  const fields = fieldsOf({
    kind: "fault",
    requestId,
    route: "/v1",
    message: 'A "quoted" \\ word \u2028 and \u0000.',
  });
  assert.equal(fields["message"], 'A "quoted" \\ word and .');
  assert.equal(fields["request_id"], requestId);
});
