/**
 * Stored files in the requests of the official SDK, and what becomes of them with their session.
 */
import assert from "node:assert/strict";
import OpenAI from "openai";
import { type Rig, startRig } from "./rig.ts";

const pixel = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
);
const pixelUrl = `data:image/png;base64,${pixel.toBase64()}`;
const pdf = new TextEncoder().encode("%PDF-1.7\nhello");

const cases = [
  { provider: "openai", upstream: "chatgpt", models: ["gpt-5.4"] },
  { provider: "xai", upstream: "grok", models: ["grok-4.6"] },
  { provider: "github", upstream: "copilot", models: ["gpt-4.1", "gpt-5.3-codex"] },
] as const;

for (const { provider, upstream, models } of cases) {
  Deno.test(`${provider} gets stored pictures and texts inside the request, in both dialects`, async () => {
    await using rig = await startRig();
    const client = rig.openAi(await rig.signIn(provider));
    const picture = await client.files.create({ file: new File([pixel], "pixel.png"), purpose: "vision" });
    const note = await client.files.create({
      file: new File(["Gr\u00fc\u00dfe"], "note.txt"),
      purpose: "user_data",
    });
    for (const wanted of models) {
      const model = await offered(client, wanted);
      await client.chat.completions.create({
        model,
        messages: [{
          role: "user",
          content: [
            { type: "text", text: "Look." },
            { type: "file", file: { file_id: picture.id } },
            { type: "file", file: { file_id: note.id } },
          ],
        }],
      });
      await client.responses.create({
        model,
        input: [{
          role: "user",
          content: [
            { type: "input_image", file_id: picture.id, detail: "auto" },
            { type: "input_file", file_id: note.id },
          ],
        }],
      });
    }
    const bodies = sentBodies(rig, upstream);
    assert.equal(bodies.length, 2 * models.length);
    for (const body of bodies) {
      assert.ok(body.includes(pixelUrl), body);
      assert.ok(body.includes("Gr\u00fc\u00dfe"), body);
      assert.equal(body.includes("file_id"), false);
    }
  });
}

Deno.test("ChatGPT gets a document; another provider's model refuses it before anything is sent", async () => {
  await using rig = await startRig();
  const file = new File([pdf], "paper.pdf");
  const ask = async (client: OpenAI, model: string) => {
    const { id } = await client.files.create({ file, purpose: "user_data" });
    const content = [{ type: "input_file" as const, file_id: id }];
    return await client.responses.create({ model, input: [{ role: "user", content }] });
  };
  const chatGpt = rig.openAi(await rig.signIn("openai"));
  await ask(chatGpt, await offered(chatGpt, "gpt-5.4"));
  const [body = ""] = sentBodies(rig, "chatgpt");
  assert.ok(body.includes(`"file_data":"data:application/pdf;base64,${pdf.toBase64()}"`), body);
  assert.ok(body.includes('"filename":"paper.pdf"'), body);

  const grok = rig.openAi(await rig.signIn("xai"));
  await assert.rejects(ask(grok, await offered(grok, "grok-4.6")), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.deepEqual([error.code, error.param], ["unsupported_file", "input[0].content[0]"]);
    return true;
  });
  assert.deepEqual(sentBodies(rig, "grok"), []);
});

Deno.test("an id that is unknown, or another session's, is 404 and nothing is sent", async () => {
  await using rig = await startRig();
  const ada = rig.openAi(await rig.signIn("openai", "ada"));
  const adaAgain = rig.openAi(await rig.signIn("openai", "ada"));
  const { id } = await ada.files.create({ file: new File(["x"], "a.txt"), purpose: "user_data" });
  for (const file_id of [id, "file-unknown"]) {
    const asked = adaAgain.chat.completions.create({
      model: await offered(adaAgain, "gpt-5.4"),
      messages: [{ role: "user", content: [{ type: "file", file: { file_id } }] }],
    });
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.deepEqual([error.code, error.param], ["file_not_found", "messages[0].content[0].file"]);
      return true;
    });
  }
  assert.deepEqual(sentBodies(rig, "chatgpt"), []);
});

Deno.test("files go with their session", async () => {
  await using rig = await startRig();
  const jwt = await rig.signIn("openai");
  const { id } = await rig.openAi(jwt).files.create({ file: new File(["x"], "a.txt"), purpose: "user_data" });
  const headers = { authorization: `Bearer ${jwt}` };
  await rig.openAi(jwt).files.retrieve(id);
  const revoked = await fetch(`${rig.origin}/auth/revoke`, { method: "POST", headers });
  assert.equal(revoked.status, 204);
  assert.deepEqual(await rig.store.files.usage(rig.clock.nowMs), { files: 0, bytes: 0 });
  assert.deepEqual(await rig.store.files.owners("", 9), []);
  await assert.rejects(rig.openAi(jwt).files.list(), OpenAI.AuthenticationError);
});

Deno.test("a JSON body that trickles is 408 on the routes of sign-in and of models", async () => {
  await using rig = await startRig({ relay: { bodyTimeoutMs: 1 } });
  const jwt = await rig.signIn("openai");
  const { hostname, port } = new URL(rig.origin);
  for (
    const path of ["/auth/start", "/v1/chat/completions", "/v1/responses", "/v1/completions", "/v1/files"]
  ) {
    using connection = await Deno.connect({ hostname, port: Number(port) });
    const type = path === "/v1/files" ? "multipart/form-data; boundary=b" : "application/json";
    const head =
      `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${jwt}\r\ncontent-type: ${type}\r\n` +
      'content-length: 100\r\n\r\n{"m';
    await connection.write(new TextEncoder().encode(head));
    const buffer = new Uint8Array(4_096);
    const answer = new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
    assert.match(answer, /^HTTP\/1\.1 408 /, path);
  }
});

function sentBodies(rig: Rig, upstream: "chatgpt" | "grok" | "copilot"): string[] {
  return rig.sandbox.control.requests({ upstream, on: "call" }).map(({ body }) => body);
}

/** The model itself, which the account has to be offered for the test to mean something. */
async function offered(client: OpenAI, model: string): Promise<string> {
  const ids = await Array.fromAsync(client.models.list(), ({ id }) => id);
  assert.ok(ids.includes(model), `${model} is not among ${ids.join(", ")}`);
  return model;
}
