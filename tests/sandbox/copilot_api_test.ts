import assert from "node:assert/strict";
import type { Fault } from "../../src/sandbox/contract.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import { access, call, editorHeaders, getApi, OTHER_APP, signIn } from "./copilot_client.ts";
import { at, documentsOf, joined, readEvents } from "./sse_reader.ts";

const START_MS = Date.UTC(2026, 10, 22, 12);
const PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA";
const WEATHER = {
  name: "get_weather",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
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

Deno.test("createCopilotApi() wants an editor's headers with exchanged tokens only", () =>
  withSandbox(async (sandbox) => {
    const ada = await access(sandbox, "ada");
    const models = async (headers: Record<string, string>) => {
      const response = await fetch(`${ada.base}/models`, { headers });
      return [response.status, await response.text()] as const;
    };
    const { "editor-version": _, ...noEditor } = editorHeaders(ada.token);
    const { "copilot-integration-id": __, ...noIntegration } = editorHeaders(ada.token);
    assert.equal((await models(editorHeaders(ada.token)))[0], 200);
    assert.deepEqual(await models(noEditor), [
      400,
      "bad request: missing Editor-Version header for IDE auth\n",
    ]);
    assert.equal((await models({ ...noEditor, "editor-version": "vim" }))[0], 400);
    assert.equal((await models(noIntegration))[0], 403);
    const direct = await signIn(sandbox, "ada", OTHER_APP);
    assert.equal((await models({ authorization: `Bearer ${direct}` }))[0], 200);
    assert.equal((await models({ authorization: "Bearer nobody" }))[0], 401);
  }));

Deno.test("createCopilotApi() sends seats away that belong to another host", () =>
  withSandbox(async (sandbox) => {
    const bob = await access(sandbox, "bob");
    const elsewhere = `${sandbox.origin}/copilot/individual/models`;
    const exchanged = await fetch(elsewhere, { headers: editorHeaders(bob.token) });
    assert.equal(exchanged.status, 421);
    await exchanged.body?.cancel();
    const github = await signIn(sandbox, "bob");
    const direct = await fetch(elsewhere, { headers: { authorization: `Bearer ${github}` } });
    assert.equal(direct.status, 403);
    await direct.body?.cancel();
    await json(await fetch(`${bob.base}/models`, { headers: editorHeaders(bob.token) }));
  }));

Deno.test("createCopilotApi() tells in plain text that an exchanged token has expired", () =>
  withSandbox(async (sandbox, passSeconds) => {
    const ada = await access(sandbox, "ada");
    passSeconds(1800);
    const response = await call(ada, "/chat/completions", chat("gpt-4.1", "Hi"));
    assert.equal(response.status, 401);
    assert.match(response.headers.get("content-type") ?? "", /^text\/plain/);
    assert.equal(await response.text(), "IDE token expired: unauthorized: token expired\n");
  }, { accessTokenSeconds: 1800 }));

Deno.test("createCopilotApi() lists models with all that makes lists hard to read", () =>
  withSandbox(async (sandbox) => {
    const { token, base } = await access(sandbox, "ada");
    const list = async (headers: Record<string, string>) => {
      const document = await json(await fetch(`${base}/models`, { headers }));
      const entries = at(document, "data");
      assert.ok(Array.isArray(entries));
      return entries as readonly unknown[];
    };
    const entries = await list(editorHeaders(token));
    const find = (id: string, among: readonly unknown[] = entries) =>
      among.filter((one) => at(one, "id") === id);
    assert.equal(find("gpt-4.1").length, 2);
    assert.equal(at(find("gpt-4.1")[0], "supported_endpoints"), undefined);
    assert.deepEqual(at(find("gpt-5.3-codex")[0], "supported_endpoints"), ["/responses"]);
    assert.deepEqual(at(find("gpt-5-mini")[0], "supported_endpoints"), ["/chat/completions", "/responses"]);
    assert.equal(at(find("gemini-3-pro")[0], "policy.state"), "disabled");
    assert.equal(at(find("text-embedding-3-small")[0], "capabilities.type"), "embeddings");
    assert.equal(at(find("oswe-vscode-preview")[0], "capabilities"), undefined);
    const claude = (among: readonly unknown[]) => find("claude-sonnet-4.6", among)[0];
    const context = "capabilities.limits.max_context_window_tokens";
    assert.equal(at(claude(entries), context), 200_000);
    assert.equal(at(claude(entries), "billing.multiplier"), 1);
    const direct = await signIn(sandbox, "ada", OTHER_APP);
    const bare = await list({ authorization: `Bearer ${direct}`, "x-github-api-version": "2026-08-01" });
    assert.equal(at(claude(bare), "billing.multiplier"), undefined);
    assert.equal(at(claude(bare), context), 1_000_000);
  }));

Deno.test("createCopilotApi() keeps each model to its endpoints", () =>
  withSandbox(async (sandbox) => {
    const ada = await access(sandbox, "ada");
    const frank = await access(sandbox, "frank");
    const codeOf = async (response: Promise<Response>) => at(await json(await response, 400), "error.code");
    const input = (model: string) => ({ model, input: "Hi" });
    const chats = "/chat/completions";
    assert.equal(await codeOf(call(ada, chats, chat("gpt-5.3-codex", "Hi"))), "unsupported_api_for_model");
    assert.equal(await codeOf(call(ada, "/responses", input("gpt-4.1"))), "unsupported_api_for_model");
    assert.equal(await codeOf(call(ada, chats, chat("gemini-3-pro", "Hi"))), "model_not_supported");
    assert.equal(await codeOf(call(ada, chats, chat("text-embedding-3-small", "Hi"))), "model_not_supported");
    assert.equal(await codeOf(call(ada, chats, chat("no-such-model", "Hi"))), "model_not_supported");
    assert.equal(await codeOf(call(frank, chats, chat("claude-sonnet-4.6", "Hi"))), "model_not_supported");
    await json(await call(ada, chats, chat("gpt-5-mini", "Hi")));
    await json(await call(ada, "/responses", input("gpt-5-mini")));
    await json(await call(frank, chats, chat("gpt-4.1", "Hi")));
  }));

Deno.test("createCopilotApi() refuses bodies as its providers do", () =>
  withSandbox(async (sandbox) => {
    const ada = await access(sandbox, "ada");
    const image = { type: "image_url", image_url: { url: PIXEL } };
    const look = (model: string) => ({ model, messages: [{ role: "user", content: [image] }] });
    const tools = Array.from({ length: 129 }, (_, index) => ({
      type: "function",
      function: { name: `tool_${index}`, parameters: WEATHER.parameters },
    }));
    const foreign = [{ type: "reasoning", summary: [], encrypted_content: "gAAAAA" }, {
      role: "user",
      content: "Hi",
    }];
    const cases: readonly (readonly [string, unknown, RegExp])[] = [
      ["/chat/completions", look("gpt-4.1"), /Copilot-Vision-Request/],
      ["/chat/completions", chat("gpt-5-mini", "Hi", { max_tokens: 5 }), /max_completion_tokens/],
      ["/chat/completions", chat("gpt-4.1", "Hi", { reasoning_effort: "low" }), /reasoning_effort/],
      ["/chat/completions", chat("gpt-5-mini", "Hi", { reasoning_effort: "xhigh" }), /Supported values/],
      ["/chat/completions", chat("gpt-4.1", "Hi", { tools }), /128/],
      ["/chat/completions", { model: "gpt-4.1" }, /invalid_request_body/],
      ["/chat/completions", { messages: [] }, /'model'/],
      [
        "/responses",
        { model: "gpt-5-mini", input: "Hi", previous_response_id: "x" },
        /previous_response_not_found/,
      ],
      ["/responses", { model: "gpt-5-mini", input: foreign }, /invalid_encrypted_content/],
      ["/responses", { model: "gpt-5-mini" }, /missing_required_parameter/],
    ];
    for (const [path, body, words] of cases) {
      const response = await call(ada, path, body);
      const text = await response.text();
      assert.equal(response.status, 400, text);
      assert.match(text, words);
    }
    const seen = await json(
      await call(ada, "/chat/completions", look("gpt-4.1"), { "copilot-vision-request": "true" }),
    );
    assert.match(String(at(seen, "choices.0.message.content")), /1 image/);
  }));

Deno.test("createCopilotApi() streams chat with the gateway's habits", () =>
  withSandbox(async (sandbox) => {
    const ada = await access(sandbox, "ada");
    const response = await call(ada, "/chat/completions", chat("gpt-4.1", "Hi", { stream: true }), {
      "x-request-id": "mine",
    });
    assert.equal(response.headers.get("x-request-id"), "mine");
    assert.match(
      response.headers.get("x-quota-snapshot-premium_interactions") ?? "",
      /^ent=300&.*rem=100\.0&rst=2026/,
    );
    const text = await response.text();
    const chunks = documentsOf(text);
    assert.deepEqual(at(chunks[0], "choices"), []);
    assert.equal(at(chunks[0], "prompt_filter_results.0.prompt_index"), 0);
    assert.ok(chunks.every((chunk) => at(chunk, "object") === undefined));
    assert.match(joined(chunks, "choices.0.delta.content"), /Hi/);
    assert.ok(Number(at(chunks.at(-1), "usage.total_tokens")) > 0);
    assert.ok(Number(at(chunks.at(-1), "copilot_usage.total_nano_aiu")) > 0);
    assert.equal(readEvents(text).at(-1)?.data, "[DONE]");
  }));

Deno.test("createCopilotApi() streams tool calls in fragments, and Claude's in a second choice when switched", () =>
  withSandbox(async (sandbox) => {
    const ada = await access(sandbox, "ada");
    const tools = [{ type: "function", function: WEATHER }];
    const ask = (model: string, stream: boolean) =>
      call(ada, "/chat/completions", chat(model, "get_weather, and announce it", { tools, stream }));
    const path = "choices.0.delta.tool_calls.0";
    const fragments = documentsOf(await (await ask("gpt-4.1", true)).text())
      .filter((chunk) => at(chunk, path) !== undefined);
    assert.ok(fragments.length > 2);
    assert.equal(at(fragments[1], `${path}.id`), undefined);
    JSON.parse(joined(fragments, `${path}.function.arguments`));

    sandbox.control.setSwitches({ copilot: { splitChoices: true } });
    const split = documentsOf(await (await ask("claude-sonnet-4.6", true)).text());
    const calls = split.filter((chunk) => at(chunk, path) !== undefined);
    assert.deepEqual(calls.map((chunk) => at(chunk, "choices.0.index")), [1]);
    const text = split.filter((chunk) => at(chunk, "choices.0.delta.content") !== undefined);
    assert.ok(text.length > 0 && text.every((chunk) => at(chunk, "choices.0.index") === 0));
    const whole = await json(await ask("claude-sonnet-4.6", false));
    assert.equal(at(whole, "choices.0.message.tool_calls"), undefined);
    assert.equal(at(whole, "choices.0.finish_reason"), "tool_calls");
    assert.equal(at(whole, "choices.1.message.tool_calls.0.function.name"), "get_weather");
  }));

Deno.test("createCopilotApi() gives every responses event other ids unless switched off", () =>
  withSandbox(async (sandbox) => {
    const ada = await access(sandbox, "ada");
    const body = {
      model: "gpt-5.3-codex",
      input: "Hi",
      stream: true,
      reasoning: { effort: "low", summary: "auto" },
    };
    const idsOf = async () => {
      const text = await (await call(ada, "/responses", body)).text();
      const events = readEvents(text);
      assert.ok(events.every(({ event }) => event === undefined));
      const documents = documentsOf(text);
      assert.equal(at(documents.at(-1), "type"), "response.completed");
      assert.ok(Number(at(documents.at(-1), "copilot_usage.total_nano_aiu")) > 0);
      return documents.flatMap((one) => [at(one, "item_id"), at(one, "response.id")])
        .filter((id) => id !== undefined);
    };
    const rotating = await idsOf();
    assert.equal(new Set(rotating).size, rotating.length);
    sandbox.control.setSwitches({ copilot: { rotatingIds: false } });
    assert.equal(new Set(await idsOf()).size, 3);
  }));

Deno.test("createCopilotApi() books premium requests by X-Initiator", () =>
  withSandbox(async (sandbox) => {
    const github = await signIn(sandbox, "ada");
    const ada = await access(sandbox, "ada");
    const remaining = async () => {
      const quota: unknown = await (await getApi(sandbox, "/copilot_internal/user", github)).json();
      return at(quota, "quota_snapshots.premium_interactions.remaining");
    };
    const ask = async (model: string, headers: Record<string, string>) => {
      await json(await call(ada, "/chat/completions", chat(model, "Hi"), headers));
    };
    await ask("gpt-4.1", { "x-initiator": "user" });
    await ask("claude-sonnet-4.6", { "x-initiator": "agent" });
    assert.equal(await remaining(), 300);
    await ask("claude-sonnet-4.6", { "x-initiator": "user" });
    await ask("claude-sonnet-4.6", {});
    assert.equal(await remaining(), 298);
    const [first] = sandbox.control.requests({ upstream: "copilot", on: "call" });
    assert.equal(first?.headers["x-initiator"], "user");
  }));

Deno.test("createCopilotApi() refuses calls of seats that are used up", () =>
  withSandbox(async (sandbox) => {
    const ask = async (name: string) =>
      await call(await access(sandbox, name), "/chat/completions", chat("gpt-4.1", "Hi"));
    const exhausted = await ask("erin");
    assert.equal(exhausted.headers.get("retry-after"), "Tue, 01 Dec 2026 00:00:00 GMT");
    assert.equal(at(await json(exhausted, 402), "error.code"), "quota_exceeded");
    const weekly = await ask("heidi");
    assert.equal(weekly.headers.get("retry-after"), "183600");
    assert.equal(at(await json(weekly, 429), "error.code"), "user_weekly_rate_limited");
    const frank = await access(sandbox, "frank");
    for (let chats = 0; chats < 50; chats += 1) {
      await json(await call(frank, "/chat/completions", chat("gpt-4.1", "Hi")));
    }
    const free = await json(await call(frank, "/chat/completions", chat("gpt-4.1", "Hi")), 402);
    assert.equal(at(free, "error.code"), "free_quota_exceeded");
  }));

Deno.test("createCopilotApi() ends streams as scripted", () =>
  withSandbox(async (sandbox) => {
    const ada = await access(sandbox, "ada");
    const under = (path: string, kind: Fault["kind"]) => {
      sandbox.control.addFault({ upstream: "copilot", on: "call", kind });
      const body = path === "/responses"
        ? { model: "gpt-5-mini", input: "Hi", stream: true }
        : chat("gpt-4.1", "Hi", { stream: true });
      return call(ada, path, body);
    };
    const chats = "/chat/completions";
    const failed = documentsOf(await (await under(chats, { type: "stream_failed", afterPieces: 1 })).text());
    assert.equal(at(failed.at(-1), "choices.0.finish_reason"), "error");
    const told = documentsOf(
      await (await under(chats, { type: "stream_error_event", afterPieces: 1 })).text(),
    );
    assert.equal(at(told.at(-1), "error.code"), "model_overloaded");
    await assert.rejects((await under(chats, { type: "stream_cut", afterPieces: 1 })).text());
    const overloaded = documentsOf(await (await under(chats, { type: "overloaded_in_stream" })).text());
    assert.deepEqual(overloaded.map((one) => at(one, "error.code")), ["model_overloaded"]);
    const plain = await under(chats, { type: "json_error_in_200" });
    assert.equal(at(await json(plain), "error.code"), "model_overloaded");
    const event = documentsOf(await (await under("/responses", { type: "overloaded_in_stream" })).text());
    assert.deepEqual(event.map((one) => at(one, "type")), ["error"]);
    const broken = documentsOf(
      await (await under("/responses", { type: "stream_failed", afterPieces: 0 })).text(),
    );
    assert.equal(at(broken.at(-1), "type"), "response.failed");
  }));

Deno.test("createCopilotApi() answers scripted statuses in its own words", () =>
  withSandbox(async (sandbox) => {
    const ada = await access(sandbox, "ada");
    for (const status of [400, 401, 402, 403, 404, 421, 422, 429, 466, 500, 503]) {
      sandbox.control.addFault({ upstream: "copilot", on: "call", kind: { type: "status", status } });
      const response = await call(ada, "/chat/completions", chat("gpt-4.1", "Hi"));
      assert.equal(response.status, status);
      assert.match(response.headers.get("content-type") ?? "", /^text\/plain/);
      assert.match(await response.text(), /\S/);
    }
  }));

Deno.test("createCopilotApi() lets a hanging stream go on when it is released", () =>
  withSandbox(async (sandbox) => {
    const ada = await access(sandbox, "ada");
    sandbox.control.addFault({
      upstream: "copilot",
      on: "call",
      kind: { type: "stream_hang", afterPieces: 1 },
    });
    const response = await call(ada, "/chat/completions", chat("gpt-4.1", "Hi", { stream: true }));
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes('"content"')) text += (await reader?.read())?.value ?? "";
    assert.doesNotMatch(text, /DONE/);
    const rest = reader?.read();
    // The piece was sent before the stream fell silent, so the release may have to be repeated until it hangs.
    while (sandbox.control.release() === 0) await new Promise((resolve) => setTimeout(resolve));
    text += (await rest)?.value ?? "";
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) {
      text += read.value;
    }
    assert.match(text, /\[DONE\]/);
  }));
