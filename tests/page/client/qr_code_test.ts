import assert from "node:assert/strict";
import jsqr from "jsqr";
import { type QrCode, qrCode } from "../../../src/page/client/qr_code.ts";

/** Pixels per module: a decoder, like a camera, needs more than one. */
const scale = 4;

/** Paints the path of a code, which consists of horizontal runs of one module's height. */
function paint({ size, path }: QrCode): Uint8ClampedArray {
  const side = size * scale;
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
  const runs = [...path.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)];
  assert.equal(runs.map(([run]) => run).join(""), path);
  for (const [, x, y, width, back] of runs) {
    assert.equal(width, back);
    for (let row = Number(y) * scale; row < (Number(y) + 1) * scale; row += 1) {
      const start = (row * side + Number(x) * scale) * 4;
      for (let pixel = 0; pixel < Number(width) * scale; pixel += 1) {
        pixels.set([0, 0, 0, 255], start + pixel * 4);
      }
    }
  }
  return pixels;
}

Deno.test("qrCode() draws what an independent decoder reads back", () => {
  const addresses = [
    "https://auth.openai.com/codex/device",
    "https://accounts.x.ai/oauth2/device?user_code=WDJB-MJHT",
    "http://127.0.0.1:4010/gr\u00fc\u00df?x=\u20ac",
    `https://example.com/${"a".repeat(400)}`,
  ];
  for (const address of addresses) {
    const code = qrCode(address);
    assert(code !== undefined);
    const side = code.size * scale;
    const read = jsqr.default(paint(code), side, side, { inversionAttempts: "dontInvert" });
    assert.equal(read?.data, address);
  }
});

Deno.test("qrCode() leaves a quiet zone of four modules on every side", () => {
  const code = qrCode("https://github.com/login/device");
  assert(code !== undefined);
  const runs = [...code.path.matchAll(/M(\d+) (\d+)h(\d+)/g)].map(([, ...numbers]) => numbers.map(Number));
  assert.equal(Math.min(...runs.map(([x = 0]) => x)), 4);
  assert.equal(Math.min(...runs.map(([, y = 0]) => y)), 4);
  assert.equal(Math.max(...runs.map(([x = 0, , width = 0]) => x + width)), code.size - 4);
  assert.equal(Math.max(...runs.map(([, y = 0]) => y + 1)), code.size - 4);
});

Deno.test("qrCode() returns undefined when the text is too long for any code", () => {
  assert.equal(qrCode("x".repeat(3000)), undefined);
});
