import assert from "node:assert/strict";
import { dialects, outcomeOf, page, renderPage } from "../../docs/field_reference.ts";
import { CHAT_TOOL_MODES } from "../../src/translate/chat_tools.ts";
import { RESPONSES_TOOL_MODES } from "../../src/translate/responses_tools.ts";
import { loadApiReference, type ReferenceType, tagsOf, wordsOf } from "../reference/api_reference.ts";

const reference = await loadApiReference();

const REQUESTS = {
  chat: "chatRequest",
  responses: "responsesRequest",
  completions: "completionsRequest",
} as const satisfies Record<keyof typeof dialects, ReferenceType>;

for (const [dialect, { fields, routes }] of Object.entries(dialects)) {
  const request = REQUESTS[dialect as keyof typeof dialects];

  Deno.test(`the table of ${dialect} has every request field of the API reference, and no other`, () => {
    const known = reference.alternatives(request).flatMap(({ properties }) => Object.keys(properties ?? {}));
    assert.ok(known.length > 10);
    assert.deepEqual([...fields].sort(), known.sort());
  });

  for (const route of routes) {
    Deno.test(`outcomeOf() follows every field of ${dialect} to ${route.upstream}`, () => {
      for (const field of fields) {
        const { fate, notes } = outcomeOf(field, route);
        assert.ok(fate === "carried" || notes.length > 0, `${field} is ${fate} without a reason`);
      }
    });
  }
}

Deno.test("outcomeOf() throws where a table has a hole", () => {
  const [route] = dialects.chat.routes;
  assert.ok(route !== undefined);
  assert.throws(() => outcomeOf("no_such_field", route), /no row for no_such_field/);
});

/** A member with several forms: where the reference has it, and which forms are taken beyond the reference's. */
interface Place {
  readonly at: readonly string[];
  readonly tag: "type" | "role";
  /** Chooses the alternatives of an outer object: those whose `tag` is one of the words. */
  readonly within?: { readonly depth: number; readonly tag: string; readonly words: readonly string[] };
  readonly beyond?: readonly string[];
}

const messageParts = ["messages", "[]", "content", "[]"];
const FORMS: Readonly<Record<"chat" | "responses", Readonly<Record<string, Place>>>> = {
  chat: {
    "messages[].role": { at: ["messages", "[]"], tag: "role" },
    "messages[].content[].type": {
      at: messageParts,
      tag: "type",
      within: { depth: 2, tag: "role", words: ["system", "developer", "user", "tool"] },
    },
    "messages[].content[].type of the assistant": {
      at: messageParts,
      tag: "type",
      within: { depth: 2, tag: "role", words: ["assistant"] },
    },
    "messages[].tool_calls[].type": { at: ["messages", "[]", "tool_calls", "[]"], tag: "type" },
    "response_format.type": { at: ["response_format"], tag: "type" },
    "tool_choice.type": { at: ["tool_choice"], tag: "type" },
    "tools[].type": { at: ["tools", "[]"], tag: "type" },
    "tools[].custom.format.type": { at: ["tools", "[]", "custom", "format"], tag: "type" },
  },
  responses: {
    "input[].type": { at: ["input", "[]"], tag: "type" },
    "input[].role": {
      at: ["input", "[]"],
      tag: "role",
      within: { depth: 2, tag: "type", words: ["message"] },
    },
    "input[].content[].type": {
      at: ["input", "[]", "content", "[]"],
      tag: "type",
      within: { depth: 2, tag: "role", words: ["user", "system", "developer"] },
      beyond: ["output_text"],
    },
    "input[].content[].type of the assistant": {
      at: ["input", "[]", "content", "[]"],
      tag: "type",
      within: { depth: 2, tag: "role", words: ["assistant"] },
      beyond: ["input_text"],
    },
    "text.format.type": { at: ["text", "format"], tag: "type" },
    "tool_choice.type": { at: ["tool_choice"], tag: "type" },
    "tools[].type": { at: ["tools", "[]"], tag: "type" },
  },
};

for (const dialect of ["chat", "responses"] as const) {
  Deno.test(`the forms of ${dialect} are those that this test knows`, () => {
    assert.deepEqual(Object.keys(dialects[dialect].forms).sort(), Object.keys(FORMS[dialect]).sort());
  });

  for (const [path, place] of Object.entries(FORMS[dialect])) {
    Deno.test(`the table of ${path} in ${dialect} has every form of the API reference, and no other`, () => {
      const words = new Set([...formsOf(REQUESTS[dialect], place), ...place.beyond ?? []]);
      assert.deepEqual(Object.keys(dialects[dialect].forms[path] ?? {}).sort(), [...words].sort());
    });
  }
}

Deno.test("tool_choice knows the words of the API reference, and no other", () => {
  for (
    const [request, modes] of [["chatRequest", CHAT_TOOL_MODES], [
      "responsesRequest",
      RESPONSES_TOOL_MODES,
    ]] as const
  ) {
    const words = reference.alternatives(request, ["tool_choice"]).flatMap(wordsOf);
    assert.deepEqual([...modes].sort(), [...words].sort());
  }
});

Deno.test("docs/fields.md is what the tables make", async () => {
  assert.equal(await Deno.readTextFile(page), renderPage(), "Run deno task docs.");
});

function formsOf(request: ReferenceType, { at, tag, within }: Place): unknown[] {
  const depth = within?.depth ?? at.length;
  const outer = reference.alternatives(request, at.slice(0, depth)).filter((one) => {
    if (within === undefined) return true;
    const told = tagsOf(one, within.tag);
    return told.length > 0 && told.every((word) => within.words.includes(String(word)));
  });
  let found = outer;
  for (const step of at.slice(depth)) {
    found = found.flatMap((one) => {
      const next = step === "[]" ? one.items : one.properties?.[step];
      return next === undefined ? [] : reference.flatten(next);
    });
  }
  assert.ok(found.length > 0, `The reference has no ${at.join(".")}.`);
  return found.flatMap((one) => tagsOf(one, tag)).filter((word) => typeof word === "string");
}
