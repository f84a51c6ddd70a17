/** Everything that the reply halves write over the stream fixtures is valid against the API reference. */
import assert from "node:assert/strict";
import type { ClientDialect, ReplyWishes } from "../../src/translate/client_request.ts";
import { type Translation, translationOf } from "../../src/translate/translation.ts";
import type { Dialect } from "../../src/wire/dialect.ts";
import { loadApiReference, type ReferenceType } from "../reference/api_reference.ts";
import { fixture, objectsOf, replay, streamOf } from "./replay.ts";

const reference = await loadApiReference();

const FIXTURES = [...Deno.readDirSync(new URL("../fixtures/streams/", import.meta.url))]
  .map(({ name }) => name).filter((name) => name.endsWith(".sse")).map((name) => name.replace(".sse", ""))
  .sort();

const SHAPES: Readonly<Record<ClientDialect, { event: ReferenceType; document: ReferenceType; id: string }>> =
  {
    chat: { event: "chatChunk", document: "chatCompletion", id: "chatcmpl-1" },
    responses: { event: "responseEvent", document: "response", id: "resp_1" },
    completions: { event: "completionChunk", document: "completion", id: "cmpl-1" },
  };

/** The pairs in which every byte is of our making; the others pass the upstream's own bytes on. */
const PAIRS: readonly (readonly [ClientDialect, Dialect])[] = [
  ["chat", "responses"],
  ["responses", "chat"],
  ["completions", "responses"],
  ["completions", "chat"],
];

for (const [client, upstream] of PAIRS) {
  for (const name of FIXTURES.filter((name) => name.startsWith(upstream))) {
    const { event, document, id } = SHAPES[client];
    const wishes = { stream: true, model: "m", nowS: 1, id, legacyFunctions: false, includeUsage: true };

    Deno.test(`${name} is told in ${client} in valid events`, () => {
      const told = objectsOf(replay(translation(client, upstream, wishes).stream(), [fixture(name)]));
      assert.ok(told.length > 0);
      const answered = told.filter((object) => {
        if (object.error === undefined || client === "responses") return true;
        assertErrorEnvelope(object);
        return false;
      });
      assert.deepEqual(answered.flatMap((object) => reference.problems(event, object)), []);
    });

    Deno.test(`${name} is collected in ${client} as a valid document`, async () => {
      const { signal } = new AbortController();
      const answer = await translation(client, upstream, wishes).collect(streamOf(fixture(name)), signal);
      if (answer.kind === "failed") return assertErrorEnvelope({ error: { ...answer.error } });
      assert.deepEqual(reference.problems(document, answer.document), []);
    });
  }
}

for (const name of FIXTURES.filter((name) => name.startsWith("responses"))) {
  Deno.test(`${name} is collected for a client of its own dialect as a valid document`, async () => {
    const wishes = {
      stream: false,
      model: "m",
      nowS: 1,
      id: "resp_1",
      legacyFunctions: false,
      includeUsage: true,
    };
    const { signal } = new AbortController();
    const answer = await translation("responses", "responses", wishes).collect(
      streamOf(fixture(name)),
      signal,
    );
    if (answer.kind === "failed") return assertErrorEnvelope({ error: { ...answer.error } });
    assert.deepEqual(reference.problems("response", answer.document), []);
  });
}

Deno.test("legacy functions are told in valid chunks and in a valid completion", async () => {
  const wishes = {
    stream: true,
    model: "m",
    nowS: 1,
    id: "chatcmpl-1",
    legacyFunctions: true,
    includeUsage: false,
  };
  const bytes = fixture("responses_parallel_tools");
  const pair = translation("chat", "responses", wishes);
  const chunks = objectsOf(replay(pair.stream(), [bytes]));
  assert.ok(chunks.some(({ choices }) => choices[0]?.delta.function_call !== undefined));
  assert.deepEqual(chunks.flatMap((chunk) => reference.problems("chatChunk", chunk)), []);
  const answer = await pair.collect(streamOf(bytes), new AbortController().signal);
  assert.ok(answer.kind === "document");
  assert.deepEqual(reference.problems("chatCompletion", answer.document), []);
});

function translation(client: ClientDialect, upstream: Dialect, wishes: ReplyWishes): Translation {
  return translationOf(client, { dialect: upstream, strays: false }, wishes);
}

/** The reference's envelope; its type definitions have none. */
function assertErrorEnvelope({ error }: { error: Record<string, unknown> }): void {
  assert.equal(typeof error["message"], "string");
  assert.equal(typeof error["type"], "string");
  for (const member of ["param", "code"]) {
    assert.ok(error[member] === null || typeof error[member] === "string", member);
  }
}
