import assert from "node:assert/strict";
import { completionsToResponses } from "../../src/translate/completions_to_responses.ts";
import { translationOf } from "../../src/translate/translation.ts";
import type { JsonObject } from "../../src/wire/json.ts";

const HELLO: JsonObject = { model: "m", prompt: "Once upon" };
const INPUT = "Once upon";

function ready(body: JsonObject) {
  const translated = completionsToResponses(body);
  assert.ok(translated.kind === "ready", JSON.stringify(translated));
  return translated;
}

function refused(body: JsonObject) {
  const translated = completionsToResponses(body);
  assert.ok(translated.kind === "refused", JSON.stringify(translated));
  return translated;
}

Deno.test("completionsToResponses() makes a user message of a prompt", () => {
  for (const prompt of ["Once upon", ["Once upon"]]) {
    assert.deepEqual(ready({ ...HELLO, prompt }), {
      kind: "ready",
      body: { model: "m", input: INPUT },
      ignored: [],
    });
  }
});

Deno.test("completionsToResponses() refuses prompts that are not one text", () => {
  const cases: readonly [unknown, string][] = [
    [["a", "b"], "unsupported_value"],
    [[1, 2, 3], "unsupported_value"],
    [[1], "unsupported_value"],
    [[[1, 2]], "unsupported_value"],
    [[[1], [2]], "unsupported_value"],
    [undefined, "missing_required_parameter"],
    [null, "invalid_type"],
    [[], "invalid_type"],
    [{}, "invalid_type"],
    [[{}], "invalid_type"],
    [[null], "invalid_type"],
    [true, "invalid_type"],
  ];
  for (const [prompt, code] of cases) {
    const { param, code: told } = refused({ model: "m", prompt });
    assert.deepEqual([param, told], ["prompt", code], JSON.stringify(prompt));
  }
});

Deno.test("completionsToResponses() carries the stream, the cap, the sampling and the user", () => {
  const carried = { stream: true, temperature: 0.5, top_p: 0.9, user: "u" };
  assert.deepEqual(ready({ ...HELLO, ...carried, max_tokens: 7, stream_options: { include_usage: true } }), {
    kind: "ready",
    body: { model: "m", input: INPUT, ...carried, max_output_tokens: 7 },
    ignored: [],
  });
});

Deno.test("completionsToResponses() refuses what would be another answer", () => {
  const asks: JsonObject = { best_of: 2, echo: true, logprobs: 0, n: 2, suffix: "the end." };
  for (const [field, value] of Object.entries(asks)) {
    const { param, code, message } = refused({ ...HELLO, [field]: value });
    assert.deepEqual([param, code], [field, "unsupported_parameter"]);
    assert.match(message, /^[A-Z].*\.$/);
  }
  const idle = { best_of: 1, echo: false, logprobs: null, n: 1, suffix: "" };
  assert.deepEqual(ready({ ...HELLO, ...idle }).ignored, []);
});

Deno.test("completionsToResponses() drops and names what the hub has no place for", () => {
  const { body, ignored } = ready({
    ...HELLO,
    frequency_penalty: 1,
    logit_bias: { "50256": -100 },
    presence_penalty: 1,
    seed: 1,
    stop: ["\n"],
    stream_options: { include_usage: true, include_obfuscation: true },
    invented: 1,
  });
  assert.deepEqual(body, { model: "m", input: INPUT });
  assert.deepEqual([...ignored].sort(), [
    "frequency_penalty",
    "invented",
    "logit_bias",
    "presence_penalty",
    "seed",
    "stop",
    "stream_options.include_obfuscation",
  ]);
  assert.deepEqual(ready({ ...HELLO, frequency_penalty: 0, logit_bias: {}, stop: null }).ignored, []);
});

Deno.test("translationOf() chains both request halves for completions in front of an upstream that speaks Chat", () => {
  const wishes = {
    stream: true,
    includeUsage: false,
    legacyFunctions: false,
    model: "m",
    nowS: 1,
    id: "cmpl-1",
  };
  const { request } = translationOf("completions", { dialect: "chat", strays: false }, wishes);
  const translated = request({ ...HELLO, stream: true, max_tokens: 7, stop: "x" });
  assert.ok(translated.kind === "ready");
  assert.deepEqual(translated.ignored, ["stop"]);
  assert.deepEqual(translated.body["messages"], [{ role: "user", content: "Once upon" }]);
  assert.equal(translated.body["max_completion_tokens"], 7);
  assert.equal(translated.body["stream"], true);
  assert.equal(request({ ...HELLO, echo: true }).kind, "refused");
});
