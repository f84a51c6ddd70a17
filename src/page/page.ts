/**
 * The relay's own sign-in page: three files that the app serves as they are. They only call the relay's public routes, so
 * the page can do nothing that another client could not.
 *
 * @module
 */
import { signInDocument, signInScript, signInStyle } from "./assets.ts";

/** One file of the page. */
export interface PageAsset {
  /** Where `GET` finds it, relative to the relay's root. The files refer to each other and to the API relatively. */
  readonly path: string;
  /** The whole body as text. */
  readonly body: string;
  /** All headers of the response. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * CSP Level 3: the page runs its own script and style, talks to its own origin, and nothing else; no site can frame it
 * and trick a person into a click.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The files of the page, frozen. */
export const pageAssets: readonly PageAsset[] = Object.freeze([
  asset("/sign-in", "text/html; charset=utf-8", signInDocument),
  asset("/sign-in/client.js", "text/javascript; charset=utf-8", signInScript),
  asset("/sign-in/style.css", "text/css; charset=utf-8", signInStyle),
]);

function asset(path: string, contentType: string, body: string): PageAsset {
  const headers = Object.freeze({
    // Never a document and a script of two versions of the relay together.
    "cache-control": "no-store",
    "content-security-policy": contentSecurityPolicy,
    "content-type": contentType,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  });
  return Object.freeze({ path, body, headers });
}
