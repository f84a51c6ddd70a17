import assert from "node:assert/strict";
import { chatGptFields } from "../../src/provider/chatgpt_request.ts";
import { chatGptDefaults } from "../../src/provider/chatgpt_settings.ts";
import { prepareRequest } from "../../src/provider/request_fields.ts";
import type { JsonObject } from "../../src/wire/json.ts";

const FIELDS = chatGptFields(chatGptDefaults);

/** A request that the backend takes as it is. */
function fit(): JsonObject {
  return {
    model: "gpt-5.5",
    input: [
      { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] },
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "x" },
      { type: "function_call", id: "fc_1", call_id: "call_1", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "call_1", output: "1" },
      { type: "message", id: "msg_1", role: "assistant", content: [], phase: "final_answer" },
    ],
    instructions: "Be brief.",
    store: false,
    stream: true,
    include: ["reasoning.encrypted_content"],
    reasoning: { effort: "high", summary: "auto" },
    tools: [{ type: "function", name: "f", parameters: {} }],
    tool_choice: "auto",
    parallel_tool_calls: false,
    service_tier: "priority",
    prompt_cache_key: "conv-1",
    text: { verbosity: "low" },
    client_metadata: { a: "b" },
    stream_options: { reasoning_summary_delivery: "sequential_cutoff" },
  };
}

function prepared(body: JsonObject): { body: JsonObject; ignored: readonly string[] } {
  const outcome = prepareRequest(FIELDS, body);
  assert.ok(outcome.kind === "ready", JSON.stringify(outcome));
  return { body: outcome.body, ignored: outcome.ignored };
}

Deno.test("prepareRequest(FIELDS, ) hands back the same object when nothing had to change", () => {
  const body = fit();
  assert.equal(prepared(body).body, body);
  assert.deepEqual(prepared(body).ignored, []);
});

Deno.test("chatGptFields() fills in what the smallest SDK request leaves out", () => {
  const body = { model: "gpt-5.5", input: "hi" };
  assert.deepEqual(prepared(body), {
    body: {
      model: "gpt-5.5",
      input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }],
      store: false,
      stream: true,
      instructions: "You are a helpful assistant.",
      include: ["reasoning.encrypted_content"],
      reasoning: { effort: "medium" },
    },
    ignored: [],
  });
  assert.deepEqual(body, { model: "gpt-5.5", input: "hi" });
});

Deno.test("chatGptFields() changes single members as the facts demand", () => {
  const cases: readonly (readonly [JsonObject, JsonObject])[] = [
    [{ instructions: "" }, { instructions: "You are a helpful assistant." }],
    [{ instructions: "  \n" }, { instructions: "You are a helpful assistant." }],
    [{ instructions: null }, { instructions: "You are a helpful assistant." }],
    [{ stream: false }, { stream: true }],
    [{ store: null }, { store: false }],
    [{ include: ["file_search_call.results"] }, {
      include: ["file_search_call.results", "reasoning.encrypted_content"],
    }],
    [{ reasoning: null }, { reasoning: { effort: "medium" } }],
    [{ reasoning: { summary: "auto" } }, { reasoning: { summary: "auto", effort: "medium" } }],
    [{ reasoning: { effort: "none" } }, { reasoning: { effort: "none" } }],
    [{ reasoning: { effort: "ultra" } }, { reasoning: { effort: "max" } }],
    [{ service_tier: "fast" }, { service_tier: "priority" }],
    [{ service_tier: "auto" }, { service_tier: undefined }],
    [{ service_tier: "default" }, { service_tier: undefined }],
    [{ tools: [{ type: "web_search_preview", search_context_size: "low" }] }, {
      tools: [{ type: "web_search", search_context_size: "low" }],
    }],
    [{ tool_choice: { type: "web_search_preview_2025_03_11" } }, { tool_choice: { type: "web_search" } }],
    [{ tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "web_search_preview" }] } }, {
      tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "web_search" }] },
    }],
    [{ tools: [] }, { tools: [], parallel_tool_calls: undefined }],
    [{ tools: null, tool_choice: null, text: null }, {
      tools: undefined,
      tool_choice: undefined,
      text: undefined,
      parallel_tool_calls: undefined,
    }],
    [{ previous_response_id: null, conversation: null, background: false, prompt: null }, {}],
  ];
  for (const [given, expected] of cases) {
    const wanted: JsonObject = { ...fit(), ...expected };
    for (const name of Object.keys(wanted)) if (wanted[name] === undefined) delete wanted[name];
    assert.deepEqual(prepared({ ...fit(), ...given }), { body: wanted, ignored: [] }, JSON.stringify(given));
  }
});

Deno.test("chatGptFields() drops and names every parameter that the backend refuses", () => {
  const meant: JsonObject = {
    max_output_tokens: 10,
    max_completion_tokens: 10,
    max_tokens: 10,
    temperature: 0.2,
    top_p: 0.5,
    truncation: "auto",
    user: "u",
    metadata: { a: "b" },
    safety_identifier: "s",
    access_programs: { a: 1 },
    image: { a: 1 },
    max_tool_calls: 3,
    moderation: { model: "m" },
    prompt_cache_retention: "24h",
    prompt_cache_options: { a: 1 },
    context_management: [{ type: "compaction" }],
    generate: false,
    seed: 7,
    stop: ["x"],
    presence_penalty: 1,
    frequency_penalty: 1,
  };
  const { body, ignored } = prepared({ ...fit(), ...meant });
  assert.deepEqual(body, fit());
  assert.deepEqual([...ignored].sort(), Object.keys(meant).sort());
});

Deno.test("chatGptFields() drops the defaults of refused parameters without a word", () => {
  const defaults: JsonObject = {
    max_output_tokens: null,
    temperature: 1,
    top_p: 1,
    truncation: "disabled",
    metadata: {},
    n: 1,
    logprobs: false,
    top_logprobs: 0,
    presence_penalty: 0,
    frequency_penalty: 0,
    user: null,
  };
  assert.deepEqual(prepared({ ...fit(), ...defaults }), { body: fit(), ignored: [] });
});

Deno.test("chatGptFields() names what it changes in value", () => {
  const cases: readonly (readonly [JsonObject, string, unknown])[] = [
    [{ service_tier: "flex" }, "service_tier", undefined],
    [{ stream_options: { include_obfuscation: false } }, "stream_options", undefined],
    [{ reasoning: { effort: "minimal" } }, "reasoning.effort", { effort: "low" }],
  ];
  for (const [given, name, value] of cases) {
    const { body, ignored } = prepared({ ...fit(), ...given });
    assert.deepEqual(ignored, [name]);
    assert.deepEqual(body[name.split(".")[0] ?? ""], value);
  }
});

Deno.test("chatGptFields() leaves the effort alone when the setting says so", () => {
  const { reasoning: _, ...body } = fit();
  const outcome = prepareRequest(
    chatGptFields({ ...chatGptDefaults, defaultReasoningEffort: null }),
    body,
  );
  assert.equal(outcome.kind === "ready" && outcome.body, body);
});

Deno.test("chatGptFields() makes items fit and keeps their order", () => {
  const long = `rs_${"x".repeat(62)}`;
  const input = [
    { role: "system", content: "one" },
    {
      type: "message",
      role: "user",
      content: [{ type: "input_text", text: "two", prompt_cache_breakpoint: {} }],
    },
    { type: "message", role: "system", content: "three" },
    { type: "reasoning", id: long, summary: [], encrypted_content: "x" },
    { type: "message", id: "rs_1", role: "assistant", content: "four" },
    { type: "function_call", id: 7, call_id: "c", name: "f", arguments: "{}" },
    { type: "custom_tool_call_output", id: "ctco_1", call_id: "c", output: "" },
    { type: "web_search_call", id: "ws_1", status: "completed" },
    "odd",
  ];
  const { body, ignored } = prepared({ ...fit(), input });
  assert.deepEqual(body["input"], [
    { role: "developer", content: "one" },
    { type: "message", role: "user", content: [{ type: "input_text", text: "two" }] },
    { type: "message", role: "developer", content: "three" },
    { type: "reasoning", summary: [], encrypted_content: "x" },
    { type: "message", role: "assistant", content: "four" },
    { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
    { type: "custom_tool_call_output", id: "ctco_1", call_id: "c", output: "" },
    { type: "web_search_call", id: "ws_1", status: "completed" },
    "odd",
  ]);
  assert.deepEqual(ignored, ["prompt_cache_breakpoint"]);
  assert.equal(input[0] !== undefined && typeof input[0] !== "string" && input[0].role, "system");
});

Deno.test("chatGptFields() refuses what it could only answer wrongly", () => {
  const cases: readonly (readonly [JsonObject, string, string])[] = [
    [{ previous_response_id: "resp_1" }, "previous_response_id", "unsupported_parameter"],
    [{ conversation: "conv_1" }, "conversation", "unsupported_parameter"],
    [{ background: true }, "background", "unsupported_parameter"],
    [{ prompt: { id: "p" } }, "prompt", "unsupported_parameter"],
    [{ store: true }, "store", "unsupported_value"],
    [{ n: 2 }, "n", "unsupported_parameter"],
    [{ logprobs: true }, "logprobs", "unsupported_parameter"],
    [{ top_logprobs: 3 }, "top_logprobs", "unsupported_parameter"],
    [
      { input: [{ type: "message", role: "user", content: "x" }, { type: "item_reference", id: "msg_1" }] },
      "input[1]",
      "unsupported_value",
    ],
    [{ input: undefined }, "input", "missing_required_parameter"],
    [{ input: { role: "user" } }, "input", "invalid_type"],
  ];
  for (const [given, param, code] of cases) {
    const outcome = prepareRequest(FIELDS, { ...fit(), ...given });
    assert.ok(outcome.kind === "refused", param);
    assert.deepEqual([outcome.param, outcome.code], [param, code]);
    assert.match(outcome.message, /^[A-Z].*\.$/);
  }
});
