/**
 * QR codes (ISO/IEC 18004) as one SVG path, so that the page needs neither an image nor markup from a string.
 *
 * @module
 */
import qrcode from "qrcode-generator";

/** A QR code to draw. */
export interface QrCode {
  /** Width and height in modules, with the quiet zone: the side of a square view box. */
  readonly size: number;
  /** The dark modules as the `d` attribute of an SVG path. */
  readonly path: string;
}

/** The standard asks for four light modules on each side. */
const quietZone = 4;

/** Encodes `text` (as UTF-8 bytes) at error correction level M, or undefined when it is too long for a QR code. */
export function qrCode(text: string): QrCode | undefined {
  const code = qrcode(0, "M");
  code.addData(byteString(text));
  try {
    code.make();
  } catch {
    return undefined;
  }
  const count = code.getModuleCount();
  const runs: string[] = [];
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < count; column += 1) {
      const start = column;
      while (column < count && code.isDark(row, column)) column += 1;
      if (column > start) {
        runs.push(`M${start + quietZone} ${row + quietZone}h${column - start}v1h-${column - start}z`);
      }
    }
  }
  return { size: count + 2 * quietZone, path: runs.join("") };
}

/** The UTF-8 bytes as one character each: the encoder keeps only the low eight bits of a character. */
function byteString(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
