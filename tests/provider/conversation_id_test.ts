import assert from "node:assert/strict";
import { conversationId } from "../../src/provider/conversation_id.ts";
import type { Grant } from "../../src/provider/provider.ts";
import type { JsonObject } from "../../src/wire/json.ts";

const grant: Grant = { accessToken: "t", accessExpiresAtMs: 1, accountId: "user-ada", attributes: {} };
const bob: Grant = { ...grant, accountId: "user-bob" };

const chat = (...messages: unknown[]): string => conversationId("chat", { messages }, grant);
const responses = (input: unknown, more: JsonObject = {}): string =>
  conversationId("responses", { input, ...more }, grant);

const system = { role: "system", content: "Be brief." };
const user = { role: "user", content: "Hello" };
const answer = { role: "assistant", content: "Hi." };
const call = { role: "assistant", content: null, tool_calls: [{ id: "call_1" }] };
const result = { role: "tool", tool_call_id: "call_1", content: "42" };

Deno.test("conversationId() stays the same over the turns of a conversation", () => {
  const first = chat(system, user);
  assert.equal(chat(system, user, answer, { role: "user", content: "And now?" }), first);
  assert.equal(chat(system, user, call, result), first);
  const items = [{ role: "user", content: "Hello" }];
  const asked = responses(items, { instructions: "Be brief." });
  const later = [
    ...items,
    { type: "reasoning", id: "rs_1", summary: [] },
    { type: "function_call", call_id: "call_1", name: "add", arguments: "{}" },
    { type: "function_call_output", call_id: "call_1", output: "42" },
    { role: "user", content: "And now?" },
  ];
  assert.equal(responses(later, { instructions: "Be brief." }), asked);
});

Deno.test("conversationId() knows a first message again in another form", () => {
  const first = responses("Hello");
  assert.equal(responses([{ role: "user", content: "Hello" }]), first);
  assert.equal(responses([{ type: "message", role: "user", id: "msg_1", content: "Hello" }]), first);
  const parts = [{ type: "input_text", text: "Hello" }];
  assert.equal(responses([{ role: "user", content: parts }]), first);
  assert.equal(
    chat({ ...user, content: [{ type: "text", text: "Hello", cache_control: { type: "ephemeral" } }] }),
    chat(user),
  );
});

Deno.test("conversationId() tells conversations apart by all that was said before the first answer", () => {
  const ids = [
    chat(system, user),
    chat(user),
    chat({ ...system, content: "Be long." }, user),
    chat(system, { role: "user", content: "Good-bye" }),
    chat(system, user, { role: "user", content: "And this?" }),
    chat({ role: "developer", content: "Be brief." }, user),
    chat(answer, user),
    chat({ ...answer, content: "Welcome." }, user),
    chat({ role: "user", content: [{ type: "text", text: "Hello" }, { type: "image_url", image_url: {} }] }),
    responses("Hello", { instructions: "Be brief." }),
    responses("Hello", { instructions: "Be long." }),
    responses("x".repeat(10_000)),
    responses("x".repeat(10_001)),
  ];
  assert.equal(new Set(ids).size, ids.length);
});

Deno.test("conversationId() links no two accounts", () => {
  const body = { messages: [system, user] };
  assert.notEqual(conversationId("chat", body, grant), conversationId("chat", body, bob));
});

Deno.test("conversationId() has an id for bodies that make no sense, which the upstream then judges", () => {
  for (const input of [undefined, null, 7, [], [null, 1, "text"], [{}]]) {
    assert.match(responses(input), /^[0-9a-f-]{36}$/);
  }
});
