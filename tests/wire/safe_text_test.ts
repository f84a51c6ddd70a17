import assert from "node:assert/strict";
import {
  clientHeaderValue,
  headerWord,
  oauthCode,
  safeCode,
  safeSentence,
  withoutSecrets,
} from "../../src/wire/safe_text.ts";
import { jwt } from "../provider/stub_upstream.ts";

Deno.test("withoutSecrets() removes the call's own secrets and everything that looks like a credential", () => {
  const secrets = [
    "plain-canary-word",
    jwt({ sub: "x" }),
    "ghu_0123456789abcdefABCD",
    "github_pat_0123456789abcdef",
    "sk-proj-0123456789abcdef",
    "xai-0123456789abcdef",
    "rt_0123456789abcdef",
    "tid=0123;exp=1;sku=free:0123456789abcdef",
    "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3A",
  ];
  for (const secret of secrets) {
    const clean = withoutSecrets(`The token "${secret}" was refused.`, ["plain-canary-word"]);
    assert.ok(!clean.includes(secret.slice(0, 16)), clean);
    assert.ok(clean.startsWith("The token") && clean.endsWith("refused."), clean);
  }
  assert.equal(withoutSecrets("Authorization: Bearer abc, ok", []), "Authorization: [removed], ok");
});

Deno.test("withoutSecrets() leaves sentences, ids and links that a reader needs", () => {
  const text = "See https://docs.github.com/en/site-policy/github-terms/github-terms-of-service for " +
    "call_abcdefgh12345678 of 7d9f1c1e-6f5e-4a44-9d6e-0c2b4d1f5a77, at least-once-delivery.";
  assert.equal(withoutSecrets(text, ["short"]), text);
});

Deno.test("safeSentence() yields one bounded line, or nothing", () => {
  assert.equal(safeSentence(" two\r\n lines\u0007 ", [], 100), "two lines");
  assert.equal(safeSentence("abcdefghij", [], 8), "abcde...");
  assert.equal(safeSentence("  ", [], 8), undefined);
  assert.equal(safeSentence(7, [], 8), undefined);
});

Deno.test("safeCode() accepts codes and refuses sentences, secrets and overlong words", () => {
  for (const code of ["rate_limited", "unauthenticated:bad-credentials", "invalid-argument", "Timeout"]) {
    assert.equal(safeCode(code, []), code);
  }
  for (const value of ["a sentence", "", 7, "x".repeat(65), "canary-secret", "ghu_0123456789abcdef"]) {
    assert.equal(safeCode(value, ["canary-secret"]), undefined, String(value));
  }
});

Deno.test("oauthCode() accepts the shape of RFC 6749 codes only", () => {
  for (const code of ["invalid_grant", "deviceauth_authorization_pending", "slow_down"]) {
    assert.equal(oauthCode(code), code);
  }
  for (const value of ["canary-1", "Invalid", "a1", "has space", "x".repeat(30), "", null]) {
    assert.equal(oauthCode(value), undefined, String(value));
  }
});

Deno.test("headerWord() and clientHeaderValue() never yield what a header cannot carry", () => {
  assert.equal(headerWord("Zo\u00eb's\r\nApp", "x"), "Zo'sApp");
  assert.equal(headerWord("\u30a2\u30d7\u30ea", "authai-relay"), "authai-relay");
  assert.equal(clientHeaderValue("conv-1"), "conv-1");
  for (const value of ["a b", "a\nb", "\u00e9", "", "x".repeat(257), 7, undefined]) {
    assert.equal(clientHeaderValue(value), undefined, String(value));
  }
});

Deno.test("withoutSecrets() removes the whole of a Copilot token behind a scheme", () => {
  const token = "tid=2841516c;exp=1795309215;sku=monthly_subscriber;st=dotcom;chat=1:0f0e0d0c";
  assert.equal(withoutSecrets(`Refused: Bearer ${token} (sorry)`, []), "Refused: [removed] (sorry)");
});
