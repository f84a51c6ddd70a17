/**
 * Tries every member of every object in a request of the API reference: each has to change the translated request, to be
 * named as dropped, or to be refused. Nothing may go away in silence.
 */
import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { chatToResponses } from "../../src/translate/chat_to_responses.ts";
import { completionsToResponses } from "../../src/translate/completions_to_responses.ts";
import { responsesToChat } from "../../src/translate/responses_to_chat_request.ts";
import type { Translated } from "../../src/translate/translated.ts";
import { isObject, type JsonObject } from "../../src/wire/json.ts";
import { loadApiReference, type ReferenceType, type Schema } from "../reference/api_reference.ts";
import { sampleObject, sampleOf } from "../reference/schema_sample.ts";

const reference = await loadApiReference();

interface Half {
  readonly request: ReferenceType;
  readonly translate: (body: JsonObject) => Translated;
  readonly least: JsonObject;
  /** Members that may go away in silence, by path, with the reason. */
  readonly silent: Readonly<Record<string, string>>;
}

const OWN = "tells a model nothing";
const HALVES: Readonly<Record<string, Half>> = {
  chatToResponses: {
    request: "chatRequest",
    translate: chatToResponses,
    least: { model: "m", messages: [{ role: "user", content: "x" }] },
    silent: { "stream_options.include_usage": "the reply half reads it" },
  },
  responsesToChat: {
    request: "responsesRequest",
    translate: responsesToChat,
    least: { model: "m", input: "x" },
    silent: {
      "input.[].id": OWN,
      "input.[].status": OWN,
      "input.[].content.[].logprobs": OWN,
      parallel_tool_calls: "says nothing without tools",
      truncation: "the sample is the default",
    },
  },
  completionsToResponses: {
    request: "completionsRequest",
    translate: completionsToResponses,
    least: { model: "m", prompt: "x" },
    silent: { "stream_options.include_usage": "the reply half reads it" },
  },
};

/** Members without which the translators refuse an object that the reference's type allows. */
const NEEDED: Readonly<Record<string, JsonObject>> = {
  input_image: { image_url: "https://example.com/a.png" },
  input_file: { file_data: "data:text/plain,x" },
  file: { file: { file_data: "data:text/plain,x" } },
  function_call_output: { call_id: "x" },
};

/** An object of the request: how to make the whole request from a value for it. */
interface Container {
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly request: (value: JsonObject) => JsonObject;
}

for (const [name, { request, translate, least, silent }] of Object.entries(HALVES)) {
  const [root] = reference.alternatives(request);
  assert.ok(root?.properties !== undefined);
  const lost = new Set<string>();

  const judge = (path: string, outcome: Translated, without: Translated): void => {
    if (outcome.kind === "refused" || !isDeepStrictEqual(outcome, without)) return;
    lost.add(path);
    assert.ok(path in silent, `${path} goes away in silence`);
  };

  for (const [field, member] of Object.entries(root.properties)) {
    const containers = [...containersIn(member, [field], (value) => ({ ...least, [field]: value }))];
    Deno.test(`${name}() loses no member of ${field} in silence`, () => {
      const sample = sampleOf(reference, member);
      // Of an object without required members each member is tried by itself.
      if (!(field in least) && !(isObject(sample) && Object.keys(sample).length === 0)) {
        judge(field, translate({ ...least, [field]: sample }), translate(least));
      }
      for (const { path, schema, request } of containers) {
        const required = sampleObject(reference, schema);
        const base = { ...required, ...NEEDED[String(required["type"])] };
        const baseOutcome = translate(request(base));
        // An object that is named as dropped as a whole says enough.
        if (baseOutcome.kind === "ready" && baseOutcome.ignored.length > 0) continue;
        for (const extra of Object.keys(schema.properties ?? {})) {
          if (extra in base) continue;
          const at = [...path, extra].join(".");
          judge(
            at,
            translate(request({ ...sampleObject(reference, schema, [extra]), ...base })),
            baseOutcome,
          );
        }
      }
    });
  }

  Deno.test(`${name}() is excused for no other members than it needs`, () => {
    assert.deepEqual(Object.keys(silent).filter((path) => !lost.has(path)), []);
  });
}

/** The objects in a member, two levels of objects deep. */
function* containersIn(
  schema: Schema,
  path: readonly string[],
  request: (value: unknown) => JsonObject,
  depth = 2,
): Generator<Container> {
  for (const one of reference.flatten(schema)) {
    if (one.items !== undefined) {
      yield* containersIn(one.items, [...path, "[]"], (value) => request([value]), depth);
    }
    if (one.properties === undefined) continue;
    yield { path, schema: one, request };
    if (depth === 0) continue;
    const required = sampleObject(reference, one);
    const outer = { ...required, ...NEEDED[String(required["type"])] };
    for (const [name, member] of Object.entries(one.properties)) {
      const present = outer[name];
      yield* containersIn(
        member,
        [...path, name],
        (value) =>
          request({
            ...outer,
            [name]: isObject(present) && isObject(value) ? { ...present, ...value } : value,
          }),
        depth - 1,
      );
    }
  }
}
