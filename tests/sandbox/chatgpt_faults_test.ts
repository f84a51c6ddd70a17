import assert from "node:assert/strict";
import type { Fault } from "../../src/sandbox/contract.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import {
  askUserCode,
  callCodex,
  CLIENT_ID,
  codexBody,
  type Document,
  poll,
  postJson,
  readDocument,
  readEvents,
  signIn,
  withSandbox,
} from "./chatgpt_client.ts";

/** Calls the model once with a fault in the way. */
async function callWith(sandbox: Sandbox, kind: Fault["kind"], text = "count to 9"): Promise<Response> {
  const person = await signIn(sandbox);
  sandbox.control.addFault({ upstream: "chatgpt", on: "call", kind });
  return await callCodex(sandbox, person, codexBody(text));
}

function textOf(events: readonly Document[]): string {
  return events.filter((event) => event["type"] === "response.output_text.delta").map((event) =>
    event["delta"]
  )
    .join("");
}

Deno.test("a status fault answers with the upstream's typical body, or with the scripted one", () =>
  withSandbox(async (sandbox) => {
    const limited = await callWith(sandbox, { type: "status", status: 429 });
    assert.equal(limited.status, 429);
    assert.match(await limited.text(), /"type":"usage_limit_reached".*"resets_in_seconds":\d+/);
    const overloaded = await callWith(sandbox, { type: "status", status: 503 });
    assert.equal(await overloaded.text(), '{"error":{"code":"server_is_overloaded"}}');
    const empty = await callWith(sandbox, { type: "status", status: 404 });
    assert.equal(await empty.text(), "");
    const scripted = await callWith(sandbox, {
      type: "status",
      status: 418,
      body: "<b>no</b>",
      headers: { "content-type": "text/html", "retry-after": "7" },
    });
    assert.deepEqual([scripted.status, await scripted.text()], [418, "<b>no</b>"]);
    assert.equal(scripted.headers.get("retry-after"), "7");
  }));

Deno.test("a challenge fault answers with Cloudflare's page", () =>
  withSandbox(async (sandbox) => {
    const response = await callWith(sandbox, { type: "challenge" });
    assert.equal(response.status, 403);
    assert.equal(response.headers.get("cf-mitigated"), "challenge");
    assert.equal(response.headers.get("x-codex-plan-type"), null);
    assert.match(await response.text(), /Just a moment/);
  }));

Deno.test("a drop fault closes the connection without an answer, and strikes as often as it says", () =>
  withSandbox(async (sandbox) => {
    sandbox.control.addFault({ upstream: "chatgpt", on: "device", kind: { type: "drop" }, times: 2 });
    await assert.rejects(askUserCode(sandbox));
    assert.deepEqual(sandbox.control.faults().map((fault) => fault.times), [1]);
    await assert.rejects(askUserCode(sandbox));
    await askUserCode(sandbox);
    const records = await sandbox.control.waitForRequests({ on: "device", end: "dropped" }, 2);
    assert.equal(records.length, 2);
  }));

Deno.test("a slow_down fault answers one poll in a body that clients take for pending", () =>
  withSandbox(async (sandbox) => {
    const { id, userCode } = await askUserCode(sandbox);
    sandbox.control.approve(userCode, "ada");
    sandbox.control.addFault({ upstream: "chatgpt", on: "poll", kind: { type: "slow_down" } });
    const slowed = await poll(sandbox, id, userCode);
    assert.equal(slowed.status, 403);
    assert.match(await slowed.text(), /"code":"slow_down"/);
    assert.equal(sandbox.control.counters()["chatgpt.slowDowns"], 1);
  }));

Deno.test("a fault on a refresh leaves the refresh token good", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    sandbox.control.addFault({ upstream: "chatgpt", on: "refresh", kind: { type: "status", status: 502 } });
    const refresh = () =>
      postJson(`${sandbox.origin}/openai/auth/oauth/token`, {
        client_id: CLIENT_ID,
        grant_type: "refresh_token",
        refresh_token: person.refreshToken,
      });
    assert.equal((await refresh()).status, 502);
    assert.equal((await refresh()).status, 200);
  }));

Deno.test("stream faults that are told end the stream with their events after the given pieces", () =>
  withSandbox(async (sandbox) => {
    const expected = {
      stream_failed: ["response.failed"],
      stream_incomplete: ["response.incomplete"],
      stream_error_event: ["error", "response.failed"],
    } as const;
    for (const type of ["stream_failed", "stream_incomplete", "stream_error_event"] as const) {
      const events = readEvents(await (await callWith(sandbox, { type, afterPieces: 3 })).text());
      assert.equal(textOf(events), "1 2 3");
      const tail = events.slice(-expected[type].length).map((event) => event["type"]);
      assert.deepEqual(tail, expected[type]);
      assert.deepEqual(events.map((event) => event["sequence_number"]), events.map((_, index) => index));
    }
  }));

Deno.test("a stream fault strikes before the last event when the answer has fewer pieces", () =>
  withSandbox(async (sandbox) => {
    const kind = { type: "stream_failed", afterPieces: 1000 } as const;
    const events = readEvents(await (await callWith(sandbox, kind)).text());
    assert.equal(textOf(events), "1 2 3 4 5 6 7 8 9");
    assert.equal(events.at(-1)?.["type"], "response.failed");
    assert.ok(!events.some((event) => event["type"] === "response.completed"));
  }));

Deno.test("stream_cut breaks the connection, stream_eof ends it in order, both without a last event", () =>
  withSandbox(async (sandbox) => {
    const cut = await callWith(sandbox, { type: "stream_cut", afterPieces: 2 });
    await assert.rejects(cut.text());
    await sandbox.control.waitForRequests({ on: "call", end: "dropped" });
    const eof = readEvents(await (await callWith(sandbox, { type: "stream_eof", afterPieces: 2 })).text());
    assert.equal(textOf(eof), "1 2");
    assert.equal(eof.at(-1)?.["type"], "response.output_text.delta");
  }));

Deno.test("stream_garbage sends a frame that is no JSON and goes on", () =>
  withSandbox(async (sandbox) => {
    const text = await (await callWith(sandbox, { type: "stream_garbage", afterPieces: 2 })).text();
    const garbage = "data: {this is no JSON\n\n";
    assert.ok(text.includes(garbage));
    assert.equal(textOf(readEvents(text.replace(garbage, ""))), "1 2 3 4 5 6 7 8 9");
  }));

Deno.test("stream_hang falls silent until it is released", () =>
  withSandbox(async (sandbox) => {
    const response = await callWith(sandbox, { type: "stream_hang", afterPieces: 2 });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    assert.ok(reader);
    let text = "";
    while (!text.includes('"delta":" 2"')) text += (await reader.read()).value ?? "";
    const next = reader.read();
    // The silence itself cannot be awaited; that exactly one request hangs can.
    while (sandbox.control.release() === 0) await nextTurn();
    for (let chunk = await next; !chunk.done; chunk = await reader.read()) text += chunk.value;
    assert.equal(textOf(readEvents(text)), "1 2 3 4 5 6 7 8 9");
  }));

Deno.test("overload can come as the first event of a 200 stream, an error as JSON in a 200", () =>
  withSandbox(async (sandbox) => {
    const overloaded = await callWith(sandbox, { type: "overloaded_in_stream" });
    assert.equal(overloaded.status, 200);
    const events = readEvents(await overloaded.text());
    assert.equal(events.length, 1);
    assert.match(JSON.stringify(events[0]), /"type":"response.failed".*"code":"server_is_overloaded"/);
    const json = await callWith(sandbox, { type: "json_error_in_200" });
    assert.equal(json.status, 200);
    assert.equal(json.headers.get("content-type"), "application/json");
    assert.ok("error" in await readDocument(json));
  }));

Deno.test("a client that leaves is noticed before the answer, also after a large request", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    sandbox.control.addFault({ upstream: "chatgpt", on: "call", kind: { type: "hang" } });
    const leaving = new AbortController();
    const call = callCodex(sandbox, person, codexBody("x".repeat(100_000)), leaving.signal);
    await sandbox.control.waitForRequests({ on: "call" });
    leaving.abort();
    await assert.rejects(call);
    const [record] = await sandbox.control.waitForRequests({ on: "call", end: "client_left" });
    assert.ok((record?.body.length ?? 0) > 100_000);
  }));

Deno.test("a client that leaves in the middle of a stream is noticed", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    const leaving = new AbortController();
    const response = await callCodex(sandbox, person, codexBody("count to 100000"), leaving.signal);
    const reader = response.body?.getReader();
    await reader?.read();
    leaving.abort();
    await sandbox.control.waitForRequests({ on: "call", end: "client_left" });
  }));

Deno.test("switches put side events, odd chunks, huge events and the whole output into a stream", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    sandbox.control.setSwitches({
      chatgpt: { rateLimitsEvent: true, keepalive: true, chunkBytes: 7, terminalOutput: "filled" },
    });
    const response = await callCodex(sandbox, person, codexBody("count to 3"));
    const events = readEvents(await response.text());
    assert.deepEqual(
      events.map((event) => event["type"]).filter((type) => !String(type).startsWith("response.")),
      ["codex.rate_limits", "keepalive", "keepalive", "keepalive"],
    );
    assert.equal(events[0]?.["type"], "codex.rate_limits");
    assert.match(JSON.stringify(events.at(-1)), /"output":\[\{"id":"msg_.*"text":"1 2 3"/);

    const megabytes = 20 * 1024 * 1024;
    sandbox.control.setSwitches({ chatgpt: { chunkBytes: 0, hugeEventBytes: megabytes } });
    const huge = await (await callCodex(sandbox, person, codexBody("count to 3"))).text();
    assert.ok(huge.length > megabytes);
    assert.equal(textOf(readEvents(huge)), "1 2 3");
  }));

/** Resolves in a later turn of the event loop, so that sockets get their share. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
