/**
 * QR codes (ISO/IEC 18004) for a terminal: two modules in each character cell, because a cell is twice as high as wide.
 *
 * @module
 */
import qrcode from "qrcode-generator";

/**
 * Light modules around the code. The standard asks for four; two keep the drawing below 24 lines, and a camera reads it
 * all the same because the colours of the border are set too.
 */
const quietZone = 2;

/** Black on white whatever the terminal's own colours are: entries 16 and 231 of the 256 colours are not themed. */
const blackOnWhite = "\x1b[38;5;16;48;5;231m";
const reset = "\x1b[0m";

/** Cells by their upper and lower module: space, lower half block, upper half block, full block. */
const cells = Object.freeze([" ", "\u2584", "\u2580", "\u2588"]);

/** The lines of a drawing of `text` (as UTF-8 bytes), or undefined when it is too long for a QR code. */
export function drawQrCode(text: string): string[] | undefined {
  const code = qrcode(0, "L");
  // The encoder keeps the low eight bits of each character.
  code.addData(String.fromCharCode(...new TextEncoder().encode(text)));
  try {
    code.make();
  } catch {
    return undefined;
  }
  const count = code.getModuleCount();
  const size = count + 2 * quietZone;
  const dark = (row: number, column: number): 0 | 1 => {
    const [y, x] = [row - quietZone, column - quietZone];
    return y >= 0 && x >= 0 && y < count && x < count && code.isDark(y, x) ? 1 : 0;
  };
  return Array.from({ length: Math.ceil(size / 2) }, (_, line) => {
    const drawn = Array.from(
      { length: size },
      (_, column) => cells[2 * dark(2 * line, column) + dark(2 * line + 1, column)],
    );
    return `${blackOnWhite}${drawn.join("")}${reset}`;
  });
}
