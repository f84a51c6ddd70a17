import assert from "node:assert/strict";
import type { Fault } from "../../src/sandbox/contract.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import { call, proxyHeaders, signIn } from "./grok_client.ts";
import { at, documentsOf, joined, readEvents } from "./sse_reader.ts";

const START_MS = Date.UTC(2026, 10, 22, 12);
const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};

async function withSandbox(
  test: (sandbox: Sandbox, passSeconds: (seconds: number) => void) => Promise<void>,
  options: SandboxOptions = {},
): Promise<void> {
  let nowMs = START_MS;
  const sandbox = await startSandbox({ now: () => nowMs, ...options });
  try {
    await test(sandbox, (seconds) => nowMs += seconds * 1000);
  } finally {
    await sandbox.shutdown();
  }
}

function chat(model: string, text: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { model, messages: [{ role: "user", content: text }], ...more };
}

async function json(response: Response, status = 200): Promise<unknown> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  return JSON.parse(text);
}

Deno.test("createGrokApi() counts reasoning beside completion tokens in chat and inside output tokens in responses", () =>
  withSandbox(async (sandbox) => {
    const { accessToken } = await signIn(sandbox, "ada");
    const completion = await json(
      await call(sandbox, accessToken, "/chat/completions", chat("grok-3-mini", "Hi")),
    );
    assert.match(String(at(completion, "id")), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.equal(at(completion, "choices.0.finish_reason"), "stop");
    assert.match(String(at(completion, "choices.0.message.reasoning_content")), /\S/);
    const count = (name: string) => Number(at(completion, `usage.${name}`));
    const reasoning = count("completion_tokens_details.reasoning_tokens");
    assert.ok(reasoning > 0);
    assert.equal(count("total_tokens"), count("prompt_tokens") + count("completion_tokens") + reasoning);

    const body = { model: "grok-3-mini", input: "Hi" };
    const response = await json(await call(sandbox, accessToken, "/responses", body));
    const output = Number(at(response, "usage.output_tokens"));
    assert.equal(at(response, "usage.total_tokens"), Number(at(response, "usage.input_tokens")) + output);
    assert.equal(output, count("completion_tokens") + reasoning);
  }));

Deno.test("createGrokApi() streams chat as xAI does", () =>
  withSandbox(async (sandbox) => {
    const { accessToken } = await signIn(sandbox, "ada");
    const body = chat("grok-3-mini", "Hi", { stream: true, stream_options: { include_usage: true } });
    const response = await call(sandbox, accessToken, "/chat/completions", body);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.equal(response.headers.get("x-ratelimit-remaining-requests"), "8300");
    assert.equal(response.headers.get("x-grok-context-window"), "131072");
    const text = await response.text();
    assert.equal(readEvents(text).at(-1)?.data, "[DONE]");
    const chunks = documentsOf(text);
    assert.equal(at(chunks[0], "choices.0.delta.role"), "assistant");
    assert.match(String(at(chunks[0], "choices.0.delta.reasoning_content")), /\S/);
    assert.equal(at(chunks[0], "choices.0.finish_reason"), undefined);
    assert.match(joined(chunks, "choices.0.delta.content"), /Hi/);
    assert.equal(at(chunks.at(-2), "choices.0.finish_reason"), "stop");
    assert.deepEqual(at(chunks.at(-1), "choices"), []);
    assert.ok(Number(at(chunks.at(-1), "usage.total_tokens")) > 0);

    const bare = await call(
      sandbox,
      accessToken,
      "/chat/completions",
      chat("grok-3-mini", "Hi", { stream: true }),
    );
    assert.doesNotMatch(await bare.text(), /"usage"/);
  }));

Deno.test("createGrokApi() sends a tool call whole and takes its result", () =>
  withSandbox(async (sandbox) => {
    const { accessToken } = await signIn(sandbox, "ada");
    const ask = chat("grok-4.5", "Use get_weather please", { tools: [WEATHER], stream: true });
    const chunks = documentsOf(await (await call(sandbox, accessToken, "/chat/completions", ask)).text());
    const withCalls = chunks.filter((chunk) => at(chunk, "choices.0.delta.tool_calls") !== undefined);
    assert.equal(withCalls.length, 1);
    const made = at(withCalls[0], "choices.0.delta.tool_calls.0");
    assert.match(String(at(made, "id")), /^call_\d{8}$/);
    assert.equal(typeof at(JSON.parse(String(at(made, "function.arguments"))), "city"), "string");
    assert.equal(at(chunks.at(-1), "choices.0.finish_reason"), "tool_calls");

    const { index: _, ...toolCall } = made as { index: number };
    const messages = [
      { role: "user", content: "Use get_weather please" },
      { role: "assistant", content: "", tool_calls: [toolCall] },
      { role: "tool", tool_call_id: at(made, "id"), content: "sunny" },
    ];
    const answer = await json(
      await call(sandbox, accessToken, "/chat/completions", {
        model: "grok-4.5",
        messages,
        tools: [WEATHER],
      }),
    );
    assert.match(String(at(answer, "choices.0.message.content")), /get_weather said: sunny/);
  }));

Deno.test("createGrokApi() streams responses with bare ids and named events", () =>
  withSandbox(async (sandbox) => {
    const { accessToken } = await signIn(sandbox, "ada");
    const body = { model: "grok-4.6", input: "Hi", stream: true, include: ["reasoning.encrypted_content"] };
    const events = readEvents(await (await call(sandbox, accessToken, "/responses", body)).text());
    assert.equal(events[0]?.event, "response.created");
    assert.equal(events.at(-1)?.event, "response.completed");
    const last: unknown = JSON.parse(events.at(-1)?.data ?? "");
    assert.match(String(at(last, "response.id")), /^[0-9a-f]{8}-/);
    assert.equal(at(last, "response.usage.num_sources_used"), 0);
    const reasoning = at(last, "response.output.0");
    assert.equal(at(reasoning, "type"), "reasoning");

    const replay = (item: unknown) =>
      call(sandbox, accessToken, "/responses", {
        model: "grok-4.6",
        input: [{ role: "user", content: "Hi" }, item, { role: "user", content: "Again" }],
      });
    await json(await replay(reasoning));
    const foreign = { type: "reasoning", summary: [], encrypted_content: "gAAAAAbbbb" };
    assert.match(String(at(await json(await replay(foreign), 400), "error")), /decrypted/);
  }));

Deno.test("createGrokApi() wants the CLI's headers on the proxy unless they are switched off", () =>
  withSandbox(async (sandbox) => {
    const { accessToken } = await signIn(sandbox, "ada");
    const models = async (changes: Record<string, string | null>) => {
      const headers = new Headers(proxyHeaders(accessToken));
      for (const [name, value] of Object.entries(changes)) {
        if (value === null) headers.delete(name);
        else headers.set(name, value);
      }
      const response = await fetch(`${sandbox.origin}/xai/v1/models`, { headers });
      return [response.status, await response.text()] as const;
    };
    assert.equal((await models({}))[0], 200);
    for (const version of [null, "0.1.201", "latest"]) {
      const [status, text] = await models({ "x-grok-client-version": version });
      assert.equal(status, 426);
      assert.ok(text.includes(`version ${version ?? "(none)"} is outdated`), text);
    }
    assert.equal((await models({ "x-grok-client-version": "0.1.202" }))[0], 200);
    assert.equal((await models({ "x-xai-token-auth": null }))[0], 403);
    assert.equal((await models({ authorization: "Bearer nobody" }))[0], 401);
    sandbox.control.setSwitches({ grok: { requireTokenAuth: false, requireClientVersion: false } });
    assert.equal((await models({ "x-xai-token-auth": null, "x-grok-client-version": null }))[0], 200);
  }));

Deno.test("createGrokApi() answers an expired token with 401 on the proxy and 403 on api.x.ai", () =>
  withSandbox(async (sandbox, passSeconds) => {
    const { accessToken } = await signIn(sandbox, "ada");
    const direct = (headers: Record<string, string>) =>
      fetch(`${sandbox.origin}/xai/api/v1/models`, { headers });
    const list = await json(await direct({ authorization: `Bearer ${accessToken}` }));
    assert.deepEqual(Object.keys(at(list, "data.0") as object), ["id", "created", "object", "owned_by"]);
    passSeconds(3600);
    const proxied = await fetch(`${sandbox.origin}/xai/v1/models`, { headers: proxyHeaders(accessToken) });
    assert.deepEqual(await json(proxied, 401), {
      error: "Invalid or expired credentials (auth_kind=bearer)",
    });
    const refused = await json(await direct({ authorization: `Bearer ${accessToken}` }), 403);
    assert.equal(at(refused, "code"), "unauthenticated:bad-credentials");
    await json(await direct({}), 401);
    await json(await direct({ authorization: "Bearer xai-key" }), 400);
  }));

Deno.test("createGrokApi() refuses people by their plan", () =>
  withSandbox(async (sandbox) => {
    const erin = await signIn(sandbox, "erin");
    const empty = await json(
      await call(sandbox, erin.accessToken, "/chat/completions", chat("grok-4.5", "Hi")),
      403,
    );
    assert.equal(at(empty, "code"), "personal-team-blocked:spending-limit");

    const dave = await signIn(sandbox, "dave");
    const large = chat("grok-4.5", `count to 2500`);
    const first = await call(sandbox, dave.accessToken, "/chat/completions", large);
    assert.equal(first.headers.get("x-ratelimit-limit-requests"), "21");
    await json(first);
    const second = await call(sandbox, dave.accessToken, "/chat/completions", large);
    assert.equal(second.headers.get("retry-after"), null);
    assert.equal(at(await json(second, 429), "code"), "subscription:free-usage-exhausted");
    const credits = await fetch(`${sandbox.origin}/xai/api/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${dave.accessToken}`, "content-type": "application/json" },
      body: JSON.stringify(large),
    });
    assert.equal(at(await json(credits, 403), "code"), "personal-team-blocked:spending-limit");
  }));

Deno.test("createGrokApi() tells plan and pool of an account", () =>
  withSandbox(async (sandbox) => {
    const get = async (name: string, path: string) => {
      const { accessToken } = await signIn(sandbox, name);
      return await json(
        await fetch(`${sandbox.origin}/xai/v1${path}`, { headers: proxyHeaders(accessToken) }),
      );
    };
    assert.equal(at(await get("bob", "/user?include=subscription"), "subscriptionTier"), "SuperGrokPro");
    assert.equal(at(await get("dave", "/user"), "subscriptionTier"), null);
    assert.equal(at(await get("ada", "/settings"), "subscription_tier_display"), "SuperGrok");
    const billing = await get("erin", "/billing?format=credits");
    assert.equal(at(billing, "config.creditUsagePercent"), 100);
    assert.equal(at(billing, "config.currentPeriod.start"), "2026-11-16T00:00:00.000Z");
    assert.equal(at(billing, "config.currentPeriod.end"), "2026-11-23T00:00:00.000Z");
  }));

Deno.test("createGrokApi() refuses parameters as its models do", () =>
  withSandbox(async (sandbox) => {
    const { accessToken } = await signIn(sandbox, "ada");
    const custom = { type: "custom", name: "run" };
    const { function: described } = WEATHER;
    const cases: readonly (readonly [string, Record<string, unknown>, number, RegExp])[] = [
      ["/chat/completions", chat("grok-9", "Hi"), 404, /model 'grok-9' does not exist/],
      ["/chat/completions", chat("grok-4.5", "Hi", { presence_penalty: 1 }), 400, /presencePenalty/],
      ["/chat/completions", chat("grok-4.5", "Hi", { frequency_penalty: 1 }), 400, /frequencyPenalty/],
      ["/chat/completions", chat("grok-4.5", "Hi", { stop: "x" }), 400, /model: stop/],
      [
        "/chat/completions",
        chat("grok-4.5", "Hi", { reasoning_effort: "none" }),
        400,
        /Invalid reasoning effort/,
      ],
      [
        "/chat/completions",
        chat("grok-4.5", "Hi", { reasoning_effort: "xhigh" }),
        400,
        /Invalid reasoning effort/,
      ],
      [
        "/chat/completions",
        chat("grok-build-0.1", "Hi", { reasoning_effort: "low" }),
        400,
        /reasoningEffort/,
      ],
      ["/chat/completions", chat("grok-4.5", "Hi", { tool_choice: "auto" }), 400, /tool_choice/],
      ["/chat/completions", chat("grok-4.5", "Hi", { tools: [custom] }), 422, /unknown variant `custom`/],
      ["/chat/completions", { model: "grok-4.5" }, 422, /messages/],
      ["/responses", { model: "grok-9", input: "Hi" }, 404, /model 'grok-9'/],
      ["/responses", { model: "grok-4.5" }, 422, /input/],
      ["/responses", { model: "grok-4.5", input: "Hi", tool_choice: "auto" }, 400, /tool_choice/],
      ["/responses", { model: "grok-4.5", input: "Hi", tools: [custom] }, 422, /custom/],
      ["/responses", { model: "grok-4.5", input: "Hi", safety_identifier: "x" }, 400, /safety_identifier/],
      [
        "/responses",
        { model: "grok-build-0.1", input: "Hi", reasoning: { effort: "low" } },
        400,
        /reasoningEffort/,
      ],
    ];
    for (const [path, body, status, words] of cases) {
      const response = await call(sandbox, accessToken, path, body);
      const text = await response.text();
      assert.equal(response.status, status, text);
      assert.match(text, words);
    }
    const accepted: readonly (readonly [string, Record<string, unknown>])[] = [
      ["/chat/completions", chat("grok-4.20-0309-non-reasoning", "Hi", { stop: "x", presence_penalty: 1 })],
      ["/chat/completions", chat("grok-4.6", "Hi", { reasoning_effort: "xhigh" })],
      ["/responses", { model: "grok-4.3", input: "Hi", reasoning: { effort: "none" } }],
      ["/responses", { model: "grok-4.5", input: "Hi", tools: [{ type: "function", ...described }] }],
    ];
    for (const [path, body] of accepted) await json(await call(sandbox, accessToken, path, body));
  }));

Deno.test("createGrokApi() tells bodies apart that it cannot read", () =>
  withSandbox(async (sandbox) => {
    const { accessToken } = await signIn(sandbox, "ada");
    const send = async (method: string, path: string, type: string, body: string | null) => {
      const headers = { ...proxyHeaders(accessToken), "content-type": type };
      const response = await fetch(`${sandbox.origin}/xai/v1${path}`, { method, headers, body });
      await response.body?.cancel();
      return response.status;
    };
    assert.equal(await send("POST", "/chat/completions", "text/plain", "{}"), 415);
    assert.equal(await send("POST", "/chat/completions", "application/json", "{"), 400);
    assert.equal(await send("GET", "/chat/completions", "application/json", null), 405);
    assert.equal(await send("POST", "/responses/compact", "application/json", "{}"), 404);
  }));

Deno.test("createGrokApi() routes the proxy by the override header", () =>
  withSandbox(async (sandbox) => {
    const { accessToken } = await signIn(sandbox, "ada");
    const response = await fetch(`${sandbox.origin}/xai/v1/chat/completions`, {
      method: "POST",
      headers: {
        ...proxyHeaders(accessToken),
        "content-type": "application/json",
        "x-grok-model-override": "grok-4.3",
      },
      body: JSON.stringify(chat("grok-4.5", "Hi")),
    });
    assert.equal(at(await json(response), "model"), "grok-4.3");
  }));

/** What a stream says after each fault, by path. */
async function streamUnder(sandbox: Sandbox, path: string, kind: Fault["kind"]): Promise<Response> {
  const { accessToken } = await signIn(sandbox, "ada");
  sandbox.control.addFault({ upstream: "grok", on: "call", kind });
  const body = path === "/responses"
    ? { model: "grok-4.5", input: "Hi", stream: true }
    : chat("grok-4.5", "Hi", { stream: true });
  return await call(sandbox, accessToken, path, body);
}

Deno.test("createGrokApi() ends chat streams as scripted", () =>
  withSandbox(async (sandbox) => {
    const under = (kind: Fault["kind"]) => streamUnder(sandbox, "/chat/completions", kind);
    const last = async (kind: Fault["kind"]) =>
      readEvents(await (await under(kind)).text()).at(-1)?.data ?? "";

    const failed = await (await under({ type: "stream_failed", afterPieces: 2 })).text();
    const documents = documentsOf(failed);
    const pieces = documents.filter((one) => at(one, "choices.0.delta.content") !== undefined);
    assert.equal(pieces.length, 2);
    assert.equal(at(documents.at(-1), "error.code"), "internal_error");
    assert.doesNotMatch(failed, /DONE|finish_reason/);

    assert.match(
      await last({ type: "stream_error_event", afterPieces: 1 }),
      /"code":"The service is currently/,
    );
    const incomplete = await (await under({ type: "stream_incomplete", afterPieces: 1 })).text();
    assert.equal(at(documentsOf(incomplete).at(-1), "choices.0.finish_reason"), "length");
    const cutOff = await (await under({ type: "stream_eof", afterPieces: 1 })).text();
    assert.doesNotMatch(cutOff, /DONE|finish_reason/);
    await assert.rejects((await under({ type: "stream_cut", afterPieces: 1 })).text());
    const garbled = await (await under({ type: "stream_garbage", afterPieces: 1 })).text();
    assert.throws(() => documentsOf(garbled));
    assert.match(garbled, /\[DONE\]/);
    assert.match(await last({ type: "overloaded_in_stream" }), /Service temporarily unavailable/);
    const plain = await under({ type: "json_error_in_200" });
    assert.equal(plain.status, 200);
    assert.equal(at(await plain.json(), "error"), "Service temporarily unavailable.");
  }));

Deno.test("createGrokApi() ends responses streams as scripted", () =>
  withSandbox(async (sandbox) => {
    const last = async (kind: Fault["kind"]) =>
      readEvents(await (await streamUnder(sandbox, "/responses", kind)).text()).at(-1);
    assert.equal((await last({ type: "stream_failed", afterPieces: 1 }))?.event, "response.failed");
    assert.equal((await last({ type: "stream_incomplete", afterPieces: 1 }))?.event, "response.incomplete");
    assert.equal((await last({ type: "overloaded_in_stream" }))?.event, "error");
    assert.equal((await last({ type: "stream_eof", afterPieces: 1 }))?.event, "response.output_text.delta");
  }));

Deno.test("createGrokApi() answers scripted statuses in its own words", () =>
  withSandbox(async (sandbox) => {
    const { accessToken } = await signIn(sandbox, "ada");
    for (const status of [400, 401, 402, 403, 404, 422, 426, 429, 500, 503]) {
      sandbox.control.addFault({ upstream: "grok", on: "call", kind: { type: "status", status } });
      const response = await call(sandbox, accessToken, "/chat/completions", chat("grok-4.5", "Hi"));
      assert.equal(response.status, status);
      assert.match(await response.text(), /\S/);
      if (status === 429) assert.equal(response.headers.get("retry-after"), "30");
    }
  }));

Deno.test("createGrokApi() stops a stream when its client leaves", () =>
  withSandbox(async (sandbox) => {
    const { accessToken } = await signIn(sandbox, "ada");
    const leaving = new AbortController();
    const body = chat("grok-4.5", "count to 100000", { stream: true });
    const response = await call(sandbox, accessToken, "/chat/completions", body, leaving.signal);
    await response.body?.getReader().read();
    leaving.abort();
    const [record] = await sandbox.control.waitForRequests({ on: "call", end: "client_left" });
    assert.equal(record?.path, "/xai/v1/chat/completions");
  }));
