/**
 * LangChain.js (`@langchain/openai`) on every provider, over both APIs.
 */
import assert from "node:assert/strict";
import {
  type AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  type UsageMetadata,
} from "@langchain/core/messages";
import { DynamicStructuredTool, type StructuredToolInterface } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import { faultsInMidStream, type ModelCase, modelCases, pixelPng } from "./model_cases.ts";
import { type Rig, startRig } from "./rig.ts";

type City = { city: string; days: number };

const citySchema = {
  type: "object",
  properties: { city: { type: "string", enum: ["Lisbon", "Oslo"] }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
} as const;

const tools: readonly StructuredToolInterface[] = [
  new DynamicStructuredTool({
    name: "get_weather",
    description: "The weather of a city.",
    schema: citySchema,
    func: ({ city, days }: City) => Promise.resolve(`Sunny in ${city} for ${days}`),
  }),
  new DynamicStructuredTool({
    name: "get_time",
    description: "The time of day.",
    schema: { type: "object", properties: {}, additionalProperties: false },
    func: () => Promise.resolve("12:00"),
  }),
];

/** `zdrEnabled` is LangChain's word for `store: false` with encrypted reasoning. */
function modelOf({ dialect, model }: ModelCase, rig: Rig, jwt: string): ChatOpenAI {
  return new ChatOpenAI({
    model,
    apiKey: jwt,
    configuration: { baseURL: `${rig.origin}/v1` },
    useResponsesApi: dialect === "responses",
    ...(dialect === "responses" ? { zdrEnabled: true } : {}),
    maxRetries: 0,
  });
}

for (const modelCase of modelCases) {
  const { provider, upstream, dialect, model: id } = modelCase;
  Deno.test(`LangChain works through the relay on ${provider}, ${dialect} with ${id}`, async (test) => {
    await using rig = await startRig();
    const model = modelOf(modelCase, rig, await rig.signIn(provider));

    await test.step("invoke() answers with usage", async () => {
      const answer = await model.invoke([new SystemMessage("Be brief."), new HumanMessage("Say hello")]);
      assert.match(answer.text, /You said: "Say hello"/);
      const usage = usageOf(answer);
      assert.ok((usage?.input_tokens ?? 0) > 0 && (usage?.output_tokens ?? 0) > 0);
    });

    await test.step("stream() streams pieces and the usage", async () => {
      const pieces = [];
      let whole: AIMessageChunk | undefined;
      for await (const chunk of await model.stream("Count to 12")) {
        if (chunk.text !== "") pieces.push(chunk.text);
        whole = whole?.concat(chunk) ?? chunk;
      }
      assert.equal(pieces.join(""), "1 2 3 4 5 6 7 8 9 10 11 12");
      assert.ok(pieces.length >= 12, "the text came in one piece");
      assert.ok(whole !== undefined && (usageOf(whole)?.total_tokens ?? 0) > 0);
    });

    for (const streamed of [false, true]) {
      const how = streamed ? "streamed" : "collected";
      await test.step(`bindTools() loops over tools, ${how}`, async () => {
        const bound = model.bindTools([...tools]);
        const ask = async (messages: BaseMessage[]): Promise<AIMessage> => {
          if (!streamed) return await bound.invoke(messages);
          let whole: AIMessageChunk | undefined;
          for await (const chunk of await bound.stream(messages)) whole = whole?.concat(chunk) ?? chunk;
          assert.ok(whole !== undefined);
          return whole;
        };
        const messages: BaseMessage[] = [
          new HumanMessage(
            'Use get_weather with {"city":"Oslo","days":3} and get_time, after that get_weather',
          ),
        ];
        const rounds = [];
        let answer = await ask(messages);
        while ((answer.tool_calls ?? []).length > 0) {
          const calls = answer.tool_calls ?? [];
          rounds.push(calls.map(({ name, args }) => ({ name, args })).toSorted(byName));
          messages.push(answer);
          for (const call of calls) {
            messages.push(await tools.find(({ name }) => name === call.name)?.invoke(call));
          }
          answer = await ask(messages);
        }
        assert.deepEqual(rounds, [
          [{ name: "get_time", args: {} }, { name: "get_weather", args: { city: "Oslo", days: 3 } }],
          [{ name: "get_weather", args: { city: "Lisbon", days: 1 } }],
        ]);
        for (
          const said of ["get_weather said: Sunny in Oslo for 3", "get_time said: 12:00", "Lisbon for 1"]
        ) {
          assert.ok(answer.text.includes(said), answer.text);
        }
      });
    }

    await test.step("withStructuredOutput() gives an object that follows a schema", async () => {
      const structured = model.withStructuredOutput<City>(citySchema, { name: "city", method: "jsonSchema" });
      assert.deepEqual(await structured.invoke("Where to?"), { city: "Lisbon", days: 1 });
      const calling = model.withStructuredOutput<City>(citySchema, {
        name: "choose_city",
        method: "functionCalling",
      });
      assert.deepEqual(await calling.invoke("Where to?"), { city: "Lisbon", days: 1 });
    });

    await test.step("an image is seen", async () => {
      const answer = await model.invoke([
        new HumanMessage({
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: `data:image/png;base64,${pixelPng}` } },
          ],
        }),
      ]);
      assert.match(answer.text, /I see 1 image\./);
    });

    await test.step("an upstream that fails in mid-stream is an error and never an end", async () => {
      for (const kind of faultsInMidStream) {
        rig.sandbox.control.addFault({ upstream, on: "call", kind });
        await assert.rejects(async () => await Array.fromAsync(await model.stream("Count to 30")), kind.type);
      }
    });

    await test.step("an upstream that refuses is an error with its status", async () => {
      rig.sandbox.control.addFault({ upstream, on: "call", kind: { type: "status", status: 429 } });
      await assert.rejects(model.invoke("Say hello"), { status: 429 });
    });
  });
}

function byName(one: { name: string }, other: { name: string }): number {
  return one.name < other.name ? -1 : 1;
}

/** LangChain's own type of this member comes out as `undefined` with exact optional properties. */
function usageOf(
  message: { readonly usage_metadata?: UsageMetadata | undefined },
): UsageMetadata | undefined {
  return message.usage_metadata;
}
