import assert from "node:assert/strict";
import jsQr from "jsqr";
import { drawQrCode } from "../../src/cli/qr_drawing.ts";

/** The upper and the lower module of each cell; 1 is dark. */
const cells: Readonly<Record<string, readonly [number, number]>> = {
  " ": [0, 0],
  "\u2584": [0, 1],
  "\u2580": [1, 0],
  "\u2588": [1, 1],
};

/** What a camera reads of the drawing, each module `scale` pixels wide. */
function read(lines: readonly string[], scale = 4): string | undefined {
  // deno-lint-ignore no-control-regex -- the colours are taken off
  const rows = lines.map((line) => [...line.replace(/\x1b\[[\d;]*m/g, "")]).flatMap((row) =>
    [0, 1].map((half) => row.map((cell) => cells[cell]?.[half]))
  );
  const width = (rows[0]?.length ?? 0) * scale;
  const pixels = new Uint8ClampedArray(width * rows.length * scale * 4);
  for (let y = 0; y < rows.length * scale; y++) {
    for (let x = 0; x < width; x++) {
      const dark = rows[Math.floor(y / scale)]?.[Math.floor(x / scale)];
      pixels.set([...Array(3).fill(dark === 1 ? 0 : 255), 255], (y * width + x) * 4);
    }
  }
  return jsQr.default(pixels, width, rows.length * scale)?.data;
}

for (
  const url of [
    "https://auth.openai.com/codex/device",
    "https://accounts.x.ai/oauth2/device?user_code=ABCD-EFGH",
    "https://github.com/login/device",
    "https://example.com/\u00fc",
  ]
) {
  Deno.test(`drawQrCode() draws ${url} in less than a screen, and a camera reads it`, () => {
    const lines = drawQrCode(url) ?? [];
    assert.equal(read(lines), url);
    assert.ok(lines.length <= 19, String(lines.length));
    // deno-lint-ignore no-control-regex -- each line sets its colours and takes them back
    assert.ok(lines.every((line) => /^\x1b\[38;5;16;48;5;231m[^\x1b]*\x1b\[0m$/.test(line)));
  });
}

Deno.test("drawQrCode() refuses a text that no QR code can hold", () => {
  assert.equal(drawQrCode("x".repeat(3000)), undefined);
});
