import assert from "node:assert/strict";
import { openAiError, readToldError } from "../../src/wire/openai_error.ts";

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
