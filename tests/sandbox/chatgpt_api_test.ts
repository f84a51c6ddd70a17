import assert from "node:assert/strict";
import {
  apiHeaders,
  callCodex,
  codexBody,
  type Document,
  postJson,
  readDocument,
  readEvents,
  signIn,
  withSandbox,
} from "./chatgpt_client.ts";

const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJ" +
  "RU5ErkJggg==";

const TOOLS = [
  {
    type: "function",
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
  {
    type: "function",
    name: "get_time",
    parameters: { type: "object", properties: { zone: { type: "string" } } },
  },
];

function user(text: string): Document {
  return { type: "message", role: "user", content: [{ type: "input_text", text }] };
}

function part(event: Document | undefined, name: string): Document {
  const value = event?.[name];
  assert.ok(typeof value === "object" && value !== null, `no ${name}`);
  return Object.fromEntries(Object.entries(value));
}

Deno.test("the Codex endpoint streams text as the fixed sequence of events, without [DONE]", () =>
  withSandbox(async (sandbox) => {
    const response = await callCodex(sandbox, await signIn(sandbox), codexBody("Hi"));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    assert.equal(response.headers.get("openai-model"), "gpt-5.5");
    const events = readEvents(await response.text());
    const types = events.map((event) => event["type"]);
    assert.deepEqual(types.filter((type, index) => type !== types[index - 1]), [
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    assert.deepEqual(events.map((event) => event["sequence_number"]), events.map((_, index) => index));
    const text = events.filter((event) => event["type"] === "response.output_text.delta")
      .map((event) => event["delta"]).join("");
    assert.equal(text, 'Hello from gpt-5.5! You said: "Hi".');
    assert.equal(events.find((event) => event["type"] === "response.output_text.done")?.["text"], text);
    const last = part(events.at(-1), "response");
    assert.equal(last["status"], "completed");
    assert.deepEqual(last["output"], []);
    const usage = part(last, "usage");
    assert.equal(usage["total_tokens"], Number(usage["input_tokens"]) + Number(usage["output_tokens"]));
    const item = part(events.findLast((event) => event["type"] === "response.output_item.done"), "item");
    assert.match(String(item["id"]), /^msg_/);
    assert.equal(item["phase"], "final_answer");
  }));

Deno.test("the Codex endpoint gives the same ids for the same request", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    const ids = async (text: string) => {
      const [created] = readEvents(await (await callCodex(sandbox, person, codexBody(text))).text());
      return part(created, "response")["id"];
    };
    const id = await ids("a");
    assert.match(String(id), /^resp_[0-9a-f]{48}$/);
    assert.equal(await ids("a"), id);
    assert.notEqual(await ids("b"), id);
  }));

Deno.test("the Codex endpoint streams parallel calls in turns, and takes their outputs back", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    const question = user("use get_weather and get_time");
    const body = codexBody("", { input: [question], tools: TOOLS, parallel_tool_calls: true });
    const events = readEvents(await (await callCodex(sandbox, person, body)).text());
    const added = events.filter((event) => event["type"] === "response.output_item.added");
    assert.deepEqual(added.map((event) => part(event, "item")["name"]), ["get_weather", "get_time"]);
    assert.equal(
      events.indexOf(added[1] ?? {}) - events.indexOf(added[0] ?? {}),
      1,
      "the calls are interleaved",
    );
    const deltas = events.filter((event) => event["type"] === "response.function_call_arguments.delta");
    for (const index of [0, 1]) {
      const whole = deltas.filter((event) => event["output_index"] === index).map((event) => event["delta"])
        .join("");
      assert.deepEqual(JSON.parse(whole), index === 0 ? { city: "sample city" } : { zone: "sample zone" });
    }
    const items = events.filter((event) => event["type"] === "response.output_item.done")
      .map((event) => part(event, "item"));
    const outputs = items.map((item) => ({
      type: "function_call_output",
      call_id: item["call_id"],
      output: `result of ${String(item["name"])}`,
    }));

    const next = codexBody("", { input: [question, ...items, ...outputs], tools: TOOLS });
    const answer = readEvents(await (await callCodex(sandbox, person, next)).text());
    assert.equal(
      answer.find((event) => event["type"] === "response.output_text.done")?.["text"],
      "get_weather said: result of get_weather\nget_time said: result of get_time",
    );
    const lonely = await callCodex(sandbox, person, codexBody("", { input: [question, ...items] }));
    assert.equal(lonely.status, 400);
    assert.match(await lonely.text(), /No tool output found for function call call_/);
    const orphan = await callCodex(sandbox, person, codexBody("", { input: [question, ...outputs] }));
    assert.equal(orphan.status, 400);
    assert.match(await orphan.text(), /No tool call found for function call output/);
  }));

Deno.test("the Codex endpoint calls custom tools, and takes their outputs back", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    const question = user('patch with "one\\ntwo"');
    const tools = [{ type: "custom", name: "patch" }];
    const events = readEvents(
      await (await callCodex(sandbox, person, codexBody("", { input: [question], tools }))).text(),
    );
    const [item] = events.filter((event) => event["type"] === "response.output_item.done")
      .map((event) => part(event, "item")).filter((one) => one["type"] !== "reasoning");
    assert.deepEqual([item?.["type"], item?.["name"], item?.["input"]], [
      "custom_tool_call",
      "patch",
      "one\ntwo",
    ]);
    assert.match(String(item?.["id"]), /^ctc_/);
    const deltas = events.filter((event) => event["type"] === "response.custom_tool_call_input.delta");
    assert.equal(deltas.map((event) => event["delta"]).join(""), "one\ntwo");
    const output = { type: "custom_tool_call_output", call_id: item?.["call_id"], output: "Done." };
    const next = codexBody("", { input: [question, item, output], tools });
    const answer = readEvents(await (await callCodex(sandbox, person, next)).text());
    assert.equal(
      answer.find((event) => event["type"] === "response.output_text.done")?.["text"],
      "patch said: Done.",
    );
  }));

Deno.test("the Codex endpoint refuses Responses-Lite on a model that does not speak it", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    const ask = (model: string): Promise<Response> =>
      postJson(`${sandbox.origin}/openai/backend-api/codex/responses`, codexBody("Hi", { model }), {
        authorization: `Bearer ${person.accessToken}`,
        "chatgpt-account-id": person.accountId,
        "x-openai-internal-codex-responses-lite": "true",
      });
    const fine = await ask("gpt-5.6-sol");
    assert.equal(fine.status, 200);
    await fine.body?.cancel();
    const refused = await ask("gpt-5.5");
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /This model is not supported when using X-OpenAI-Internal-Codex/);
  }));

Deno.test("the Codex endpoint reasons in a summary with encrypted content that only its account may replay", () =>
  withSandbox(async (sandbox) => {
    const ada = await signIn(sandbox);
    const body = codexBody("Think", {
      reasoning: { effort: "high", summary: "auto" },
      include: ["reasoning.encrypted_content"],
    });
    const events = readEvents(await (await callCodex(sandbox, ada, body)).text());
    const delta = events.filter((event) => event["type"] === "response.reasoning_summary_text.delta");
    assert.ok(delta.length > 1);
    const item = part(events.find((event) => event["type"] === "response.output_item.done"), "item");
    assert.match(String(item["encrypted_content"]), /^gAAAA/);

    const replay = codexBody("", { input: [user("Think"), item, user("Go on")] });
    const accepted = await callCodex(sandbox, ada, replay);
    assert.equal(accepted.status, 200);
    await accepted.body?.cancel();
    const foreign = await callCodex(sandbox, await signIn(sandbox, "bob"), replay);
    assert.equal(foreign.status, 400);
    assert.match(await foreign.text(), /"code":"invalid_encrypted_content"/);

    const silent = readEvents(await (await callCodex(sandbox, ada, codexBody("Think"))).text());
    assert.ok(!silent.some((event) => String(event["type"]).includes("reasoning")), "no effort means none");
  }));

Deno.test("the Codex endpoint sees images, refuses, and stops early as it is asked", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    const content = [{ type: "input_text", text: "look" }, { type: "input_image", image_url: PIXEL }];
    const image = await callCodex(sandbox, person, codexBody("", { input: [{ role: "user", content }] }));
    assert.match(await image.text(), /I see 1 image/);
    const refusal = readEvents(await (await callCodex(sandbox, person, codexBody("please refuse"))).text());
    assert.ok(refusal.some((event) => event["type"] === "response.refusal.delta"));
    for (
      const [wish, reason] of [["please be cut off", "max_output_tokens"], [
        "please be filtered",
        "content_filter",
      ]]
    ) {
      const events = readEvents(await (await callCodex(sandbox, person, codexBody(wish ?? ""))).text());
      assert.equal(events.at(-1)?.["type"], "response.incomplete");
      assert.deepEqual(part(events.at(-1), "response")["incomplete_details"], { reason });
    }
  }));

const REFUSALS: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
  ["store", { store: true }, /^\{"detail":"Store must be set to false"\}$/],
  ["a missing store", { store: undefined }, /^\{"detail":"Store must be set to false"\}$/],
  ["stream false", { stream: false }, /^\{"detail":"Stream must be set to true"\}$/],
  ["a string input", { input: "Hi" }, /^\{"detail":"Input must be a list"\}$/],
  ["empty instructions", { instructions: "" }, /^\{"detail":"Instructions are required"\}$/],
  ["no instructions", { instructions: undefined }, /^\{"detail":"Instructions are required"\}$/],
  [
    "the system role",
    { input: [{ role: "system", content: "x" }] },
    /^\{"detail":"System messages are not allowed"\}$/,
  ],
  ...[
    "max_output_tokens",
    "max_completion_tokens",
    "max_tokens",
    "temperature",
    "top_p",
    "truncation",
    "user",
    "metadata",
    "safety_identifier",
    "prompt_cache_retention",
    "prompt_cache_options",
    "context_management",
    "generate",
    "previous_response_id",
    "messages",
    "response_format",
    "n",
    "seed",
    "stop",
    "logprobs",
    "top_logprobs",
    "presence_penalty",
    "frequency_penalty",
  ].map((name) =>
    [name, { [name]: 1 }, new RegExp(`^\\{"detail":"Unsupported parameter: ${name}"\\}$`)] as const
  ),
  [
    "other stream options",
    { stream_options: { include_usage: true } },
    /Unsupported parameter: stream_options/,
  ],
  ["an unknown model", { model: "gpt-4o" }, /The 'gpt-4o' model is not supported when using Codex/],
  ["effort minimal", { reasoning: { effort: "minimal" } }, /Unsupported value: 'minimal'/],
  ["an unknown include", { include: ["all"] }, /"param":"include\[0\]"/],
  [
    "an unknown member of an item",
    { input: [{ ...user("x"), reasoning_content: "y" }] },
    /Unknown parameter: 'input\[0\]\.reasoning_content'/,
  ],
  [
    "an item id with a foreign prefix",
    { input: [{ ...user("x"), id: "item_1" }] },
    /Expected an ID that begins with 'msg'/,
  ],
  ["a long item id", { input: [{ ...user("x"), id: `msg_${"a".repeat(61)}` }] }, /string_above_max_length/],
  [
    "chat's content parts",
    { input: [{ role: "user", content: [{ type: "text", text: "x" }] }] },
    /Supported values are: 'input_text', 'input_image', 'output_text', 'refusal', 'input_file'/,
  ],
  [
    "the assistant's parts from the user",
    { input: [{ role: "user", content: [{ type: "output_text", text: "x" }] }] },
    /Invalid value: 'output_text'/,
  ],
  [
    "user text from the assistant",
    { input: [{ role: "assistant", content: [{ type: "input_text", text: "x" }] }] },
    /Supported values are: 'output_text' and 'refusal'/,
  ],
  [
    "a damaged image",
    {
      input: [{ role: "user", content: [{ type: "input_image", image_url: "data:image/png;base64,AAAA" }] }],
    },
    /does not represent a valid image/,
  ],
  ["an item reference", { input: [{ type: "item_reference", id: "msg_1" }] }, /Items are not persisted/],
  ["a nested function", { tools: [{ type: "function", function: { name: "f" } }] }, /'tools\[0\]\.name'/],
  ["a file search tool", { tools: [{ type: "file_search" }] }, /"param":"tools\[0\]\.type"/],
  ["a long tool name", { tools: [{ type: "function", name: "f".repeat(65) }] }, /longer than 64 characters/],
  [
    "a strict schema that is open",
    { tools: [{ ...TOOLS[0], strict: true }] },
    /"code":"invalid_function_parameters"/,
  ],
  [
    "a strict format with an optional property",
    {
      text: {
        format: {
          type: "json_schema",
          name: "a",
          strict: true,
          schema: { type: "object", properties: { x: { type: "string" } }, additionalProperties: false },
        },
      },
    },
    /Missing 'x'/,
  ],
  [
    "a choice of a tool that is not there",
    { tools: TOOLS, tool_choice: { type: "function", name: "x" } },
    /'x' not found/,
  ],
];

for (const [name, changes, expected] of REFUSALS) {
  Deno.test(`the Codex endpoint refuses ${name}`, () =>
    withSandbox(async (sandbox) => {
      const response = await callCodex(sandbox, await signIn(sandbox), codexBody("Hi", changes));
      assert.equal(response.status, 400);
      assert.match(await response.text(), expected);
    }));
}

Deno.test("the Codex endpoint wants bearer, account header, JSON and POST", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    const url = `${sandbox.origin}/openai/backend-api/codex/responses`;
    const missing = await postJson(url, codexBody("Hi"));
    assert.deepEqual([missing.status, await missing.text()], [401, '{"detail":"Unauthorized"}']);
    assert.equal(missing.headers.get("x-openai-authorization-error"), "missing_authorization_header");
    const authorization = `Bearer ${person.accessToken}`;
    assert.equal((await postJson(url, codexBody("Hi"), { authorization })).status, 400);
    const foreign = { authorization, "chatgpt-account-id": "someone-else" };
    assert.equal((await postJson(url, codexBody("Hi"), foreign)).status, 403);
    const text = await fetch(url, { method: "POST", headers: apiHeaders(person), body: "{}" });
    assert.equal(text.status, 415);
    assert.equal((await fetch(url, { headers: apiHeaders(person) })).status, 405);
  }));

Deno.test("the Codex endpoint says when an access token has expired", async () => {
  let now = 1_800_000_000_000;
  await withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    now += 60_000;
    const response = await callCodex(sandbox, person, codexBody("Hi"));
    assert.equal(response.status, 401);
    assert.equal(atob(response.headers.get("x-error-json") ?? ""), '{"error":{"code":"token_expired"}}');
    await response.body?.cancel();
  }, { now: () => now, accessTokenSeconds: 60 });
});

Deno.test("limits are told in headers on every answer, in the usage document and in the refusal", () =>
  withSandbox(async (sandbox) => {
    const erin = await signIn(sandbox, "erin");
    const response = await callCodex(sandbox, erin, codexBody("Hi"));
    assert.equal(response.status, 429);
    assert.equal(response.headers.get("retry-after"), null);
    assert.equal(response.headers.get("x-codex-primary-used-percent"), "100.0");
    assert.equal(response.headers.get("x-codex-primary-window-minutes"), "300");
    const error = part(await readDocument(response), "error");
    assert.equal(error["type"], "usage_limit_reached");
    assert.equal(String(error["resets_at"]), response.headers.get("x-codex-primary-reset-at"));

    const dave = await signIn(sandbox, "dave");
    const usage = await fetch(`${sandbox.origin}/openai/backend-api/wham/usage`, {
      headers: apiHeaders(dave),
    });
    assert.equal(usage.headers.get("x-codex-primary-window-minutes"), "43200");
    assert.equal(usage.headers.get("x-codex-secondary-used-percent"), null);
    const limit = part(await readDocument(usage), "rate_limit");
    assert.equal(part(limit, "primary_window")["limit_window_seconds"], 43_200 * 60);
    assert.equal(limit["secondary_window"], null);
  }));

Deno.test("the model list hides what is too new for the client or not in the plan", () =>
  withSandbox(async (sandbox) => {
    const slugs = async (name: string, version: string) => {
      const url = `${sandbox.origin}/openai/backend-api/codex/models?client_version=${version}`;
      const response = await fetch(url, { headers: apiHeaders(await signIn(sandbox, name)) });
      assert.ok(response.headers.get("etag"));
      const { models } = await readDocument(response);
      assert.ok(Array.isArray(models));
      return models.map((model: Document) => model["slug"]);
    };
    assert.ok((await slugs("ada", "0.144.1")).includes("gpt-5.6-sol"));
    assert.ok(!(await slugs("ada", "0.143.9")).includes("gpt-5.6-sol"));
    assert.ok((await slugs("ada", "0.124.0")).includes("gpt-5.5"));
    assert.deepEqual(await slugs("ada", "0.97.0"), ["gpt-5.2"]);
    assert.ok(!(await slugs("dave", "1.0.0")).includes("gpt-5.4"));
    const bare = await fetch(`${sandbox.origin}/openai/backend-api/codex/models`, {
      headers: apiHeaders(await signIn(sandbox)),
    });
    assert.equal(bare.status, 400);
  }));
