/**
 * Cached tokens really come back: the simulated upstreams find earlier turns only by the key of their conversation, which
 * the relay makes where the client gave none.
 */
import assert from "node:assert/strict";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { startRig } from "./rig.ts";

type Message = { role: "system" | "user" | "assistant"; content: string };

const system: Message = { role: "system", content: "You are terse. ".repeat(100) };
const first: Message = { role: "user", content: `Here is a long text. ${"Lorem ipsum. ".repeat(100)}` };
const other: Message = { role: "user", content: `Here is another text. ${"Dolor sit amet. ".repeat(100)}` };

/** What the calls carried to lead to a cache: header and body member. */
function keysSent({ control }: Sandbox, header: string): readonly (readonly [unknown, unknown])[] {
  return control.requests().filter(({ on }) => on === "call")
    .map(({ headers, body }) => [headers[header], JSON.parse(body)["prompt_cache_key"]]);
}

Deno.test("a conversation over Chat Completions with ChatGPT finds its earlier turns in the cache", async () => {
  await using rig = await startRig();
  const ada = rig.openAi(await rig.signIn("openai", "ada"));
  const cachedTokens = async (client: typeof ada, ...messages: Message[]): Promise<number | undefined> => {
    const { usage } = await client.chat.completions.create({ model: "gpt-5.5", messages });
    return usage?.prompt_tokens_details?.cached_tokens;
  };
  assert.equal(await cachedTokens(ada, system, first), 0);
  const second = [system, first, { role: "assistant", content: "Fine." }, { role: "user", content: "And?" }];
  const found = await cachedTokens(ada, ...second as Message[]);
  assert.ok(found !== undefined && found >= 512, `${found} tokens`);
  // Another conversation has another key, although it begins with the same system message.
  assert.equal(await cachedTokens(ada, system, other), 0);
  // A colleague with the same words is somebody else.
  const bob = rig.openAi(await rig.signIn("openai", "bob"));
  assert.equal(await cachedTokens(bob, system, first), 0);

  const keys = keysSent(rig.sandbox, "session_id");
  assert.equal(keys.length, 4);
  for (const [header, member] of keys) {
    assert.match(String(member), /^[0-9a-f-]{36}$/);
    assert.equal(header, member);
  }
  const [start, continued, ...strangers] = keys.map(([, member]) => member);
  assert.equal(continued, start);
  assert.equal(new Set([start, ...strangers]).size, 3);
});

Deno.test("a conversation over Responses with ChatGPT finds its earlier turns in the cache", async () => {
  await using rig = await startRig();
  const client = rig.openAi(await rig.signIn("openai"));
  const instructions = system.content;
  const start = await client.responses.create({ model: "gpt-5.5", instructions, input: first.content });
  const input = [
    first,
    ...start.output,
    { role: "user", content: "And?" },
  ] as Parameters<typeof client.responses.create>[0]["input"] & object;
  const next = await client.responses.create({ model: "gpt-5.5", instructions, input, stream: false });
  assert.equal(start.usage?.input_tokens_details.cached_tokens, 0);
  assert.ok((next.usage?.input_tokens_details.cached_tokens ?? 0) >= 512, JSON.stringify(next.usage));
});

Deno.test("a client's own cache key is kept", async () => {
  await using rig = await startRig();
  const client = rig.openAi(await rig.signIn("openai"));
  await client.chat.completions.create({ model: "gpt-5.5", messages: [first], prompt_cache_key: "mine" });
  assert.deepEqual(keysSent(rig.sandbox, "session_id"), [["mine", "mine"]]);
});

Deno.test("a conversation with Grok finds its earlier turns, and its bytes stay the client's", async () => {
  await using rig = await startRig();
  const jwt = await rig.signIn("xai");
  const ask = async (path: string, body: string): Promise<Record<string, unknown>> => {
    const response = await fetch(`${rig.origin}/v1${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${jwt}`, "content-type": "application/json" },
      body,
    });
    assert.equal(response.status, 200, await response.clone().text());
    return (await response.json())["usage"];
  };
  const model = "grok-4.5";
  const turns = [[system, first], [system, first, { role: "assistant", content: "Fine." }, other]];
  // The odd spacing would not survive a parser and a printer.
  const chats = turns.map((messages) => `{ "model":"${model}",  "messages":${JSON.stringify(messages)} }`);
  const responses = turns.map((input) => `{ "model":"${model}",  "input":${JSON.stringify(input)} }`);
  const cachedOfChat: unknown[] = [];
  for (const body of chats) {
    cachedOfChat.push((await ask("/chat/completions", body))["prompt_tokens_details"]);
  }
  const cachedOfResponses: unknown[] = [];
  for (const body of responses) {
    cachedOfResponses.push((await ask("/responses", body))["input_tokens_details"]);
  }
  for (const [before, after] of [cachedOfChat, cachedOfResponses] as { cached_tokens: number }[][]) {
    assert.ok((after?.cached_tokens ?? 0) >= 512, JSON.stringify([before, after]));
  }
  const calls = rig.sandbox.control.requests().filter(({ on }) => on === "call");
  assert.deepEqual(calls.map(({ body }) => body), [...chats, ...responses]);
  const ids = new Set(calls.map(({ headers }) => headers["x-grok-conv-id"]));
  assert.equal(ids.size, 1);
});
