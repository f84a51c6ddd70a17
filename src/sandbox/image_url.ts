/**
 * Judges the image URLs of a request: what an upstream would fail to see is named, so that a relay that damages an image
 * on the way is found out.
 *
 * @module
 */

/** The first bytes of the formats that the models see, in base64url-free base64. */
const SIGNATURES: readonly string[] = Object.freeze([
  "iVBORw0KGgo", // PNG
  "/9j/", // JPEG
  "R0lGOD", // GIF
  "UklGR", // WebP (a RIFF file)
]);

/** How an image URL fares. */
export type ImageUrlVerdict = "fine" | "not_a_url" | "bad_bytes";

/**
 * Judges a URL: `https` (never fetched here) or a base64 data URL with the signature of PNG, JPEG, GIF or WebP. Only the
 * signature and the alphabet are looked at.
 */
export function judgeImageUrl(url: unknown): ImageUrlVerdict {
  if (typeof url !== "string") return "not_a_url";
  if (!url.startsWith("data:")) return URL.canParse(url) && /^https?:/.test(url) ? "fine" : "not_a_url";
  const header = /^data:image\/(png|jpe?g|gif|webp);base64,/.exec(url);
  if (header === null) return "not_a_url";
  const data = url.slice(header[0].length);
  const known = SIGNATURES.some((signature) => data.startsWith(signature));
  return known && data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data) ? "fine" : "bad_bytes";
}
