/**
 * The least that a relay on the same ground can be: Deno, Hono and `fetch`, every byte as it came. What the relay's cost
 * is measured against. The argument is the origin of the upstream.
 *
 * @module
 */
import { Hono } from "hono";

const [upstream = ""] = Deno.args;
const app = new Hono();
app.all("*", async (context) => {
  const { method, headers, body, signal } = context.req.raw;
  const answer = await fetch(upstream + context.req.path, {
    method,
    headers: {
      authorization: headers.get("authorization") ?? "",
      "content-type": headers.get("content-type") ?? "",
    },
    body,
    signal,
  });
  return new Response(answer.body, {
    status: answer.status,
    headers: { "content-type": answer.headers.get("content-type") ?? "" },
  });
});
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, app.fetch);
Deno.stdout.writeSync(new TextEncoder().encode(`http://127.0.0.1:${server.addr.port}\n`));
