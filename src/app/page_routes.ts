/**
 * The sign-in page that the relay itself serves.
 *
 * @module
 */
import type { Hono } from "hono";
import { pageAssets } from "../page/page.ts";
import type { RelayEnv } from "./relay_env.ts";

/** Adds `/sign-in` and the two files that it loads. */
export function addPageRoutes(app: Hono<RelayEnv>): void {
  for (const { path, body, headers } of pageAssets) {
    app.get(path, (context) => context.body(body, 200, headers));
  }
}
