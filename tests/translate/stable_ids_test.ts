import assert from "node:assert/strict";
import { passThrough } from "../../src/translate/pass_through.ts";
import type { StreamTranslator } from "../../src/translate/relay_stream.ts";
import { createStableIds } from "../../src/translate/stable_ids.ts";
import { watchResponses } from "../../src/translate/watch_responses.ts";
import { everyCut, fixture, LINE_ENDS, objectsOf, replay } from "./replay.ts";

const make = (): StreamTranslator =>
  passThrough(
    watchResponses({
      identity: { id: "resp_test", model: "m", nowS: 1 },
      dropPrivateEvents: true,
      stableIds: true,
    }),
    { maxEventBytes: 1 << 20 },
  );

/** Every id in a stream, by what it names. */
// deno-lint-ignore no-explicit-any -- a test reads any member and fails by itself when it is not there
function idsOf(events: any[]): { response: Set<string>; items: Map<number, Set<string>> } {
  const response = new Set<string>();
  const items = new Map<number, Set<string>>();
  const note = (index: number, id: string | undefined): void => {
    if (id !== undefined) items.set(index, (items.get(index) ?? new Set()).add(id));
  };
  for (const event of events) {
    if (event.response !== undefined) response.add(event.response.id);
    event.response?.output.forEach((item: { id: string }, index: number) => note(index, item.id));
    note(event.output_index, event.item_id ?? event.item?.id);
  }
  return { response, items };
}

Deno.test("createStableIds() gives the response and each item the id that was told first, wherever the stream is cut", () => {
  const before = idsOf(objectsOf(new TextDecoder().decode(fixture("responses_rotating_ids"))));
  assert.ok(before.response.size > 1 && (before.items.get(0)?.size ?? 0) > 1);
  for (const lineEnd of Object.values(LINE_ENDS)) {
    for (const pieces of everyCut(fixture("responses_rotating_ids", lineEnd))) {
      const { response, items } = idsOf(objectsOf(replay(make(), pieces)));
      assert.deepEqual([...response], ["opaque_001"]);
      assert.deepEqual([...items].map(([index, ids]) => [index, ...ids]), [
        [0, "opaque_003"],
        [1, "opaque_008"],
        [2, "opaque_009"],
      ]);
    }
  }
});

Deno.test("createStableIds() changes nothing but ids", () => {
  const withoutIds = (bytes: Uint8Array): string =>
    new TextDecoder().decode(bytes).replaceAll(/"(?:id|item_id)":"opaque_\d+"/g, '"id":""');
  const bytes = fixture("responses_rotating_ids");
  assert.equal(withoutIds(new TextEncoder().encode(replay(make(), [bytes]))), withoutIds(bytes));
});

Deno.test("createStableIds() returns the same event when its ids are the known ones", () => {
  const stable = createStableIds();
  const events = [
    { type: "response.output_item.added", output_index: 0, item: { id: "a", type: "message" } },
    { type: "response.output_text.delta", output_index: 0, item_id: "a", delta: "x" },
    { type: "error", message: "No ids." },
    { type: "response.output_text.delta", item_id: "b", delta: "no index" },
  ];
  for (const event of events) assert.equal(stable(event), event);
});

Deno.test("passThrough() ends a stream with stable ids that is cut by the name that the client knows", () => {
  const text = new TextDecoder().decode(fixture("responses_rotating_ids"));
  const cut = new TextEncoder().encode(text.slice(0, text.lastIndexOf("data: ")));
  const events = objectsOf(replay(make(), [cut]));
  assert.deepEqual(events.slice(-2).map(({ type }) => type), ["error", "response.failed"]);
  assert.deepEqual([...idsOf(events).response], ["opaque_001"]);
});

Deno.test("passThrough() gives a failure that the upstream tells the response's first id", () => {
  const frames = [
    { type: "response.created", response: { id: "one", output: [] } },
    {
      type: "response.failed",
      response: { id: "two", output: [], status: "failed", error: { code: "server_error" } },
    },
  ].map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  const translator = make();
  const events = objectsOf(replay(translator, [new TextEncoder().encode(frames)]));
  assert.deepEqual([...idsOf(events).response], ["one"]);
  assert.equal(translator.ended, "failed");
});
