/**
 * Routes for load balancers, containers and people who wonder whether the relay is up.
 *
 * @module
 */
import type { Hono } from "hono";
import type { Store } from "../store/store.ts";
import { version } from "../version.ts";
import type { RelayEnv } from "./relay_env.ts";

/** Adds `/`, `/healthz` and `/readyz` (design, section 4). None needs a credential. */
export function addProbeRoutes(app: Hono<RelayEnv>, store: Store): void {
  app.get("/", (context) => context.json({ ok: true, service: "authai-relay" }));

  // Touches nothing: a process that answers is alive, whatever its stores do.
  app.get("/healthz", (context) => context.json({ ok: true, service: "authai-relay", version }));

  app.get("/readyz", async (context) => {
    const ready = await store.ping().then(() => true, () => false);
    return ready ? context.json({ ok: true }) : context.json({ ok: false }, 503);
  });
}
