/**
 * Streams an answer through a relay with the official SDK.
 *
 *     deno run --allow-net --allow-env docs/examples/chat.ts http://127.0.0.1:3000 <session JWT> "Say hello."
 */
import OpenAI from "openai";

const [relay = "http://127.0.0.1:3000", jwt = "", question = "Say hello."] = Deno.args;

const client = new OpenAI({ baseURL: `${relay}/v1`, apiKey: jwt });
const [model] = (await client.models.list()).data;
if (model === undefined) throw new Error("This subscription offers no model.");

const stream = await client.chat.completions.create({
  model: model.id,
  messages: [{ role: "user", content: question }],
  stream: true,
});
for await (const chunk of stream) {
  await Deno.stdout.write(new TextEncoder().encode(chunk.choices[0]?.delta.content ?? ""));
}
await Deno.stdout.write(new TextEncoder().encode("\n"));
