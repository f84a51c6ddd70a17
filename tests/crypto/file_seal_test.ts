import assert from "node:assert/strict";
import { chunkAdditionalData, deriveFileKey, headAdditionalData } from "../../src/crypto/file_seal.ts";

Deno.test("deriveFileKey() is HKDF-SHA256 as documented", async () => {
  const ownerKey = Uint8Array.from({ length: 32 }, (_, index) => index);
  // Independently, with Web Crypto.
  const secret = await crypto.subtle.importKey("raw", ownerKey, "HKDF", false, ["deriveBits"]);
  const info = new TextEncoder().encode("authai-relay file v1\0file-1");
  const expected = await crypto.subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info },
    secret,
    256,
  );
  assert.deepEqual(deriveFileKey(ownerKey, "file-1"), new Uint8Array(expected));
});

Deno.test("deriveFileKey() gives each file and each owner another key", () => {
  const keys = [1, 2].flatMap((owner) =>
    ["file-1", "file-2"].map((id) => deriveFileKey(new Uint8Array(32).fill(owner), id).toHex())
  );
  assert.equal(new Set(keys).size, 4);
});

Deno.test("the additional data of every chunk and of the head differ", () => {
  const all = [
    headAdditionalData("f"),
    ...[1, 11].flatMap((position) => [true, false].map((last) => chunkAdditionalData("f", position, last))),
    chunkAdditionalData("f1", 1, true),
  ].map((bytes) => bytes.toHex());
  assert.equal(new Set(all).size, all.length);
});
