import assert from "node:assert/strict";
import { schemaInstance } from "../../src/sandbox/schema_instance.ts";

const TREE = {
  $ref: "#/$defs/node",
  $defs: {
    node: {
      type: "object",
      properties: { name: { type: "string" }, next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } },
      required: ["name"],
    },
  },
};

const CASES: readonly (readonly [string, unknown, unknown])[] = [
  ["a const", { const: [1] }, [1]],
  ["an enum", { type: "string", enum: ["b", "a"] }, "b"],
  ["a nullable type", { type: ["null", "integer"] }, 1],
  ["a boolean", { type: "boolean" }, true],
  ["null", { type: "null" }, null],
  ["integer bounds", { type: "integer", minimum: 3, maximum: 9 }, 3],
  ["an upper bound below one", { type: "integer", maximum: -4 }, -4],
  ["exclusive bounds", { type: "number", exclusiveMinimum: 5 }, 5.5],
  ["multipleOf", { type: "integer", minimum: 7, multipleOf: 5 }, 10],
  ["a short string", { type: "string", maxLength: 3 }, "sam"],
  ["a long string", { type: "string", minLength: 15 }, "sample value..."],
  ["a format", { type: "string", format: "date" }, "2026-01-02"],
  ["a pattern", { type: "string", pattern: "^[A-Z]{3}-\\d{3}$" }, "ABC-123"],
  ["an array with minItems", { type: "array", items: { type: "integer" }, minItems: 2 }, [1, 1]],
  ["unique items", { type: "array", items: { enum: ["x", "y"] }, minItems: 2, uniqueItems: true }, [
    "x",
    "y",
  ]],
  ["an empty array", { type: "array", maxItems: 0 }, []],
  ["a tuple", { type: "array", prefixItems: [{ type: "boolean" }, { const: 2 }] }, [true, 2]],
  ["oneOf", { oneOf: [{ const: "first" }, { const: "second" }] }, "first"],
  [
    "allOf",
    {
      allOf: [{ properties: { a: { const: 1 } }, required: ["a"] }, {
        properties: { b: { const: 2 } },
        required: ["b"],
      }],
    },
    { a: 1, b: 2 },
  ],
  ["a required name without a schema", { type: "object", required: ["x"] }, { x: "sample x" }],
  [
    "minProperties",
    { type: "object", minProperties: 2, additionalProperties: { type: "integer" } },
    { extra1: 1, extra2: 1 },
  ],
  ["nothing", {}, "sample value"],
  ["true", true, "sample value"],
];

for (const [name, schema, expected] of CASES) {
  Deno.test(`schemaInstance() follows ${name}`, () => {
    assert.deepEqual(schemaInstance(schema), expected);
  });
}

Deno.test("schemaInstance() ends when a schema refers to itself", () => {
  const text = JSON.stringify(schemaInstance(TREE));
  assert.match(text, /^\{"name":"sample name","next":\{"name":/);
  assert.ok(text.length < 1000);
});

Deno.test("schemaInstance() keeps a property called __proto__ an own property", () => {
  const schema = JSON.parse(
    '{"type":"object","properties":{"__proto__":{"const":1}},"required":["__proto__"]}',
  );
  assert.equal(JSON.stringify(schemaInstance(schema)), '{"__proto__":1}');
});
