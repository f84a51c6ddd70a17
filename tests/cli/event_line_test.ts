import assert from "node:assert/strict";
import { eventLine } from "../../src/cli/event_line.ts";

const nowMs = Date.UTC(2026, 10, 22, 9, 30);

Deno.test("eventLine() gives the time, the kind and the fields in one line", () => {
  assert.equal(
    eventLine({ kind: "upstream_error", provider: "xai", status: 429, code: null }, nowMs),
    "2026-11-22T09:30:00.000Z upstream_error provider=xai status=429 code=null",
  );
});

Deno.test("eventLine() quotes a field that could fake another field or line", () => {
  assert.equal(
    eventLine({ kind: "fault", route: "/v1/models", message: 'a\nb=c "d"' }, nowMs),
    String.raw`2026-11-22T09:30:00.000Z fault route=/v1/models message="a\nb=c \"d\""`,
  );
  assert.match(eventLine({ kind: "fault", route: "", message: "x" }, nowMs), / route="" /);
});
