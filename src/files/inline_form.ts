/**
 * In which form a model gets a stored file. No upstream knows our ids; all of them take texts and pictures inside the
 * request, some take documents (facts: chatgpt-codex 3.4).
 *
 * @module
 */

/** A file as a part of a message, before a dialect gives it its members. */
export type InlineForm =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "image"; readonly dataUrl: string }
  | { readonly kind: "document"; readonly dataUrl: string };

/** The pictures that the models see, by their first bytes. */
const imageTypes: readonly (readonly [type: string, starts: (bytes: Uint8Array) => boolean])[] = Object
  .freeze([
    ["image/png", (bytes) => begins(bytes, 0, "\x89PNG\r\n\x1a\n")],
    ["image/jpeg", (bytes) => begins(bytes, 0, "\xff\xd8\xff")],
    ["image/gif", (bytes) => begins(bytes, 0, "GIF8")],
    ["image/webp", (bytes) => begins(bytes, 0, "RIFF") && begins(bytes, 8, "WEBP")],
  ]);

/** Fatal: what is not UTF-8 is no text that could be handed on. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The form for `bytes`. They themselves decide and not the type that the client declared: SDKs declare
 * `application/octet-stream` for what is read from a buffer.
 */
export function inlineForm(filename: string, bytes: Uint8Array): InlineForm {
  const image = imageTypes.find(([, starts]) => starts(bytes));
  if (image !== undefined) return { kind: "image", dataUrl: dataUrl(image[0], bytes) };
  if (begins(bytes, 0, "%PDF-")) return { kind: "document", dataUrl: dataUrl("application/pdf", bytes) };
  const text = readText(bytes);
  return text === undefined
    ? { kind: "document", dataUrl: dataUrl("application/octet-stream", bytes) }
    : { kind: "text", text: `<file name=${JSON.stringify(filename)}>\n${text}\n</file>` };
}

function readText(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** RFC 2397. */
function dataUrl(type: string, bytes: Uint8Array): string {
  return `data:${type};base64,${bytes.toBase64()}`;
}

/** `text` has one character per byte. */
function begins(bytes: Uint8Array, offset: number, text: string): boolean {
  return bytes.length >= offset + text.length &&
    Array.from(text).every((character, index) => bytes[offset + index] === character.charCodeAt(0));
}
