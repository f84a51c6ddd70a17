import assert from "node:assert/strict";
import { createRequestLog } from "../../src/sandbox/request_log.ts";

function request(body: string, path = "/x") {
  return { upstream: "grok" as const, method: "POST", path, headers: {}, body, atMs: 0 };
}

Deno.test("createRequestLog() forgets the oldest requests above its bounds", () => {
  const log = createRequestLog({ maxRequests: 3, maxBodyCharacters: 10, maxTotalCharacters: 25 });
  for (const body of ["1", "2", "3", "4"]) log.add(request(body));
  assert.deepEqual(log.find({}).map((record) => record.body), ["2", "3", "4"]);
  for (let count = 0; count < 3; count++) log.add(request("x".repeat(50)));
  assert.deepEqual(log.find({}).map((record) => record.body.length), [10, 10]);
});

Deno.test("createRequestLog() wakes waiters when step and end become known", async () => {
  const log = createRequestLog();
  const record = log.add(request("a"));
  const seen: string[] = [];
  const byStep = log.wait({ on: "poll" }, 1).then(() => seen.push("step"));
  const byEnd = log.wait({ on: "poll", end: "sent" }, 1).then(() => seen.push("end"));
  record.on = "poll";
  await byStep;
  assert.deepEqual(seen, ["step"]);
  record.end = "sent";
  await byEnd;
  assert.deepEqual(JSON.parse(JSON.stringify(record)), { ...request("a"), on: "poll", end: "sent" });
});

Deno.test("createRequestLog() waits for as many as were asked for, or until the signal", async () => {
  const log = createRequestLog();
  const two = log.wait({ path: "/a" }, 2);
  log.add(request("1", "/a?q=1"));
  log.add(request("2", "/b"));
  log.add(request("3", "/a"));
  assert.deepEqual((await two).map((record) => record.body), ["1", "3"]);
  const stop = new AbortController();
  const never = log.wait({ path: "/c" }, 1, stop.signal);
  stop.abort(new Error("enough"));
  await assert.rejects(never, /enough/);
});
