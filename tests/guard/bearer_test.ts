import assert from "node:assert/strict";
import { bearerToken } from "../../src/guard/bearer.ts";

Deno.test("bearerToken() reads RFC 6750 headers and nothing else", () => {
  const cases: [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ["Bearer abc.def-ghi_123", "abc.def-ghi_123"],
    ["bearer abc", "abc"],
    ["BEARER   abc", "abc"],
    ["Bearer abc ", "abc"],
    ["Bearer", undefined],
    ["Bearer ", undefined],
    ["Bearerabc", undefined],
    ["Basic YTpi", undefined],
    ["Bearer a b", undefined],
    ["Bearer a,Bearer b", undefined],
    ["Token abc", undefined],
    [`Bearer ${"x".repeat(9_000)}`, undefined],
  ];
  for (const [header, token] of cases) {
    const headers = new Headers(header === undefined ? {} : { authorization: header });
    assert.equal(bearerToken(headers), token, JSON.stringify(header?.slice(0, 40)));
  }
});
