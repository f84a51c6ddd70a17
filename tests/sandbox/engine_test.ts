import assert from "node:assert/strict";
import type { Turn } from "../../src/sandbox/contract.ts";
import { planTurn } from "../../src/sandbox/engine.ts";

const TURN: Turn = {
  model: "sim-1",
  instructions: ["Be brief."],
  messages: [{ role: "user", text: "Good morning", images: 0 }],
  tools: [],
  toolResults: [],
  toolChoice: "auto",
  parallelToolCalls: true,
  reasoning: false,
  schema: undefined,
};

const TOOLS: Turn["tools"] = [
  {
    name: "get_weather",
    parameters: {
      type: "object",
      properties: {
        city: { type: "string" },
        unit: { enum: ["celsius", "kelvin"] },
        days: { type: "integer" },
      },
      required: ["city"],
    },
  },
  { name: "get_weather_map", parameters: { type: "object", properties: {} } },
  { name: "send-mail", parameters: null },
];

function asked(text: string, changes: Partial<Turn> = {}): Turn {
  return { ...TURN, messages: [{ role: "user", text, images: 0 }], ...changes };
}

function calls(turn: Turn): readonly (readonly [string, unknown])[] {
  return planTurn(turn).toolCalls.map((call) => [call.name, JSON.parse(call.fragments.join(""))]);
}

Deno.test("planTurn() echoes text and names the model in several pieces when nothing special is asked", () => {
  const plan = planTurn(TURN);
  assert.equal(plan.text.join(""), 'Hello from sim-1! You said: "Good morning".');
  assert.ok(plan.text.length > 3);
  assert.equal(plan.finish, "stop");
  assert.deepEqual([plan.reasoning, plan.refusal, plan.toolCalls], [[], [], []]);
});

Deno.test("planTurn() counts the images of the last user message", () => {
  const messages = [{ role: "user" as const, text: "look", images: 2 }];
  assert.match(planTurn({ ...TURN, messages }).text.join(""), /I see 2 images\.$/);
});

Deno.test("planTurn() clips long echoes between code points", () => {
  const text = planTurn(asked("\u{1f600}".repeat(1000))).text.join("");
  assert.match(text, /\u{1f600}\.\.\."\.$/u);
  assert.ok(text.isWellFormed());
});

Deno.test("planTurn() gives equal plans for equal turns and other digests for other turns", () => {
  assert.deepEqual(planTurn(asked("a")), planTurn(asked("a")));
  assert.notEqual(planTurn(asked("a")).digest, planTurn(asked("b")).digest);
  assert.match(planTurn(TURN).digest, /^[0-9a-f]{64}$/);
});

Deno.test("planTurn() calls the tools that the text names as whole words", () => {
  assert.deepEqual(calls(asked("use get_weather now", { tools: TOOLS })), [
    ["get_weather", { city: "sample city", unit: "celsius", days: 1 }],
  ]);
  assert.deepEqual(calls(asked("get_weather_map please", { tools: TOOLS })), [["get_weather_map", {}]]);
  assert.deepEqual(calls(asked("nothing of that", { tools: TOOLS })), []);
});

Deno.test("planTurn() calls two tools at once only when parallel calls are allowed", () => {
  const text = "get_weather, then send-mail";
  assert.deepEqual(calls(asked(text, { tools: TOOLS })).map(([name]) => name), ["get_weather", "send-mail"]);
  const single = asked(text, { tools: TOOLS, parallelToolCalls: false });
  assert.deepEqual(calls(single).map(([name]) => name), ["get_weather"]);
});

Deno.test("planTurn() obeys the tool choice", () => {
  const names = (toolChoice: Turn["toolChoice"]) =>
    calls(asked("hello", { tools: TOOLS, toolChoice })).map(([name]) => name);
  assert.deepEqual(names("none"), []);
  assert.deepEqual(names("required"), ["get_weather"]);
  assert.deepEqual(names({ name: "send-mail" }), ["send-mail"]);
  assert.deepEqual(calls(asked("get_weather", { tools: TOOLS, toolChoice: "none" })), []);
});

Deno.test("planTurn() streams arguments in several fragments", () => {
  const [call] = planTurn(asked("get_weather", { tools: TOOLS })).toolCalls;
  assert.ok((call?.fragments.length ?? 0) > 2);
});

Deno.test("planTurn() summarizes tool results instead of calling again", () => {
  const toolResults = [{ callId: "call_1", name: "get_weather", output: "18 degrees" }];
  const plan = planTurn(asked("get_weather", { tools: TOOLS, toolResults }));
  assert.equal(plan.text.join(""), "get_weather said: 18 degrees");
  assert.deepEqual(plan.toolCalls, []);
});

Deno.test("planTurn() takes the steps that the text asks for one after the other", () => {
  const tools: Turn["tools"] = [...TOOLS, { name: "patch", parameters: null, freeform: true }];
  const text = 'get_weather with {"city":"Oslo"}, after that patch with "one\\ntwo" and send-mail';
  const result = (name: string) => ({ callId: name, name, output: `did ${name}` });
  const steps = [[], ["get_weather"], ["get_weather", "patch", "send-mail"]].map((done) =>
    planTurn(asked(text, { tools, toolResults: done.map(result) }))
  );
  assert.deepEqual(
    steps.map(({ toolCalls }) => toolCalls.map(({ name, fragments }) => [name, fragments.join("")])),
    [[["get_weather", '{"city":"Oslo"}']], [["patch", "one\ntwo"], ["send-mail", "{}"]], []],
  );
  assert.equal(steps[1]?.toolCalls[0]?.freeform, true);
  assert.match(steps[2]?.text.join("") ?? "", /did get_weather[\s\S]*did patch[\s\S]*did send-mail/);
});

Deno.test("planTurn() puts text before a call when asked to announce it", () => {
  const plan = planTurn(asked("get_weather, and announce it", { tools: TOOLS }));
  assert.equal(plan.text.join(""), "I will call get_weather.");
  assert.equal(plan.toolCalls.length, 1);
});

Deno.test("planTurn() follows a schema", () => {
  const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
  assert.deepEqual(JSON.parse(planTurn(asked("hi", { schema })).text.join("")), { ok: true });
});

Deno.test("planTurn() ends as the text wishes", () => {
  assert.deepEqual(planTurn(asked("Please refuse this")).text, []);
  assert.match(planTurn(asked("Please refuse this")).refusal.join(""), /cannot help/);
  assert.equal(planTurn(asked("please be filtered")).finish, "content_filter");
  assert.equal(planTurn(asked("please be cut off")).finish, "length");
});

Deno.test("planTurn() counts in one piece per number", () => {
  const { text } = planTurn(asked("Count to 1000"));
  assert.equal(text.length, 1000);
  assert.equal(text.slice(0, 3).join(""), "1 2 3");
  assert.equal(planTurn(asked("count to 999999999")).text.length, 100_000);
});

Deno.test("planTurn() cuts text at the output limit, reasoning included", () => {
  const plan = planTurn(asked("count to 50", { maxOutputTokens: 7 }));
  assert.deepEqual([plan.text.length, plan.finish, plan.usage.outputTokens], [7, "length", 7]);
  const thinking = planTurn(asked("count to 50", { maxOutputTokens: 20, reasoning: true }));
  assert.equal(thinking.usage.outputTokens, 20);
  assert.equal(thinking.text.length, 20 - thinking.reasoning.length);
});

Deno.test("planTurn() computes usage by its rule", () => {
  const plan = planTurn(asked("x".repeat(4096), { reasoning: true, instructions: [] }));
  assert.equal(plan.usage.inputTokens, 1024);
  assert.equal(plan.usage.cachedTokens, 0);
  assert.ok(plan.reasoning.length > 0);
  assert.equal(plan.usage.reasoningTokens, plan.reasoning.length);
  assert.equal(plan.usage.outputTokens, plan.reasoning.length + plan.text.length);
});
