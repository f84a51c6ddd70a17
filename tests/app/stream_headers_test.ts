/**
 * What a stream says to the proxies on its way: nobody may keep it, and nobody may gather it to compress it.
 */
import assert from "node:assert/strict";
import { startRig } from "../e2e/rig.ts";

const bodies = Object.freeze({
  "/v1/chat/completions": { messages: [{ role: "user", content: "Say hello" }] },
  "/v1/responses": { input: "Say hello" },
  "/v1/completions": { prompt: "Say hello" },
});

Deno.test("a stream forbids proxies to cache or transform it, in every dialect", async () => {
  await using rig = await startRig();
  const jwt = await rig.signIn("openai");
  for (const [path, body] of Object.entries(bodies)) {
    const response = await fetch(rig.origin + path, {
      method: "POST",
      headers: { authorization: `Bearer ${jwt}` },
      body: JSON.stringify({ model: "gpt-5.5", stream: true, ...body }),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream\b/, path);
    assert.equal(response.headers.get("cache-control"), "no-cache, no-transform", path);
  }
});
