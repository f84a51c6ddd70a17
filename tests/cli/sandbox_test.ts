import assert from "node:assert/strict";
import { type SpawnedRelay, withProject } from "./spawned_relay.ts";

const ports = ["--port=0", "--sandbox-port=0"];

/** The origins that a sandbox has printed. */
async function origins(relay: SpawnedRelay): Promise<{ relay: string; sandbox: string }> {
  const [, sandbox = ""] = await relay.output(/simulated, at (\S+)\.\n/);
  const [, page = ""] = await relay.output(/^ +(http\S+)\/sign-in$/m);
  return { relay: page, sandbox };
}

/** What the sandbox prints to be pasted. */
async function printedBlock(relay: SpawnedRelay): Promise<string> {
  const [block] = await relay.output(/^field\(\)[^]*?Say hello[^\n]*$/m);
  return block;
}

async function bash(script: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command("bash", { args: ["-c", script] }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

for (const approval of [[], ["--auto-approve=bob"]]) {
  Deno.test(`sandbox ${approval} prints a block for bash that signs in and streams an answer`, () =>
    withProject(async ({ start, dataDir }) => {
      const relay = start("sandbox", ["sandbox", ...ports, ...approval]);
      const output = await bash(await printedBlock(relay));
      const chunks = [...output.matchAll(/^data: (\{.*)$/gm)].map(([, json = "{}"]) => JSON.parse(json));
      const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
      assert.match(text, /^Hello from gpt-5\.5!/, output);
      assert.match(output, /^data: \[DONE\]$/m);
      relay.signal("SIGINT");
      const { code, stderr } = await relay.ended;
      assert.equal(code, 0, stderr);
      await assert.rejects(Deno.stat(dataDir), Deno.errors.NotFound);
    }));
}

/** Signs in, and starts an answer that the simulated upstream never ends. */
async function endlessAnswer(
  relay: SpawnedRelay,
): Promise<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>> {
  const signIn = (await printedBlock(relay)).replace(/^curl -sN[^]*/m, "printf %s $jwt");
  const [jwt, { relay: origin, sandbox }] = await Promise.all([bash(signIn), origins(relay)]);
  const fault = { upstream: "chatgpt", on: "call", kind: { type: "stream_hang", afterPieces: 1 } };
  const headers = { "content-type": "application/json" };
  const added = await fetch(`${sandbox}/_sandbox/faults`, {
    method: "POST",
    headers,
    body: JSON.stringify(fault),
  });
  assert.equal(added.status, 200, await added.text());
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { ...headers, authorization: `Bearer ${jwt}` },
    body: JSON.stringify({ model: "gpt-5.5", stream: true, messages: [{ role: "user", content: "Hi." }] }),
  });
  assert.equal(response.status, 200);
  assert.ok(response.body !== null);
  const reader = response.body.getReader();
  await reader.read();
  return reader;
}

/** Reads on until the stream ends or breaks; what came. */
async function readRest(reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += decoder.decode(read.value);
    }
  } catch {
    return `${text}[cut]`;
  }
  return text;
}

/** The simulated upstream goes down with the program: the relay may still get to tell that, or be cut itself. */
function assertToldAsCut(text: string): void {
  assert.match(text, /\[cut\]$|data: \{"error":[^\n]*\n\n$/);
  assert.ok(!text.includes("[DONE]"), text);
}

Deno.test("a signal cuts an endless answer after the grace time, and its client sees the cut", () =>
  withProject(async ({ start }) => {
    const relay = start("sandbox", ["sandbox", ...ports]);
    const reader = await endlessAnswer(relay);
    relay.signal("SIGTERM");
    assertToldAsCut(await readRest(reader));
    const { code, stderr } = await relay.ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /still in progress are cut\.$/m);
  }));

Deno.test("a second signal ends the program at once, with the exit code of that signal", () =>
  withProject(async ({ start }) => {
    const relay = start("sandbox", ["sandbox", ...ports]);
    const reader = await endlessAnswer(relay);
    relay.signal("SIGTERM");
    await relay.errors(/Stopping\./);
    relay.signal("SIGINT");
    assert.equal((await relay.ended).code, 130);
    assertToldAsCut(await readRest(reader));
  }));

Deno.test("sandbox refuses a person that it does not have", () =>
  withProject(async ({ start }) => {
    const { code, stderr } = await start("sandbox", ["sandbox", ...ports, "--auto-approve=nobody"]).ended;
    assert.equal(code, 2);
    assert.match(stderr, /^error {2}There is no person 'nobody' in the sandbox\. Take one of: ada, /);
  }));

Deno.test("sandbox names its second port when that is taken", () =>
  withProject(async ({ start }) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr;
    const { code, stderr } = await start("sandbox", ["sandbox", "--port=0", `--sandbox-port=${port}`]).ended;
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^error {2}The sandbox cannot listen on port ${port}: another program`));
  }));
