import assert from "node:assert/strict";
import { createTokenSource } from "../../src/sandbox/token_source.ts";

Deno.test("createTokenSource() gives 32 letters and digits, other ones each time, the same in every run", () => {
  const [first, second] = [createTokenSource(), createTokenSource()];
  const tokens = Array.from({ length: 500 }, () => first("t_", "a"));
  for (const token of tokens) assert.match(token, /^t_[A-Za-z0-9]{32}$/);
  assert.equal(new Set(tokens).size, 500);
  assert.deepEqual(Array.from({ length: 500 }, () => second("t_", "a")), tokens);
  assert.notEqual(second("t_", "b"), tokens[0]);
});
