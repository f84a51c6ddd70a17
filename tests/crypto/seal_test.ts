import assert from "node:assert/strict";
import {
  generateKey,
  openBuffer,
  openWithKey,
  recordAdditionalData,
  sealBuffer,
  sealWithKey,
} from "../../src/crypto/seal.ts";
import gcm from "../fixtures/vectors/aes_256_gcm.json" with { type: "json" };

const key = Uint8Array.from({ length: 32 }, (_, index) => index);
const plaintext = new TextEncoder().encode('{"accessToken":"canary-access"}');
const additionalData = recordAdditionalData("01ARZ3NDEKTSV4RRFFQ69G5FAV", "openai");

for (const { name, key, iv, plaintext, additionalData, ciphertext, tag } of gcm.cases) {
  Deno.test(`openWithKey() opens the GCM specification's ${name}`, async () => {
    const opened = await openWithKey(
      Uint8Array.fromHex(key),
      { iv: Uint8Array.fromHex(iv), blob: Uint8Array.fromHex(ciphertext + tag) },
      Uint8Array.fromHex(additionalData),
    );
    assert.equal(opened?.toHex(), plaintext);
  });
}

Deno.test("sealWithKey() makes what Web Crypto opens, and openWithKey() opens what Web Crypto made", async () => {
  const webKey = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
  const { iv, blob } = await sealWithKey(key, plaintext, additionalData);
  assert.deepEqual(
    new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, webKey, blob)),
    plaintext,
  );
  const webBlob = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, webKey, plaintext);
  assert.deepEqual(await openWithKey(key, { iv, blob: new Uint8Array(webBlob) }, additionalData), plaintext);
});

Deno.test("sealWithKey() takes a fresh 12-byte nonce each time and appends a 16-byte tag", async () => {
  const sealed = await Promise.all(
    Array.from({ length: 100 }, () => sealWithKey(key, plaintext, additionalData)),
  );
  assert.equal(new Set(sealed.map(({ iv }) => iv.toHex())).size, 100);
  for (const { iv, blob } of sealed) {
    assert.equal(iv.length, 12);
    assert.equal(blob.length, plaintext.length + 16);
  }
});

Deno.test("sealWithKey() and openWithKey() carry an empty and a 1 MiB plaintext", async () => {
  for (const length of [0, 1 << 20]) {
    const original = new Uint8Array(length).fill(7);
    assert.deepEqual(
      await openWithKey(key, await sealWithKey(key, original, additionalData), additionalData),
      original,
    );
  }
});

Deno.test("openWithKey() returns memory that no other plaintext shares", async () => {
  const opened = await openWithKey(key, await sealWithKey(key, plaintext, additionalData), additionalData);
  assert.equal(opened?.buffer.byteLength, plaintext.length);
});

Deno.test("openWithKey() resolves to undefined when any byte of nonce, ciphertext or additional data is changed", async () => {
  const { iv, blob } = await sealWithKey(key, plaintext, additionalData);
  for (const change of everyChangedByte(iv)) {
    assert.equal(await openWithKey(key, { iv: change, blob }, additionalData), undefined);
  }
  for (const change of everyChangedByte(blob)) {
    assert.equal(await openWithKey(key, { iv, blob: change }, additionalData), undefined);
  }
  for (const change of everyChangedByte(additionalData)) {
    assert.equal(await openWithKey(key, { iv, blob }, change), undefined);
  }
  for (const change of everyChangedByte(key)) {
    assert.equal(await openWithKey(change, { iv, blob }, additionalData), undefined);
  }
  assert.deepEqual(
    await openWithKey(key, { iv, blob }, additionalData),
    plaintext,
    "the originals still open",
  );
});

Deno.test("openWithKey() resolves to undefined when nonce, ciphertext or additional data is cut or extended", async () => {
  const { iv, blob } = await sealWithKey(key, plaintext, additionalData);
  for (let length = 0; length < blob.length; length++) {
    assert.equal(await openWithKey(key, { iv, blob: blob.subarray(0, length) }, additionalData), undefined);
    assert.equal(await openWithKey(key, { iv, blob: blob.subarray(length + 1) }, additionalData), undefined);
  }
  for (let length = 0; length < iv.length; length++) {
    assert.equal(await openWithKey(key, { iv: iv.subarray(0, length), blob }, additionalData), undefined);
  }
  assert.equal(await openWithKey(key, { iv: extended(iv), blob }, additionalData), undefined);
  assert.equal(await openWithKey(key, { iv, blob: extended(blob) }, additionalData), undefined);
  assert.equal(await openWithKey(key, { iv, blob }, extended(additionalData)), undefined);
  assert.equal(await openWithKey(key, { iv, blob }, new Uint8Array()), undefined);
});

Deno.test("sealWithKey(), openWithKey(), sealBuffer() and openBuffer() reject with TypeError when the key is not 32 bytes", async () => {
  const sealed = await sealWithKey(key, plaintext, additionalData);
  for (const length of [0, 16, 24, 31, 33, 64]) {
    const wrong = new Uint8Array(length);
    await assert.rejects(sealWithKey(wrong, plaintext, additionalData), TypeError);
    await assert.rejects(openWithKey(wrong, sealed, additionalData), TypeError);
    await assert.rejects(sealBuffer(wrong, plaintext, additionalData), TypeError);
    await assert.rejects(openBuffer(wrong, new Uint8Array(64), additionalData), TypeError);
  }
});

Deno.test("sealBuffer() writes nonce, ciphertext and tag, and openBuffer() reads them", async () => {
  const buffer = await sealBuffer(key, plaintext, additionalData);
  assert.equal(buffer.length, 12 + plaintext.length + 16);
  assert.deepEqual(await openBuffer(key, buffer, additionalData), plaintext);
  const parts = { iv: buffer.subarray(0, 12), blob: buffer.subarray(12) };
  assert.deepEqual(await openWithKey(key, parts, additionalData), plaintext);
});

Deno.test("openBuffer() resolves to undefined when any byte is changed, cut or added", async () => {
  const buffer = await sealBuffer(key, plaintext, additionalData);
  for (const change of everyChangedByte(buffer)) {
    assert.equal(await openBuffer(key, change, additionalData), undefined);
  }
  for (let length = 0; length < buffer.length; length++) {
    assert.equal(await openBuffer(key, buffer.subarray(0, length), additionalData), undefined);
  }
  assert.equal(await openBuffer(key, extended(buffer), additionalData), undefined);
});

Deno.test("recordAdditionalData() writes version, id, zero and provider", () => {
  assert.equal(
    recordAdditionalData("01ARZ3NDEKTSV4RRFFQ69G5FAV", "xai").toHex(),
    "01" + "3031" + "41525a334e44454b5453563452524646513639473546415600" + "786169",
  );
});

Deno.test("recordAdditionalData() throws TypeError when a part is empty or contains U+0000", () => {
  for (const [id, provider] of [["", "xai"], ["id", ""], ["a\0b", "xai"], ["a", "x\0ai"]] as const) {
    assert.throws(() => recordAdditionalData(id, provider), TypeError);
  }
});

Deno.test("generateKey() returns 32 bytes that differ each time", () => {
  const keys = Array.from({ length: 100 }, () => generateKey());
  assert.ok(keys.every((key) => key.length === 32));
  assert.equal(new Set(keys.map((key) => key.toHex())).size, 100);
});

function* everyChangedByte(bytes: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
  for (const [index, byte] of bytes.entries()) {
    const change = Uint8Array.from(bytes);
    change[index] = byte ^ (1 << (index % 8));
    yield change;
  }
}

function extended(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([...bytes, 0]);
}
