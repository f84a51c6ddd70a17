import assert from "node:assert/strict";
import type { Fault } from "../../src/sandbox/contract.ts";
import type { ProviderId } from "../../src/provider/provider.ts";
import { startRig } from "./rig.ts";

/** A model of each upstream dialect at each provider. */
const cases: readonly {
  readonly provider: ProviderId;
  readonly upstream: Fault["upstream"];
  readonly model: string;
}[] = [
  { provider: "openai", upstream: "chatgpt", model: "gpt-5.5" },
  { provider: "xai", upstream: "grok", model: "grok-4.5" },
  { provider: "github", upstream: "copilot", model: "gpt-5.3-codex" },
  { provider: "github", upstream: "copilot", model: "gpt-4.1" },
  { provider: "github", upstream: "copilot", model: "claude-sonnet-4.6" },
];

for (const { provider, upstream, model } of cases) {
  Deno.test(`legacy completions work through the OpenAI SDK on ${provider} with ${model}`, async (test) => {
    await using rig = await startRig();
    rig.sandbox.control.setSwitches({ copilot: { splitChoices: true } });
    const client = rig.openAi(await rig.signIn(provider));

    await test.step("collected, with usage", async () => {
      const completion = await client.completions.create({ model, prompt: ["Say hello"] });
      assert.equal(completion.object, "text_completion");
      assert.match(completion.id, /^cmpl-/);
      const [choice] = completion.choices;
      assert.match(choice?.text ?? "", /Hello from .*You said: "Say hello"/);
      assert.deepEqual([choice?.index, choice?.finish_reason, choice?.logprobs], [0, "stop", null]);
      assert.ok((completion.usage?.prompt_tokens ?? 0) > 0 && (completion.usage?.completion_tokens ?? 0) > 0);
    });

    await test.step("streamed in pieces, with one finish and the usage on request", async () => {
      const stream = await client.completions.create({
        model,
        prompt: "Count to 12",
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      const choices = chunks.flatMap((chunk) => chunk.choices);
      assert.equal(choices.map(({ text }) => text).join(""), "1 2 3 4 5 6 7 8 9 10 11 12");
      assert.ok(choices.length > 12, "the text came in one piece");
      assert.deepEqual(choices.map((choice) => choice.finish_reason).filter((reason) => reason !== null), [
        "stop",
      ]);
      assert.equal(new Set(chunks.map(({ id }) => id)).size, 1);
      assert.ok(chunks.every(({ object }) => object === "text_completion"));
      assert.ok((chunks.at(-1)?.usage?.total_tokens ?? 0) > 0);
    });

    await test.step("a length limit of the model is told as such", async () => {
      const completion = await client.completions.create({ model, prompt: "please be cut off" });
      assert.equal(completion.choices[0]?.finish_reason, "length");
    });

    await test.step("what is dropped is named, and what cannot be is refused", async () => {
      const { data, response } = await client.completions
        .create({ model, prompt: "Say hello", stop: ["\n"], seed: 1 }).withResponse();
      assert.match(data.choices[0]?.text ?? "", /Hello/);
      assert.equal(response.headers.get("x-authai-ignored-parameters"), "seed, stop");
      await assert.rejects(client.completions.create({ model, prompt: ["a", "b"] }), {
        status: 400,
        param: "prompt",
        code: "unsupported_value",
      });
      await assert.rejects(client.completions.create({ model, prompt: "a", echo: true }), {
        status: 400,
        param: "echo",
      });
    });

    for (const type of ["stream_failed", "stream_error_event", "stream_cut", "stream_eof"] as const) {
      await test.step(`${type} in the middle of a stream is an error and no end`, async () => {
        rig.sandbox.control.addFault({ upstream, on: "call", kind: { type, afterPieces: 3 } });
        const response = await client.completions
          .create({ model, prompt: "Count to 12", stream: true }).asResponse();
        const text = await response.text();
        // What a broken connection had not delivered yet is lost.
        if (type !== "stream_cut") assert.match(text, /"text":"1/);
        assert.match(text, /data: \{"error":\{"message":"[^"]+"/);
        assert.doesNotMatch(text, /\[DONE\]|"finish_reason":"/);
      });
    }
  });
}
