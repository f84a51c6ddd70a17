import assert from "node:assert/strict";
import { ignoredParametersHeader, ignoredParametersValue } from "../../src/app/ignored_parameters.ts";
import { startRig } from "../e2e/rig.ts";

const cases: readonly (readonly [string, readonly string[], string])[] = [
  ["plain names", ["temperature", "top_p", "tools[0].strict"], "temperature, top_p, tools[0].strict"],
  [
    "a name that no header can carry",
    ["\u043a\u043b\u044e\u0447", "a\r\nb: c"],
    "%D0%BA%D0%BB%D1%8E%D1%87, a%0D%0Ab%3A%20c",
  ],
  ["a name with a comma", ["a, b"], "a%2C%20b"],
  ["half a surrogate pair", ["\ud800"], "%EF%BF%BD"],
  ["a long name", ["x".repeat(5_000)], "x".repeat(64)],
  ["a name that is a credential", [`eyJ${"A1".repeat(60)}.${"b2".repeat(30)}`], "[removed]"],
];

for (const [what, names, expected] of cases) {
  Deno.test(`ignoredParametersValue() tells ${what}`, () => {
    assert.equal(ignoredParametersValue(names), expected);
    assert.equal(new Headers({ [ignoredParametersHeader]: ignoredParametersValue(names) }).get("date"), null);
  });
}

Deno.test("ignoredParametersValue() counts what is more than 32 names", () => {
  const names = Array.from({ length: 40 }, (_, index) => `p${index}`);
  assert.match(ignoredParametersValue(names), /^p0, p1, .*, p31, and 8 more$/);
});

Deno.test("a call with a parameter whose name no header can carry is answered", async () => {
  await using rig = await startRig();
  const response = await fetch(`${rig.origin}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${await rig.signIn("openai")}` },
    body: JSON.stringify({
      model: "gpt-5.5",
      messages: [{ role: "user", content: "Hello" }],
      "\u043a\u043b\u044e\u0447": 1,
    }),
  });
  assert.equal(response.status, 200, await response.text());
  assert.equal(response.headers.get(ignoredParametersHeader), "%D0%BA%D0%BB%D1%8E%D1%87");
});

Deno.test("a call's header names parameters as the client wrote them, whatever they are called upstream", async () => {
  await using rig = await startRig();
  const jwt = await rig.signIn("openai");
  const messages = [{ role: "user", content: "Hello" }];
  const model = "gpt-5.5";
  const cases: readonly (readonly [string, object, string])[] = [
    [
      "chat/completions",
      { model, messages, max_tokens: 9, temperature: 0.1, seed: 1 },
      "seed, temperature, max_tokens",
    ],
    ["chat/completions", { model, messages, max_completion_tokens: 9 }, "max_completion_tokens"],
    ["chat/completions", { model, messages, reasoning_effort: "minimal" }, "reasoning_effort"],
    ["completions", { model, prompt: "Hello", max_tokens: 9 }, "max_tokens"],
    ["responses", { model, input: "Hello", max_output_tokens: 9 }, "max_output_tokens"],
  ];
  for (const [path, body, expected] of cases) {
    const response = await fetch(`${rig.origin}/v1/${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${jwt}` },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200, await response.text());
    const told = response.headers.get(ignoredParametersHeader)?.split(", ").sort();
    assert.deepEqual(told, expected.split(", ").sort(), JSON.stringify(body));
  }
});
