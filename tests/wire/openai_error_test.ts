import assert from "node:assert/strict";
import { openAiError, readToldError, withSafeError } from "../../src/wire/openai_error.ts";

Deno.test("openAiError() prints the four members in the reference's order and nothing else", () => {
  const fields = { secret: "canary", code: "c", param: null, type: "t", message: "M." };
  assert.equal(
    JSON.stringify(openAiError(fields)),
    '{"error":{"message":"M.","type":"t","param":null,"code":"c"}}',
  );
});

const nothing = { message: null, type: null, param: null, code: null };
const SHAPES = [
  {
    name: "OpenAI",
    json: { error: { message: "M.", type: "t", param: "p", code: "c" } },
    told: { message: "M.", type: "t", param: "p", code: "c" },
  },
  {
    name: "flat",
    json: { code: "c", message: "M.", param: "p" },
    told: { ...nothing, message: "M.", code: "c", param: "p" },
  },
  { name: "Grok", json: { code: "c", error: "M." }, told: { ...nothing, message: "M.", code: "c" } },
  {
    name: "Grok with a number",
    json: { code: 7, message: "M.", details: [] },
    told: { ...nothing, message: "M.", code: "7" },
  },
  { name: "bare text", json: { error: "M." }, told: { ...nothing, message: "M." } },
  { name: "detail", json: { detail: "M." }, told: { ...nothing, message: "M." } },
  {
    name: "code only",
    json: { error: { code: "server_is_overloaded" } },
    told: { ...nothing, code: "server_is_overloaded" },
  },
  { name: "empty error object", json: { error: { code: "", message: "" } }, told: undefined },
  { name: "no error", json: { choices: [] }, told: undefined },
  { name: "null error", json: { error: null }, told: undefined },
];

for (const { name, json, told } of SHAPES) {
  Deno.test(`readToldError() reads the shape: ${name}`, () => {
    assert.deepEqual(readToldError(json), told);
  });
}

Deno.test("readToldError() takes out what looks like a credential", () => {
  const error = {
    message: "You sent Bearer canary-token-1234567890, which is not valid.",
    code: "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    param: "tid=0123;exp=1;sku=x",
    type: "invalid_request_error",
  };
  assert.deepEqual(readToldError({ error }), {
    message: "You sent [removed], which is not valid.",
    code: "[removed]",
    param: "[removed]",
    type: "invalid_request_error",
  });
  assert.equal(readToldError({ detail: "No Bearer abc allowed." })?.message, "No [removed] allowed.");
});

Deno.test("withSafeError() leaves an event as it is unless its error's words hold a credential", () => {
  const clean = { type: "error", sequence_number: 3, error: { message: "Overloaded.", code: "slow_down" } };
  assert.equal(withSafeError(clean), clean);
  const secret = "Bearer canary-token-1234567890";
  assert.deepEqual(
    withSafeError({ type: "error", message: `Saw ${secret}, alas.`, code: "x", sequence_number: 3 }),
    {
      type: "error",
      message: "Saw [removed], alas.",
      code: "x",
      sequence_number: 3,
    },
  );
  const failed = {
    type: "response.failed",
    response: { id: "resp_1", error: { message: secret, type: secret, code: "x" } },
  };
  assert.deepEqual(withSafeError(failed), {
    type: "response.failed",
    response: { id: "resp_1", error: { message: "[removed]", type: "[removed]", code: "x" } },
  });
});
