import assert from "node:assert/strict";
import fc from "fast-check";
import { chatToResponses } from "../../src/translate/chat_to_responses.ts";
import { responsesToChat } from "../../src/translate/responses_to_chat_request.ts";
import { loadApiReference } from "../reference/api_reference.ts";
import { isObject, type JsonObject } from "../../src/wire/json.ts";
import { normalForm, randomChatRequest } from "./random_chat_request.ts";

const reference = await loadApiReference();

/** Fixed, so that every run tries the same requests. */
const RUNS = { seed: 20261122, numRuns: 400 };

Deno.test("random Chat requests survive the way to Responses and back, in their normal form", () => {
  fc.assert(
    fc.property(randomChatRequest, (request) => {
      const hub = chatToResponses({ ...request });
      assert.ok(hub.kind === "ready", JSON.stringify(hub));
      assertOutputsMatchCalls(hub.body);
      const back = responsesToChat(hub.body);
      assert.ok(back.kind === "ready", JSON.stringify(back));
      const { body, ignored } = normalForm(request);
      assert.deepEqual(back.body, body);
      assert.deepEqual(new Set([...hub.ignored, ...back.ignored]), ignored);
    }),
    RUNS,
  );
});

Deno.test("random Chat requests are valid, and so are the Responses requests that they become", () => {
  fc.assert(
    fc.property(randomChatRequest, (request) => {
      assert.deepEqual(reference.problems("chatRequest", request), []);
      const hub = chatToResponses({ ...request });
      assert.ok(hub.kind === "ready");
      assert.deepEqual(reference.problems("responsesRequest", withMessageIds(hub.body)), []);
    }),
    { ...RUNS, numRuns: 100 },
  );
});

/** The backend finds no call for an output of the other kind. */
function assertOutputsMatchCalls({ input }: JsonObject): void {
  assert.ok(Array.isArray(input));
  const kinds = new Map<unknown, unknown>();
  for (const item of input) {
    assert.ok(isObject(item));
    const { type, call_id: id } = item;
    if (type === "function_call" || type === "custom_tool_call") kinds.set(id, `${type}_output`);
    else if (id !== undefined) assert.equal(type, kinds.get(id));
  }
}

/** The package's types want an id and a status of each earlier answer, which mean nothing where nothing is stored. */
function withMessageIds(body: JsonObject): JsonObject {
  const { input } = body;
  assert.ok(Array.isArray(input));
  return {
    ...body,
    input: input.map((item: unknown) =>
      isObject(item) && item["role"] === "assistant" ? { ...item, id: "msg_1", status: "completed" } : item
    ),
  };
}
