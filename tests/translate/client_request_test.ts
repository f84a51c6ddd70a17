import assert from "node:assert/strict";
import { type ClientDialect, readClientRequest } from "../../src/translate/client_request.ts";
import type { JsonObject } from "../../src/wire/json.ts";

const HELLO: Readonly<Record<ClientDialect, JsonObject>> = {
  chat: { model: "m", messages: [{ role: "user", content: "Hello" }] },
  responses: { model: "m", input: "Hello" },
  completions: { model: "m", prompt: "Hello" },
};

function asked(client: ClientDialect, body: JsonObject) {
  const request = readClientRequest(client, body, 1);
  assert.ok(request.kind === "asked", JSON.stringify(request));
  return request;
}

Deno.test("readClientRequest() reads what the reply half honours", () => {
  const { id: _, ...none } = asked("chat", HELLO.chat).wishes;
  assert.deepEqual(none, {
    stream: false,
    includeUsage: false,
    legacyFunctions: false,
    model: "m",
    nowS: 1,
  });
  const wishesOf = (more: JsonObject) => {
    const { id: _, ...wishes } = asked("chat", { ...HELLO.chat, ...more }).wishes;
    return wishes;
  };
  const streamed = { stream: true, stream_options: { include_usage: true } };
  assert.deepEqual(wishesOf(streamed), { ...none, stream: true, includeUsage: true });
  assert.deepEqual(wishesOf({ stream: null }), none);
  assert.deepEqual(wishesOf({ functions: [] }), { ...none, legacyFunctions: true });
  assert.deepEqual(wishesOf({ functions: [], tools: [] }), none);
});

Deno.test("readClientRequest() makes an id of the client's dialect, another one each time", () => {
  const forms = { chat: /^chatcmpl-\w{32}$/, responses: /^resp_\w{32}$/, completions: /^cmpl-\w{32}$/ };
  for (const client of ["chat", "responses", "completions"] as const) {
    const { id } = asked(client, HELLO[client]).wishes;
    assert.match(id, forms[client]);
    assert.notEqual(asked(client, HELLO[client]).wishes.id, id);
  }
});

Deno.test("readClientRequest() refuses a request without a model, or with another stream than true and false", () => {
  for (const client of ["chat", "responses", "completions"] as const) {
    const wrong: readonly [JsonObject, string][] = [
      [{ model: undefined }, "model"],
      [{ model: "" }, "model"],
      [{ model: 5 }, "model"],
      [{ stream: "yes" }, "stream"],
      [{ stream: 1 }, "stream"],
    ];
    for (const [more, param] of wrong) {
      const request = readClientRequest(client, { ...HELLO[client], ...more }, 1);
      assert.ok(request.kind === "refused");
      assert.equal(request.param, param);
    }
  }
});

Deno.test("readClientRequest() refuses a chat without a list of messages", () => {
  for (const messages of [undefined, null, "Hello", {}]) {
    const request = readClientRequest("chat", { model: "m", messages }, 1);
    assert.ok(request.kind === "refused");
    assert.equal(request.param, "messages");
  }
});
