import assert from "node:assert/strict";
import { decodeBase64Url, encodeBase64Url } from "../../src/crypto/base64url.ts";

Deno.test("encodeBase64Url() writes the URL-safe alphabet without padding", () => {
  assert.equal(encodeBase64Url(new Uint8Array([0xfb, 0xff, 0xfe, 0x01])), "-__-AQ");
  assert.equal(encodeBase64Url(new Uint8Array()), "");
});

Deno.test("decodeBase64Url() reads back what encodeBase64Url() wrote, for every length", () => {
  for (let length = 0; length < 40; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => index * 37 + length);
    assert.deepEqual(decodeBase64Url(encodeBase64Url(bytes)), bytes);
  }
});

for (
  const [what, text] of [
    ["padding", "-__-AQ=="],
    ["surplus bits", "-__-AR"],
    ["white space", "-__ -AQ"],
    ["a line break", "-__-AQ\n"],
    ["the ordinary alphabet", "+//+AQ"],
    ["a lonely character", "-__-A"],
    ["a foreign character", "-__-A*"],
  ] as const
) {
  Deno.test(`decodeBase64Url() refuses ${what}`, () => {
    assert.equal(decodeBase64Url(text), undefined);
  });
}
