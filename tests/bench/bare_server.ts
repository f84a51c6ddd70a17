/**
 * The least that a server on the same ground can be: what the relay's start-up and memory are compared with.
 *
 * @module
 */
import { Hono } from "hono";

const app = new Hono();
app.get("/readyz", (context) => context.json({ ok: true }));
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
Deno.stdout.writeSync(new TextEncoder().encode(`http://127.0.0.1:${server.addr.port}\n`));
