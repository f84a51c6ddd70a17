import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { generateSessionId, isSessionId, pollKeys } from "../../src/crypto/poll_key.ts";
import hkdf from "../fixtures/vectors/hkdf_sha256.json" with { type: "json" };

for (const { name, ikm, salt, info, length, okm } of hkdf.cases) {
  Deno.test(`the HKDF that these tests compare with fits RFC 5869 ${name}`, () => {
    const [secret, seasoning, label] = [ikm, salt, info].map((hex) => Uint8Array.fromHex(hex));
    assert.ok(secret && seasoning && label);
    assert.equal(referenceHkdf(secret, seasoning, label, length).toHex(), okm);
  });
}

Deno.test("pollKeys() derives the storage key and the seal key as documented", async () => {
  const id = Uint8Array.from({ length: 32 }, (_, index) => 7 * index);
  const { storageKey, sealKey } = await pollKeys(id.toBase64({ alphabet: "base64url", omitPadding: true }));
  assert.equal(
    storageKey,
    createHash("sha256").update("authai-relay poll storage v1\0").update(id).digest("base64url"),
  );
  const info = new TextEncoder().encode("authai-relay poll seal v1");
  assert.equal(sealKey.toHex(), referenceHkdf(id, new Uint8Array(), info, 32).toHex());
});

Deno.test("pollKeys() gives values that were computed outside", async () => {
  const { storageKey, sealKey } = await pollKeys("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
  assert.equal(storageKey, "lxZPdMOB3Nr3mUyF1P8EipuqPcMs_AOKi0yDEPTJspg");
  assert.equal(sealKey.toHex(), "1242b867f55e32ce5a9d63486c3cd1b6f7c12978795bb8218ee690e735436545");
});

Deno.test("pollKeys() rejects with TypeError what is no session id", async () => {
  for (const wrong of ["", "short", "../../etc/passwd", "A".repeat(42), "A".repeat(44)]) {
    await assert.rejects(pollKeys(wrong), TypeError);
  }
});

Deno.test("generateSessionId() makes different ids of 43 characters that isSessionId() accepts", () => {
  const ids = Array.from({ length: 200 }, () => generateSessionId());
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) {
    assert.equal(id.length, 43);
    assert.ok(isSessionId(id), id);
  }
});

Deno.test("isSessionId() refuses everything but 32 bytes of base64url in their one spelling", () => {
  const id = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
  assert.ok(isSessionId(id));
  for (
    const wrong of [
      "",
      id.slice(1),
      id + "A",
      id + "=",
      id + "\n",
      " " + id.slice(1),
      id.slice(0, -1) + "9", // the same 32 bytes to a lenient decoder
      id.replace("AAE", "+/E"),
      id.replace("AAE", "%2e"),
      id.replace("AAE", "../"),
      id.replace("AAE", "\0AE"),
    ]
  ) assert.equal(isSessionId(wrong), false, JSON.stringify(wrong));
});

/** RFC 5869 sections 2.2 and 2.3, from HMAC alone. */
function referenceHkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const extracted = createHmac("sha256", salt.length === 0 ? new Uint8Array(32) : salt).update(secret)
    .digest();
  const output: number[] = [];
  let block = new Uint8Array();
  for (let counter = 1; output.length < length; counter++) {
    const hmac = createHmac("sha256", extracted).update(block).update(info).update(Uint8Array.of(counter));
    block = new Uint8Array(hmac.digest());
    output.push(...block);
  }
  return Uint8Array.from(output.slice(0, length));
}
