/**
 * Which web pages may call the relay from a browser.
 *
 * @module
 */
import { cors } from "hono/cors";
import type { MiddlewareHandler } from "hono";
import { rateLimitHeaderNames } from "../wire/rate_limit_headers.ts";

/**
 * CORS for every route.
 *
 * `origins` is `["*"]` or a list of exact origins such as `https://app.example`. Requested headers are granted as asked,
 * because the OpenAI SDK adds its own (`x-stainless-*`) and a fixed list locks browsers out. Credentials in the sense of
 * CORS (cookies) are never allowed: the relay uses none.
 */
export function corsFor(origins: readonly string[]): MiddlewareHandler {
  return cors({
    origin: origins.includes("*") ? "*" : [...origins],
    allowMethods: ["GET", "POST", "DELETE", "OPTIONS"],
    exposeHeaders: [...exposedHeaders],
    maxAge: 86_400,
  });
}

/** What a browser client may read beside the CORS-safelisted response headers. */
const exposedHeaders = Object.freeze([
  "retry-after",
  "x-request-id",
  "x-authai-ignored-parameters",
  ...rateLimitHeaderNames,
]);
