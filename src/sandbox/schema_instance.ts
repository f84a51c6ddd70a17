/**
 * Makes one value that is valid against a JSON schema, always the same one: the simulated models fill tool arguments
 * and structured answers with it.
 *
 * Understood: `const`, `enum`, `default`-less types and type lists, `properties`, `required`, `minProperties`, `items`,
 * `prefixItems`, `minItems`, `uniqueItems`, string lengths, the common formats, patterns that one of the built-in
 * candidates matches, number limits, `multipleOf`, `anyOf`, `oneOf`, `allOf` and local `$ref`s, also recursive ones.
 * Not understood, and so ignored: `not`, `if`, `dependent...`, `contains`, `propertyNames`, remote references.
 *
 * Source: JSON Schema 2020-12, Validation.
 *
 * @module
 */
import { elementsOf, isMembers, type Members, membersOf } from "./members.ts";

/** Optional properties are filled down to this depth; below it only required ones, so that recursion ends. */
const MAX_OPTIONAL_DEPTH = 4;

/** References inside one another before the schema counts as having no finite instance. */
const MAX_DEPTH = 32;

const FORMATS: Readonly<Record<string, string>> = Object.freeze({
  "date-time": "2026-01-02T03:04:05Z",
  date: "2026-01-02",
  time: "03:04:05Z",
  duration: "P1D",
  email: "ada@example.com",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  uri: "https://example.com/",
  "uri-reference": "/example",
  uuid: "00000000-0000-4000-8000-000000000000",
});

/** Tried in order against a `pattern`. */
const PATTERN_CANDIDATES: readonly string[] = Object.freeze([
  "a",
  "A",
  "1",
  "abc",
  "ABC",
  "Abc",
  "a1",
  "A1",
  "AB12",
  "12",
  "123",
  "1234",
  "12345",
  "123456",
  "1.0",
  "1.0.0",
  "12:00",
  "2026-01-02",
  "A-1",
  "ABC-123",
  "#a0b1c2",
  "+4915112345678",
  "ada@example.com",
  "https://example.com/",
  "",
]);

/**
 * An instance of `schema`.
 *
 * @param name What strings are named after, e.g. the property's name.
 */
export function schemaInstance(schema: unknown, name = "value"): unknown {
  return instance(schema, { root: schema, name, depth: 0 });
}

interface Place {
  readonly root: unknown;
  readonly name: string;
  readonly depth: number;
}

function instance(given: unknown, place: Place): unknown {
  if (!isMembers(given)) return `sample ${place.name}`; // The schemas `true` and {} accept anything.
  if (place.depth > MAX_DEPTH) return null;
  const schema = resolved(given, place.root);
  if ("const" in schema) return schema["const"];
  const values = elementsOf(schema["enum"]);
  if (values.length > 0) return values[0];
  switch (typeOf(schema)) {
    case "object":
      return objectInstance(schema, place);
    case "array":
      return arrayInstance(schema, place);
    case "integer":
      return numberInstance(schema, 1);
    case "number":
      return numberInstance(schema, 0);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return stringInstance(schema, place.name);
  }
}

/** The schema with its reference followed, its `allOf` merged in, and the first branch of its choices taken. */
function resolved(schema: Members, root: unknown): Members {
  let result = schema;
  for (let step = 0; step < MAX_DEPTH; step++) {
    const { $ref: reference, allOf, anyOf, oneOf, ...own } = result;
    const branches = [
      ...(typeof reference === "string" ? [followed(reference, root)] : []),
      ...elementsOf(allOf),
      ...elementsOf(anyOf).slice(0, 1),
      ...elementsOf(oneOf).slice(0, 1),
    ];
    if (branches.length === 0) return result;
    result = branches.map(membersOf).reduce(merged, own);
  }
  return result;
}

/** Both schemas at once: properties and required names united, other keywords of the second added to the first. */
function merged(first: Members, second: Members): Members {
  return {
    ...second,
    ...first,
    ...("properties" in first || "properties" in second
      ? { properties: { ...membersOf(second["properties"]), ...membersOf(first["properties"]) } }
      : {}),
    ...("required" in first || "required" in second
      ? { required: [...elementsOf(first["required"]), ...elementsOf(second["required"])] }
      : {}),
  };
}

/** The target of a local reference such as `#/$defs/node` (RFC 6901). */
function followed(reference: string, root: unknown): unknown {
  if (!reference.startsWith("#")) return {};
  return reference.split("/").slice(1).reduce<unknown>((at, step) => {
    const name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    return Array.isArray(at) ? at[Number(name)] : membersOf(at)[name];
  }, root);
}

function typeOf(schema: Members): string {
  const type = schema["type"];
  if (typeof type === "string") return type;
  const types = elementsOf(type).filter((one): one is string => typeof one === "string");
  const first = types.find((one) => one !== "null") ?? types[0];
  if (first !== undefined) return first;
  if ("properties" in schema || "required" in schema) return "object";
  if ("items" in schema || "prefixItems" in schema) return "array";
  if ("minimum" in schema || "maximum" in schema || "multipleOf" in schema) return "number";
  return "string";
}

function objectInstance(schema: Members, place: Place): Members {
  const properties = membersOf(schema["properties"]);
  const required = elementsOf(schema["required"]).filter((one): one is string => typeof one === "string");
  const optional = place.depth < MAX_OPTIONAL_DEPTH ? Object.keys(properties) : [];
  const result: Record<string, unknown> = {};
  const fill = (name: string, of: unknown) => {
    Object.defineProperty(result, name, {
      value: instance(of, { root: place.root, name, depth: place.depth + 1 }),
      enumerable: true,
    });
  };
  for (const name of new Set([...optional, ...required])) fill(name, properties[name]);
  for (let extra = 1; Object.keys(result).length < count(schema["minProperties"]); extra++) {
    if (!(`extra${extra}` in result)) fill(`extra${extra}`, schema["additionalProperties"]);
  }
  return result;
}

function arrayInstance(schema: Members, place: Place): unknown[] {
  const tuple = elementsOf(schema["prefixItems"]);
  const most = typeof schema["maxItems"] === "number" ? schema["maxItems"] : Infinity;
  const length = Math.min(
    Math.max(count(schema["minItems"]), tuple.length, place.depth < MAX_OPTIONAL_DEPTH ? 1 : 0),
    most,
  );
  const items: unknown[] = [];
  for (let index = 0; index < length; index++) {
    const of = tuple[index] ?? schema["items"];
    const made = instance(of, { ...place, depth: place.depth + 1 });
    items.push(schema["uniqueItems"] === true ? distinct(made, of, index) : made);
  }
  return items;
}

/** The `index`-th different value of an item that was made once, for arrays that forbid repeats. */
function distinct(made: unknown, of: unknown, index: number): unknown {
  if (index === 0) return made;
  const values = elementsOf(membersOf(of)["enum"]);
  if (values.length > 0) return values[index];
  if (typeof made === "number") {
    const step = membersOf(of)["multipleOf"];
    return made + index * (typeof step === "number" ? step : 1);
  }
  return typeof made === "string" ? `${made} ${index + 1}` : made;
}

function numberInstance(schema: Members, wholeStep: 0 | 1): number {
  const step = typeof schema["multipleOf"] === "number" ? schema["multipleOf"] : wholeStep;
  const gap = step > 0 ? step : 0.5;
  const least = Math.max(
    numberOr(schema["minimum"], -Infinity),
    numberOr(schema["exclusiveMinimum"], -Infinity) + (wholeStep === 1 ? 1 : gap),
  );
  const most = Math.min(
    numberOr(schema["maximum"], Infinity),
    numberOr(schema["exclusiveMaximum"], Infinity) - (wholeStep === 1 ? 1 : gap),
  );
  const wanted = Math.min(Math.max(1, least), most);
  if (step === 0) return least <= most ? wanted : (least + most) / 2;
  const above = Math.ceil(wanted / step) * step;
  return above <= most ? above : Math.floor(most / step) * step;
}

function stringInstance(schema: Members, name: string): string {
  const format = schema["format"];
  const known = typeof format === "string" ? FORMATS[format] : undefined;
  if (known !== undefined) return known;
  const least = count(schema["minLength"]);
  const most = numberOr(schema["maxLength"], Infinity);
  const pattern = schema["pattern"];
  if (typeof pattern === "string") {
    const fitting = PATTERN_CANDIDATES.flatMap((one) => [one, one.repeat(8), one.repeat(16), one.repeat(32)])
      .find((one) => one.length >= least && one.length <= most && matches(pattern, one));
    if (fitting !== undefined) return fitting;
  }
  const text = `sample ${name}`;
  // Lengths count code points (JSON Schema 2020-12, Validation, section 6.3.1).
  return [...text.padEnd(least + text.length, ".")].slice(
    0,
    Math.min(Math.max(least, [...text].length), most),
  )
    .join("");
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return false;
  }
}

function count(value: unknown): number {
  return typeof value === "number" && value > 0 ? Math.ceil(value) : 0;
}

function numberOr(value: unknown, fallback: number): number {
  return typeof value === "number" ? value : fallback;
}
