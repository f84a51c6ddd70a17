import assert from "node:assert/strict";
import type OpenAI from "openai";
import type { ProviderId } from "../../src/provider/provider.ts";
import { startRig } from "./rig.ts";

/** Models to ask in each dialect: such as speak it, and last such as only speak the other one. */
const cases: readonly { provider: ProviderId; chat: string; responses: string }[] = [
  { provider: "openai", chat: "gpt-5.5", responses: "gpt-5.5" },
  { provider: "xai", chat: "grok-4.5", responses: "grok-4.5" },
  { provider: "github", chat: "gpt-4.1", responses: "gpt-5.3-codex" },
  { provider: "github", chat: "gpt-5.3-codex", responses: "gpt-4.1" },
];

const weather: OpenAI.Chat.Completions.ChatCompletionTool = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of a city.",
    parameters: {
      type: "object",
      properties: { city: { type: "string", enum: ["Lisbon", "Oslo"] }, days: { type: "integer" } },
      required: ["city", "days"],
      additionalProperties: false,
    },
  },
};

const clock: OpenAI.Chat.Completions.ChatCompletionTool = {
  type: "function",
  function: {
    name: "get_time",
    parameters: { type: "object", properties: {}, additionalProperties: false },
  },
};

/** A PNG of one pixel. */
const pixel =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

for (const { provider, chat, responses } of cases) {
  Deno.test(`the OpenAI SDK works through the relay on ${provider}, chat with ${chat}, responses with ${responses}`, async (test) => {
    await using rig = await startRig();
    const client = rig.openAi(await rig.signIn(provider));

    await test.step("models.list() and models.retrieve() tell the live list", async () => {
      const ids = (await client.models.list()).data.map(({ id }) => id);
      assert.ok(ids.includes(chat) && ids.includes(responses), ids.join(", "));
      assert.equal(new Set(ids).size, ids.length);
      assert.equal((await client.models.retrieve(chat)).id, chat);
      await assert.rejects(client.models.retrieve("no-such-model"), { status: 404, code: "model_not_found" });
    });

    await test.step("chat.completions.create() answers with usage", async () => {
      const completion = await client.chat.completions.create({
        model: chat,
        messages: [
          { role: "system", content: "Be brief." },
          { role: "user", content: "Say hello" },
        ],
      });
      const [choice] = completion.choices;
      assert.match(choice?.message.content ?? "", /Hello from .*You said: "Say hello"/);
      assert.equal(choice?.finish_reason, "stop");
      assert.ok((completion.usage?.prompt_tokens ?? 0) > 0 && (completion.usage?.completion_tokens ?? 0) > 0);
    });

    await test.step("the system message reaches the model", async () => {
      const completion = await client.chat.completions.create({
        model: chat,
        messages: [
          { role: "system", content: "First rule." },
          { role: "developer", content: "Second rule." },
          { role: "user", content: "What are your instructions?" },
        ],
      });
      assert.match(completion.choices[0]?.message.content ?? "", /First rule\.[\s\S]*Second rule\./);
    });

    await test.step("chat.completions.create({stream}) streams pieces, one finish and the usage", async () => {
      const stream = await client.chat.completions.create({
        model: chat,
        messages: [{ role: "user", content: "Count to 12" }],
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
      assert.equal(text, "1 2 3 4 5 6 7 8 9 10 11 12");
      assert.ok(
        chunks.filter((chunk) => chunk.choices[0]?.delta.content).length >= 12,
        "the text came in one piece",
      );
      assert.deepEqual(chunks.flatMap((chunk) => chunk.choices[0]?.finish_reason ?? []), ["stop"]);
      assert.equal(new Set(chunks.map(({ id }) => id).filter((id) => id)).size, 1);
      assert.ok((chunks.at(-1)?.usage?.total_tokens ?? 0) > 0);
    });

    for (const streamed of [false, true]) {
      const how = streamed ? "streamed" : "collected";
      await test.step(`a tool round trip comes back whole, ${how}`, async () => {
        const messages: OpenAI.Chat.Completions.ChatCompletionMessageParam[] = [
          { role: "user", content: "Use get_weather please" },
        ];
        const asked = await complete(client, { model: chat, messages, tools: [weather] }, streamed);
        assert.equal(asked.finish_reason, "tool_calls");
        const [call] = asked.message.tool_calls ?? [];
        assert.ok(call?.type === "function");
        assert.equal(call.function.name, "get_weather");
        assert.deepEqual(JSON.parse(call.function.arguments), { city: "Lisbon", days: 1 });
        messages.push(asked.message, { role: "tool", tool_call_id: call.id, content: "Sunny, 21 degrees" });
        const told = await complete(client, { model: chat, messages, tools: [weather] }, streamed);
        assert.match(told.message.content ?? "", /get_weather said: Sunny, 21 degrees/);
        assert.equal(told.finish_reason, "stop");
      });

      await test.step(`parallel calls keep their order and arguments, ${how}`, async () => {
        const { message } = await complete(client, {
          model: chat,
          messages: [{ role: "user", content: "Use get_weather and get_time" }],
          tools: [weather, clock],
        }, streamed);
        const calls = (message.tool_calls ?? []).map((call) =>
          call.type === "function" ? call.function : undefined
        );
        assert.deepEqual(calls.map((call) => call?.name), ["get_weather", "get_time"]);
        assert.deepEqual(calls.map((call) => JSON.parse(call?.arguments ?? "")), [
          { city: "Lisbon", days: 1 },
          {},
        ]);
        assert.equal(new Set(message.tool_calls?.map(({ id }) => id)).size, 2);
      });
    }

    await test.step("an image is seen", async () => {
      const completion = await client.chat.completions.create({
        model: chat,
        messages: [{
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: pixel } },
          ],
        }],
      });
      assert.match(completion.choices[0]?.message.content ?? "", /I see 1 image\./);
    });

    await test.step("a length limit of the model is told as such", async () => {
      const completion = await client.chat.completions.create({
        model: chat,
        messages: [{ role: "user", content: "please be cut off" }],
      });
      assert.equal(completion.choices[0]?.finish_reason, "length");
    });

    await test.step("responses.create() answers", async () => {
      const response = await client.responses.create({ model: responses, input: "Say hello" });
      assert.equal(response.object, "response");
      assert.equal(response.status, "completed");
      assert.match(response.output_text, /You said: "Say hello"/);
      assert.ok((response.usage?.total_tokens ?? 0) > 0);
    });

    await test.step("responses.create({stream}) streams to a completed response", async () => {
      const stream = await client.responses.create({ model: responses, input: "Count to 5", stream: true });
      let text = "";
      const types = [];
      for await (const event of stream) {
        types.push(event.type);
        if (event.type === "response.output_text.delta") text += event.delta;
      }
      assert.equal(text, "1 2 3 4 5");
      assert.equal(types[0], "response.created");
      assert.equal(types.at(-1), "response.completed");
      assert.ok(types.every((type) => type.startsWith("response.")), types.join(", "));
    });

    await test.step("responses.create() calls functions", async () => {
      const response = await client.responses.create({
        model: responses,
        input: [{ role: "user", content: "Use get_weather please" }],
        tools: [{
          type: "function",
          strict: false,
          ...weather.function,
          parameters: weather.function.parameters ?? {},
        }],
      });
      const call = response.output.find((item) => item.type === "function_call");
      assert.ok(call !== undefined, JSON.stringify(response.output));
      assert.deepEqual(JSON.parse(call.arguments), { city: "Lisbon", days: 1 });
    });
  });
}

type ChatRequest = Omit<OpenAI.Chat.Completions.ChatCompletionCreateParamsNonStreaming, "stream">;

/** One completion, asked for as one document or put together from a stream by the SDK. */
async function complete(
  client: OpenAI,
  request: ChatRequest,
  streamed: boolean,
): Promise<OpenAI.Chat.Completions.ChatCompletion.Choice> {
  const completion = streamed
    ? await client.chat.completions.stream(request).finalChatCompletion()
    : await client.chat.completions.create(request);
  const [choice] = completion.choices;
  assert.ok(choice !== undefined);
  return choice;
}
