import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createIdentity } from "../../src/crypto/identity.ts";
import hmac from "../fixtures/vectors/hmac_sha256.json" with { type: "json" };

const secret = Uint8Array.from({ length: 32 }, (_, index) => index);

for (const { name, key, data, mac } of hmac.cases) {
  Deno.test(`the HMAC that these tests compare with fits RFC 4231 ${name}`, () => {
    assert.equal(reference(Uint8Array.fromHex(key), Uint8Array.fromHex(data)).toHex(), mac);
  });
}

Deno.test("userId() is the HMAC of provider, zero and account id", async () => {
  const identity = createIdentity(secret);
  for (
    const [provider, account] of [["openai", "user-123"], ["github", "583231"], [
      "xai",
      "\u00fcml\u00e4ut",
    ]] as const
  ) {
    const message = new TextEncoder().encode(`${provider}\0${account}`);
    const expected = reference(secret, message).toBase64({ alphabet: "base64url", omitPadding: true });
    assert.equal(await identity.userId(provider, account), expected);
  }
});

Deno.test("userId() gives a value that was computed outside", async () => {
  assert.equal(
    await createIdentity(secret).userId("openai", "user-123"),
    "HXCEiLu1OPWC1LF91ywCheTA5Ez0DqYyZd9usMGKVrk",
  );
});

Deno.test("userId() differs when provider, account or secret differ, and wherever the boundary lies", async () => {
  const identity = createIdentity(secret);
  const ids = await Promise.all([
    identity.userId("openai", "user-123"),
    identity.userId("xai", "user-123"),
    identity.userId("openai", "user-124"),
    identity.userId("openaiu", "ser-123"),
    createIdentity(Uint8Array.from(secret, (byte) => byte ^ 1)).userId("openai", "user-123"),
  ]);
  assert.equal(new Set(ids).size, ids.length);
});

Deno.test("userId() rejects with TypeError when the account id is empty or a part contains U+0000", async () => {
  const identity = createIdentity(secret);
  await assert.rejects(identity.userId("openai", ""), TypeError);
  await assert.rejects(identity.userId("openai", "a\0b"), TypeError);
  await assert.rejects(identity.userId("open\0ai", "a"), TypeError);
});

Deno.test("createIdentity() throws TypeError when the secret is shorter than 32 bytes", () => {
  assert.throws(() => createIdentity(new Uint8Array(31)), TypeError);
});

function reference(key: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac("sha256", key).update(data).digest());
}
