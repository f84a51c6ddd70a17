/**
 * What is particular about Copilot's answers (facts github-copilot 10 and 11) does not reach clients.
 */
import assert from "node:assert/strict";
import type OpenAI from "openai";
import { type Rig, startRig } from "./rig.ts";

const weather: OpenAI.Chat.Completions.ChatCompletionTool = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: {
      type: "object",
      properties: { city: { type: "string", enum: ["Lisbon", "Oslo"] } },
      required: ["city"],
      additionalProperties: false,
    },
  },
};

/** Claude splits its choices, Gemini ends calls with `stop`, Azure's GPT begins without a choice. */
const models = ["claude-sonnet-4.6", "gemini-2.5-pro", "gpt-4.1", "gpt-5-mini"];

async function signedIn(rig: Rig, splitChoices: boolean): Promise<OpenAI> {
  rig.sandbox.control.setSwitches({ copilot: { splitChoices } });
  return rig.openAi(await rig.signIn("github"));
}

for (const model of models) {
  for (const splitChoices of [false, true]) {
    const how = splitChoices ? "with choices split" : "with choices whole";
    Deno.test(`a chat with ${model} on Copilot, ${how}, gives text and calls in one choice`, async (test) => {
      await using rig = await startRig();
      const client = await signedIn(rig, splitChoices);
      const messages = [{ role: "user" as const, content: "get_weather, and announce it" }];
      const request = { model, messages, tools: [weather] };

      await test.step("collected", async () => {
        const completion = await client.chat.completions.create(request);
        assert.equal(completion.object, "chat.completion");
        assert.equal(completion.choices.length, 1);
        assertBoth(completion.choices[0], model);
      });

      await test.step("streamed, every chunk fit for clients that read its first choice", async () => {
        const stream = await client.chat.completions.create({ ...request, stream: true });
        const chunks = [];
        for await (const chunk of stream) chunks.push(chunk);
        for (const { object, id, choices } of chunks) {
          assert.equal(object, "chat.completion.chunk");
          assert.notEqual(id, "");
          assert.deepEqual(choices.map(({ index }) => index), [0]);
        }
        assert.deepEqual(chunks.flatMap(({ choices: [choice] }) => choice?.finish_reason ?? []), [
          "tool_calls",
        ]);
      });

      await test.step("put together by the SDK, with usage and the tool's result", async () => {
        const stream = client.chat.completions.stream({
          ...request,
          stream_options: { include_usage: true },
        });
        const { choices: [choice], usage } = await stream.finalChatCompletion();
        const id = assertBoth(choice, model);
        assert.ok((usage?.total_tokens ?? 0) > 0);
        assert.ok(choice !== undefined);
        const told = await client.chat.completions.create({
          ...request,
          messages: [...messages, choice.message, { role: "tool", tool_call_id: id, content: "Sunny" }],
        });
        assert.match(told.choices[0]?.message.content ?? "", /get_weather said: Sunny/);
        assert.equal(told.choices[0]?.finish_reason, "stop");
      });
    });
  }
}

/** Judges a choice with text and one call; returns the call's id. */
function assertBoth(
  choice: OpenAI.Chat.Completions.ChatCompletion.Choice | undefined,
  model: string,
): string {
  assert.ok(choice !== undefined);
  assert.equal(choice.finish_reason, "tool_calls");
  assert.ok((choice.message.content ?? "").length > 0);
  assert.equal(choice.message.tool_calls?.length, 1);
  const [call] = choice.message.tool_calls ?? [];
  assert.ok(call?.type === "function");
  assert.equal(call.function.name, "get_weather");
  assert.deepEqual(JSON.parse(call.function.arguments), { city: "Lisbon" });
  // Gemini wants it back with the call.
  assert.equal("thought_signature" in call, model.startsWith("gemini"));
  return call.id;
}

Deno.test("Claude's reasoning on Copilot is told as reasoning_content, streamed and collected", async () => {
  await using rig = await startRig();
  const client = await signedIn(rig, true);
  const request = {
    model: "claude-sonnet-4.6",
    messages: [{ role: "user" as const, content: "Say hello" }],
    reasoning_effort: "low" as const,
  };
  const { message } = (await client.chat.completions.create(request)).choices[0] ?? {};
  const collected = message !== undefined && "reasoning_content" in message ? message.reasoning_content : "";
  assert.ok(typeof collected === "string" && collected !== "");
  let streamed = "";
  for await (const { choices } of await client.chat.completions.create({ ...request, stream: true })) {
    const delta = choices[0]?.delta;
    if (delta !== undefined && "reasoning_content" in delta) streamed += delta.reasoning_content;
  }
  assert.equal(streamed, collected);
});

Deno.test("an answer of Claude on Copilot in Anthropic's shape reaches every kind of client as its own", async () => {
  await using rig = await startRig();
  const client = await signedIn(rig, false);
  const model = "claude-sonnet-4.6";
  const chat = await client.chat.completions.create({
    model,
    messages: [{ role: "user", content: "Say hello" }],
    max_tokens: 1,
  });
  assert.equal(chat.object, "chat.completion");
  assert.equal(chat.choices[0]?.finish_reason, "length");
  assert.ok((chat.choices[0]?.message.content ?? "") !== "" && (chat.usage?.prompt_tokens ?? 0) > 0);
  const legacy = await client.completions.create({ model, prompt: "Say hello", max_tokens: 1 });
  assert.deepEqual([legacy.choices[0]?.finish_reason, legacy.choices[0]?.text !== ""], ["length", true]);
  const response = await client.responses.create({ model, input: "Say hello", max_output_tokens: 1 });
  assert.equal(response.incomplete_details?.reason, "max_output_tokens");
  assert.notEqual(response.output_text, "");
});

Deno.test("Copilot's finish reason error is an error, streamed", async () => {
  await using rig = await startRig();
  const client = await signedIn(rig, true);
  for (const model of models) {
    rig.sandbox.control.addFault({
      upstream: "copilot",
      on: "call",
      kind: { type: "stream_failed", afterPieces: 3 },
    });
    const response = await client.chat.completions
      .create({ model, messages: [{ role: "user", content: "Count to 12" }], stream: true }).asResponse();
    const text = await response.text();
    assert.match(text, /data: \{"error":\{"message":"[^"]+","type":"server_error"/);
    assert.doesNotMatch(text, /\[DONE\]|"finish_reason":"/);
  }
});

for (const rotatingIds of [true, false]) {
  Deno.test(`Copilot's ids hold for a whole response when rotatingIds is ${rotatingIds}`, async (test) => {
    await using rig = await startRig();
    rig.sandbox.control.setSwitches({ copilot: { rotatingIds } });
    const client = rig.openAi(await rig.signIn("github"));
    const request = {
      model: "gpt-5.3-codex",
      input: "get_weather and get_time, and announce it",
      reasoning: { effort: "low", summary: "auto" },
      tools: ["get_weather", "get_time"].map((name) => ({
        type: "function" as const,
        name,
        strict: false,
        parameters: { type: "object", properties: {} },
      })),
    } as const satisfies OpenAI.Responses.ResponseCreateParamsNonStreaming;

    await test.step("streamed: one id for the response, and one for each item in all its events", async () => {
      const responseIds = new Set<string>();
      const itemIds = new Map<number, Set<string>>();
      const note = (index: number, id: string | null | undefined): void => {
        if (id) itemIds.set(index, (itemIds.get(index) ?? new Set()).add(id));
      };
      let items = 0;
      for await (const event of await client.responses.create({ ...request, stream: true })) {
        if ("item" in event) note(event.output_index, "id" in event.item ? event.item.id : null);
        if ("item_id" in event && "output_index" in event) note(event.output_index, event.item_id);
        if (!("response" in event)) continue;
        responseIds.add(event.response.id);
        event.response.output.forEach((item, index) => note(index, "id" in item ? item.id : null));
        if (event.type === "response.completed") items = event.response.output.length;
      }
      assert.equal(responseIds.size, 1);
      assert.ok(items >= 4, "reasoning, a message and two calls were asked for");
      assert.deepEqual([...itemIds].map(([, ids]) => ids.size), Array(items).fill(1));
      assert.equal(new Set([...itemIds].flatMap(([, ids]) => [...ids])).size, items);
    });

    await test.step("collected: an id for each item", async () => {
      const { output } = await client.responses.create(request);
      const ids = output.map((item) => "id" in item ? item.id : undefined);
      assert.equal(new Set(ids).size, output.length);
    });
  });
}
