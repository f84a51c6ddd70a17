/**
 * OpenAI's API reference as JSON Schema, made from the type definitions that the pinned `openai` package publishes.
 */
import { Ajv, type ValidateFunction } from "ajv";
import { createGenerator } from "ts-json-schema-generator";

/** The types that are looked at, by the name that the tests have for them. */
const TYPES = {
  chatRequest: "Chat.ChatCompletionCreateParamsStreaming",
  responsesRequest: "Responses.ResponseCreateParamsStreaming",
  completionsRequest: "CompletionCreateParamsStreaming",
  chatCompletion: "Chat.ChatCompletion",
  chatChunk: "Chat.ChatCompletionChunk",
  completion: "Completion",
  completionChunk: "Completion",
  response: "Responses.Response",
  responseEvent: "Responses.ResponseStreamEvent",
} as const;

/** The name of a type of the reference. */
export type ReferenceType = keyof typeof TYPES;

/** A JSON Schema, as far as the generator makes one. */
export interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
}

/** See {@linkcode loadApiReference}. */
export interface ApiReference {
  /** What is wrong with a value, as sentences; none when it is right. Numbers in paths are told as N. Further members than the reference's are allowed. */
  problems(type: ReferenceType, value: unknown): string[];
  /** The alternatives of a type, or of the member at `path` (`[]` enters an array), each without a `$ref`. */
  alternatives(type: ReferenceType, path?: readonly string[]): readonly Schema[];
  /** The alternatives of a schema that was found in the reference. */
  flatten(schema: Schema): readonly Schema[];
}

/** Makes the schemas anew: about a second. */
export async function loadApiReference(): Promise<ApiReference> {
  const definitions = await readDefinitions();
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addSchema({ $id: "api", definitions });
  const validators = new Map<string, ValidateFunction>();

  function validatorOf(ref: string): ValidateFunction {
    const known = validators.get(ref) ?? ajv.compile({ $ref: `api${ref}` });
    validators.set(ref, known);
    return known;
  }

  function resolve(schema: Schema): Schema {
    const name = schema.$ref?.replace("#/definitions/", "");
    if (name === undefined) return schema;
    const found = definitions[decodeURIComponent(name)];
    if (found === undefined) throw new Error(`The reference has no ${name}.`);
    return resolve(found);
  }

  function flatten(schema: Schema): readonly Schema[] {
    const resolved = resolve(schema);
    return resolved.anyOf?.flatMap(flatten) ?? [resolved];
  }

  function typeOf(type: ReferenceType): Schema {
    const schema = definitions["Root"]?.properties?.[type];
    if (schema === undefined) throw new Error(`The reference has no ${type}.`);
    return schema;
  }

  return {
    problems(type: ReferenceType, value: unknown): string[] {
      let ref = typeOf(type).$ref ?? "";
      if (type === "responseEvent") {
        // Judged as the event that it says it is, so that what is wrong with it can be told.
        const event = Object(value)["type"];
        const branches = resolve(typeOf(type)).anyOf ?? [];
        const branch = branches.find((one) => tagsOf(resolve(one), "type").includes(event));
        if (branch === undefined) return [`${event} is no event of the reference`];
        ref = branch.$ref ?? "";
      }
      const validate = validatorOf(ref);
      if (validate(value)) return [];
      return (validate.errors ?? []).map(({ instancePath, keyword, message, params }) => {
        const place = instancePath.replaceAll(/\d+/g, "N") || "/";
        return keyword === "required" ? `${place} lacks ${params["missingProperty"]}` : `${place} ${message}`;
      });
    },
    alternatives(type: ReferenceType, path: readonly string[] = []): readonly Schema[] {
      let schemas = flatten(typeOf(type));
      for (const step of path) {
        schemas = schemas.flatMap((schema) => {
          const next = step === "[]" ? schema.items : schema.properties?.[step];
          return next === undefined ? [] : flatten(next);
        });
      }
      if (schemas.length === 0) throw new Error(`The reference has no ${path.join(".")} in ${type}.`);
      return schemas;
    },
    flatten,
  };
}

/** The words that `tag` can be in a schema. */
export function tagsOf(schema: Schema, tag: string): readonly unknown[] {
  const member = schema.properties?.[tag];
  return member === undefined ? [] : wordsOf(member);
}

/** The words that a value of the schema can be. */
export function wordsOf(schema: Schema): readonly unknown[] {
  return schema.enum ?? (schema.const === undefined ? [] : [schema.const]);
}

async function readDefinitions(): Promise<Record<string, Schema>> {
  const index = new URL(import.meta.resolve("openai").replace(/\.m?js$/, ".d.ts"));
  const root = await Deno.makeTempFile({ suffix: ".d.ts" });
  try {
    const members = Object.entries(TYPES).map(([name, type]) => `  ${name}: OpenAI.${type};`);
    await Deno.writeTextFile(
      root,
      `import type { OpenAI } from ${JSON.stringify(index.pathname)};\nexport interface Root {\n${
        members.join("\n")
      }\n}\n`,
    );
    const generator = createGenerator({
      path: root,
      type: "Root",
      skipTypeCheck: true,
      additionalProperties: true,
      expose: "all",
      jsDoc: "none",
    });
    // The generator's type for schemas knows more forms than occur.
    const definitions: Record<string, Schema> = JSON.parse(
      JSON.stringify(generator.createSchema("Root").definitions),
    );
    return corrected(definitions);
  } finally {
    await Deno.remove(root);
  }
}

/**
 * Where the package's types say something else than the reference's text. `output_text` is made by the SDK; no server
 * sends it. The codes of a failed response are more than are listed: OpenAI's own backend has others, which clients act
 * upon (facts chatgpt-codex 4.3). The chunks of a legacy completion have the type of the whole one, but no finish reason before the end, and
 * no usage before the last chunk.
 */
function corrected(definitions: Record<string, Schema>): Record<string, Schema> {
  const { Root: root, Response: response, ResponseError: error } = definitions;
  const { Completion: completion, CompletionChoice: choice } = definitions;
  const required = response?.required?.filter((member) => member !== "output_text");
  const { choices, usage } = completion?.properties ?? {};
  const reason = choice?.properties?.["finish_reason"];
  if (
    error?.properties?.["code"]?.enum === undefined || required === undefined || choices === undefined ||
    usage === undefined || reason === undefined
  ) {
    throw new Error("The package's types have changed.");
  }
  const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: "null" }] });
  return {
    ...definitions,
    Root: {
      ...root,
      properties: { ...root?.properties, completionChunk: { $ref: "#/definitions/CompletionChunk" } },
    },
    Response: { ...response, required },
    ResponseError: { ...error, properties: { ...error.properties, code: { type: "string" } } },
    CompletionChunk: {
      ...completion,
      properties: {
        ...completion?.properties,
        choices: { ...choices, items: { $ref: "#/definitions/CompletionChunkChoice" } },
        usage: orNull(usage),
      },
    },
    CompletionChunkChoice: {
      ...choice,
      properties: { ...choice?.properties, finish_reason: orNull(reason) },
    },
  };
}
