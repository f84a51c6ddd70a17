import assert from "node:assert/strict";
import type { ProviderId } from "../../src/provider/provider.ts";
import type { Fault } from "../../src/sandbox/contract.ts";
import { type Rig, startRig } from "./rig.ts";

/** Some 20 MB of events: more than all socket buffers on the way hold together. */
const question = "Count to 100000";

const cases: readonly {
  readonly provider: ProviderId;
  readonly upstream: Fault["upstream"];
  readonly model: string;
}[] = [
  { provider: "openai", upstream: "chatgpt", model: "gpt-5.5" },
  { provider: "xai", upstream: "grok", model: "grok-4.5" },
];

function ask({ origin }: Rig, jwt: string, model: string): Promise<Response> {
  return fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${jwt}` },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: question }] }),
  });
}

for (const { provider, upstream, model } of cases) {
  Deno.test(`a client that does not read slows the upstream instead of filling memory (${provider})`, async () => {
    await using rig = await startRig();
    const jwt = await rig.signIn(provider);
    const unread = await ask(rig, jwt, model);
    const reader = unread.body?.getReader();
    await reader?.read();

    // A second, greedy client gets its whole answer: time enough for the first upstream call to end, were it not held.
    const greedy = await (await ask(rig, jwt, model)).text();
    assert.match(greedy, /data: \[DONE\]\n\n$/);
    assert.ok(greedy.length > 10_000_000, `${greedy.length} characters`);
    const ends = rig.sandbox.control.requests({ upstream, on: "call" }).map(({ end }) => end);
    assert.deepEqual(ends, [undefined, "sent"]);

    await reader?.cancel();
    await rig.sandbox.control.waitForRequests({ upstream, on: "call", end: "client_left" }, 1);
  });
}
