/**
 * What the upstreams are told beside the body: where an account lives, who caused a call, that it shows an image, and
 * which of Grok's two rails pays.
 */
import assert from "node:assert/strict";
import type { OpenAI } from "openai";
import { createRelayApp } from "../../src/app/app.ts";
import { identitySecret, jwtSecret, type Rig, startRig } from "./rig.ts";

type Item = OpenAI.Responses.ResponseInputItem;

const pixel =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Path below the sandbox and the two header fields that Copilot bills and routes by, of each call. */
function copilotCalls({ sandbox }: Rig): readonly unknown[] {
  return sandbox.control.requests({ upstream: "copilot", on: "call" }).map(({ path, headers }) => [
    path,
    headers["x-initiator"],
    headers["copilot-vision-request"],
  ]);
}

Deno.test("Copilot is asked at the account's host, as whoever caused the call, with images announced", async () => {
  await using rig = await startRig();
  const ada = rig.openAi(await rig.signIn("github", "ada"));
  const bob = rig.openAi(await rig.signIn("github", "bob"));
  const question: { role: "user"; content: string } = { role: "user", content: "Use the tool." };
  const picture: Item = {
    role: "user",
    content: [{ type: "input_image", image_url: pixel, detail: "auto" }],
  };
  const called: Item = { type: "function_call", call_id: "call_1", name: "look", arguments: "{}" };
  const shown: Item = {
    type: "function_call_output",
    call_id: "call_1",
    output: [{ type: "input_image", image_url: pixel, detail: "auto" }],
  };
  // gpt-4.1 speaks only Chat, gpt-5.3-codex only Responses: both are asked in their own dialect.
  await bob.chat.completions.create({ model: "gpt-4.1", messages: [question] });
  await ada.responses.create({ model: "gpt-4.1", input: [picture] });
  await ada.responses.create({ model: "gpt-4.1", input: [question, called, shown] });
  await ada.chat.completions.create({
    model: "gpt-5.3-codex",
    messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: pixel } }] }],
  });
  await ada.chat.completions.create({
    model: "gpt-5.3-codex",
    messages: [
      question,
      {
        role: "assistant",
        tool_calls: [{ id: "call_1", type: "function", function: { name: "look", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "call_1", content: "Nothing." },
    ],
  });
  assert.deepEqual(copilotCalls(rig), [
    ["/copilot/business/chat/completions", "user", undefined],
    ["/copilot/individual/chat/completions", "user", "true"],
    ["/copilot/individual/chat/completions", "agent", "true"],
    ["/copilot/individual/responses", "user", "true"],
    ["/copilot/individual/responses", "agent", undefined],
  ]);
});

Deno.test("Grok is asked on the rail that the setting names", async () => {
  await using rig = await startRig();
  const jwt = await rig.signIn("xai");
  const { origin } = rig.sandbox;
  const onApi = createRelayApp({
    store: rig.store,
    jwtSecret,
    identitySecret,
    originator: "rig",
    providers: {
      xai: { issuerUrl: `${origin}/xai/auth`, apiUrl: `${origin}/xai/api/v1`, sendCliHeaders: "never" },
    },
    now: () => rig.clock.nowMs,
  });
  const headers = { authorization: `Bearer ${jwt}`, "content-type": "application/json" };
  const body = JSON.stringify({ model: "grok-4.5", messages: [{ role: "user", content: "Hello" }] });
  const call = () => new Request("http://relay.test/v1/chat/completions", { method: "POST", headers, body });
  for (const app of [rig.app, onApi]) {
    const response = await app.fetch(call());
    assert.equal(response.status, 200, await response.text());
  }
  const calls = rig.sandbox.control.requests({ upstream: "grok", on: "call" });
  assert.deepEqual(calls.map(({ path, headers }) => [path, headers["x-xai-token-auth"]]), [
    ["/xai/v1/chat/completions", "xai-grok-cli"],
    ["/xai/api/v1/chat/completions", undefined],
  ]);

  // That rail knows no subscription, which is no error.
  const status = await onApi.fetch(new Request("http://relay.test/v1/subscription/status", { headers }));
  assert.deepEqual(await status.json(), {
    object: "subscription_status",
    captured_at: rig.clock.nowMs / 1000,
    provider: "xai",
    rate_limits: { default: null, additional: [] },
  });
});
