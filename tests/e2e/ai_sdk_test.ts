/**
 * The Vercel AI SDK (`ai`, `@ai-sdk/openai`, `@ai-sdk/openai-compatible`) on every provider.
 *
 * Over Responses the SDK has to be told `store: false`: without it, the SDK replaces earlier items by references to a
 * store that no subscription has, and the relay refuses those.
 */
import assert from "node:assert/strict";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, jsonSchema, type LanguageModel, Output, stepCountIs, streamText, tool } from "ai";
import type { ProviderId } from "../../src/provider/provider.ts";
import { faultsInMidStream, type ModelCase, modelCases, pixelPng } from "./model_cases.ts";
import { type Rig, startRig } from "./rig.ts";

type City = { city: string; days: number };

const citySchema = jsonSchema<City>({
  type: "object",
  properties: { city: { type: "string", enum: ["Lisbon", "Oslo"] }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
});

const tools = {
  get_weather: tool({
    description: "The weather of a city.",
    inputSchema: citySchema,
    execute: ({ city, days }: City) => `Sunny in ${city} for ${days}`,
  }),
  get_time: tool({
    inputSchema: jsonSchema<Record<string, never>>({
      type: "object",
      properties: {},
      additionalProperties: false,
    }),
    execute: () => "12:00",
  }),
};

/** Statelessness, and reasoning also for models whose names the SDK does not know. */
const providerOptions = { openai: { store: false, reasoningSummary: "auto", forceReasoning: true } };

function modelOf({ dialect, model }: ModelCase, rig: Rig, jwt: string): LanguageModel {
  const openai = createOpenAI({ baseURL: `${rig.origin}/v1`, apiKey: jwt });
  return dialect === "chat" ? openai.chat(model) : openai.responses(model);
}

for (const modelCase of modelCases) {
  const { provider, upstream, dialect, model: id } = modelCase;
  Deno.test(`the AI SDK works through the relay on ${provider}, ${dialect} with ${id}`, async (test) => {
    await using rig = await startRig();
    const jwt = await rig.signIn(provider);
    const settings = {
      model: modelOf(modelCase, rig, jwt),
      maxRetries: 0,
      ...(dialect === "responses" ? { providerOptions } : {}),
    };

    await test.step("generateText() answers with usage", async () => {
      const { text, finishReason, usage } = await generateText({
        ...settings,
        system: "Be brief.",
        prompt: "Say hello",
      });
      assert.match(text, /You said: "Say hello"/);
      assert.equal(finishReason, "stop");
      assert.ok((usage.inputTokens ?? 0) > 0 && (usage.outputTokens ?? 0) > 0);
    });

    await test.step("streamText() streams pieces, one finish and the usage", async () => {
      const result = streamText({ ...settings, prompt: "Count to 12", onError: () => {} });
      const pieces = [];
      for await (const piece of result.textStream) pieces.push(piece);
      assert.equal(pieces.join(""), "1 2 3 4 5 6 7 8 9 10 11 12");
      assert.ok(pieces.length >= 12, "the text came in one piece");
      assert.equal(await result.finishReason, "stop");
      assert.ok(((await result.usage).totalTokens ?? 0) > 0);
    });

    await test.step("generateText() loops over tools, one after the other", async () => {
      const { text, steps } = await generateText({
        ...settings,
        tools,
        stopWhen: stepCountIs(5),
        prompt: 'Use get_weather with {"city":"Oslo","days":3}, after that get_time',
      });
      assert.deepEqual(steps.map(({ finishReason }) => finishReason), ["tool-calls", "tool-calls", "stop"]);
      assert.deepEqual(
        steps.flatMap(({ toolCalls }) => toolCalls).map(({ toolName, input }) => [toolName, input]),
        [
          ["get_weather", { city: "Oslo", days: 3 }],
          ["get_time", {}],
        ],
      );
      assert.match(text, /get_weather said: Sunny in Oslo for 3\s+get_time said: 12:00/);
    });

    await test.step("streamText() loops over parallel tools", async () => {
      const result = streamText({
        ...settings,
        tools,
        stopWhen: stepCountIs(5),
        prompt: "Use get_weather and get_time",
      });
      const inputs = new Map<string, string>();
      for await (const part of result.fullStream) {
        assert.notEqual(part.type, "error", JSON.stringify(part));
        if (part.type === "tool-input-delta") {
          inputs.set(part.id, (inputs.get(part.id) ?? "") + part.delta);
        }
      }
      const [first, ...others] = await result.steps;
      // The SDK tells calls in the order in which they end, and the upstreams stream them in turns.
      const calls = first?.toolCalls.toSorted((one, other) => one.toolName < other.toolName ? 1 : -1) ?? [];
      assert.deepEqual(calls.map(({ toolName, input }) => [toolName, input]), [
        ["get_weather", { city: "Lisbon", days: 1 }],
        ["get_time", {}],
      ]);
      assert.deepEqual(
        calls.map(({ toolCallId }) => JSON.parse(inputs.get(toolCallId) ?? "null")),
        calls.map(({ input }) => input),
      );
      assert.equal(others.length, 1);
      assert.match(await result.text, /get_weather said: Sunny in Lisbon for 1/);
      assert.match(await result.text, /get_time said: 12:00/);
    });

    await test.step("generateText() gives an object that follows a schema", async () => {
      const { output } = await generateText({
        ...settings,
        output: Output.object({ schema: citySchema }),
        prompt: "Where to?",
      });
      assert.deepEqual(output, { city: "Lisbon", days: 1 });
    });

    await test.step("an image is seen", async () => {
      const { text } = await generateText({
        ...settings,
        messages: [{
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image", image: pixelPng, mediaType: "image/png" },
          ],
        }],
      });
      assert.match(text, /I see 1 image\./);
    });

    if (dialect === "responses" && id !== "gpt-4.1") {
      await test.step("reasoning is told, streamed and not", async () => {
        const { reasoningText } = await generateText({ ...settings, prompt: "Say hello" });
        assert.match(reasoningText ?? "", /Reading the question/);
        const result = streamText({ ...settings, prompt: "Say hello" });
        await result.consumeStream();
        assert.equal(await result.reasoningText, reasoningText);
      });
    }

    await test.step("an upstream that fails in mid-stream is an error and never a finish", async () => {
      for (const kind of faultsInMidStream) {
        rig.sandbox.control.addFault({ upstream, on: "call", kind });
        const result = streamText({ ...settings, prompt: "Count to 30", onError: () => {} });
        const types = [];
        const reasons = [];
        for await (const part of result.fullStream) {
          types.push(part.type);
          if (part.type === "finish" || part.type === "finish-step") reasons.push(part.finishReason);
        }
        // What was sent just before a connection breaks may be lost with it.
        assert.ok(
          kind.type === "stream_cut" || types.includes("text-delta"),
          `${kind.type}: ${types.join(" ")}`,
        );
        assert.ok(types.includes("error"), `${kind.type}: ${types.join(" ")}`);
        assert.ok(reasons.every((reason) => reason === "error"), `${kind.type}: ${reasons.join(" ")}`);
      }
    });

    await test.step("an upstream that refuses is an error with its status", async () => {
      rig.sandbox.control.addFault({ upstream, on: "call", kind: { type: "status", status: 429 } });
      await assert.rejects(generateText({ ...settings, prompt: "Say hello" }), { statusCode: 429 });
    });
  });
}

const reasoningModels: readonly { provider: ProviderId; model: string }[] = [
  { provider: "openai", model: "gpt-5.5" },
  { provider: "xai", model: "grok-3-mini" },
  { provider: "github", model: "gpt-5.3-codex" },
];

for (const { provider, model } of reasoningModels) {
  Deno.test(`the AI SDK's provider for compatible servers is told the reasoning of ${model}`, async () => {
    await using rig = await startRig();
    const relay = createOpenAICompatible({
      name: "relay",
      baseURL: `${rig.origin}/v1`,
      apiKey: await rig.signIn(provider),
      includeUsage: true,
    });
    const settings = {
      model: relay(model),
      maxRetries: 0,
      tools,
      stopWhen: stepCountIs(5),
      providerOptions: { relay: { reasoningEffort: "medium" } },
      prompt: "Use get_weather",
    };
    const { steps, text } = await generateText(settings);
    assert.equal(steps.length, 2);
    assert.match(text, /get_weather said: Sunny in Lisbon for 1/);
    for (const { reasoningText } of steps) assert.match(reasoningText ?? "", /Reading the question/);
    const streamed = streamText(settings);
    await streamed.consumeStream();
    assert.deepEqual(
      (await streamed.steps).map(({ reasoningText }) => reasoningText),
      steps.map(({ reasoningText }) => reasoningText),
    );
    assert.ok(((await streamed.usage).outputTokenDetails.reasoningTokens ?? 0) > 0);
  });
}
