import assert from "node:assert/strict";
import {
  constantTimeEqual,
  fingerprint,
  generateSecretHex,
  parseSecret,
  secretsDiffer,
} from "../../src/crypto/secret.ts";

Deno.test("parseSecret() reads hexadecimal of either case from 32 bytes on", () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, index) => 255 - index);
  for (const length of [32, 33, 40]) {
    const hex = bytes.subarray(0, length).toHex();
    assert.deepEqual(parseSecret(hex), { kind: "secret", bytes: bytes.slice(0, length) });
    assert.deepEqual(parseSecret(hex.toUpperCase()), { kind: "secret", bytes: bytes.slice(0, length) });
  }
});

for (
  const [what, hex, rule] of [
    ["nothing", "", "must be at least 32 bytes (64 hexadecimal digits)"],
    ["31 bytes", "c4".repeat(30) + "c5", "must be at least 32 bytes (64 hexadecimal digits)"],
    ["63 digits", "c4".repeat(31) + "c", "must be at least 32 bytes (64 hexadecimal digits)"],
    ["65 digits", "c4".repeat(32) + "c", "must have an even number of hexadecimal digits"],
    ["a letter that is no digit", "c4".repeat(31) + "cg", "must consist of hexadecimal digits only"],
    ["white space at the end", "c4".repeat(31) + "c5\n", "must consist of hexadecimal digits only"],
    ["a prefix", "0x" + "c4".repeat(31) + "c5", "must consist of hexadecimal digits only"],
    ["base64", "3q2+7w==".repeat(8), "must consist of hexadecimal digits only"],
    ["zeros", "00".repeat(32), "must be random, not one byte repeated"],
    ["one byte repeated", "c4".repeat(48), "must be random, not one byte repeated"],
  ] as const
) {
  Deno.test(`parseSecret() rejects ${what} with a rule`, () => {
    assert.deepEqual(parseSecret(hex), { kind: "rejected", rule });
  });
}

Deno.test("generateSecretHex() makes different secrets that parseSecret() reads", () => {
  const secrets = Array.from({ length: 100 }, () => generateSecretHex());
  assert.equal(new Set(secrets).size, secrets.length);
  for (const hex of secrets) {
    const parsed = parseSecret(hex);
    assert.ok(parsed.kind === "secret" && parsed.bytes.length === 32);
  }
});

Deno.test("constantTimeEqual() and secretsDiffer() compare whole contents and lengths", () => {
  const secret = Uint8Array.from({ length: 32 }, (_, index) => index);
  assert.ok(constantTimeEqual(secret, Uint8Array.from(secret)));
  assert.equal(secretsDiffer(secret, Uint8Array.from(secret)), false);
  for (let index = 0; index < secret.length; index++) {
    const changed = Uint8Array.from(secret);
    changed[index] = index ^ 0x80;
    assert.equal(constantTimeEqual(secret, changed), false);
    assert.ok(secretsDiffer(secret, changed));
  }
  assert.equal(constantTimeEqual(secret, secret.subarray(1)), false);
  assert.ok(constantTimeEqual(new Uint8Array(), new Uint8Array()));
});

Deno.test("fingerprint() is the first 12 hexadecimal digits of SHA-256", async () => {
  // FIPS 180-2 appendix B.1: SHA-256("abc") = ba7816bf 8f01cfea ...
  assert.equal(await fingerprint("abc"), "ba7816bf8f01");
});
