import assert from "node:assert/strict";
import { startRig } from "../e2e/rig.ts";

/** Sends a request with header fields that `fetch` would not send, and returns the head of the answer. */
async function headOf(origin: string, lines: readonly string[]): Promise<string> {
  using connection = await Deno.connect({ port: Number(new URL(origin).port) });
  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of connection.readable) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\r\n\r\n")) break;
  }
  return text.slice(0, text.indexOf("\r\n\r\n")).toLowerCase();
}

Deno.test("a WebSocket handshake at /v1/responses is refused with 426, the one status that sends Codex CLI to HTTP", async () => {
  await using rig = await startRig();
  const handshake = [
    "GET /v1/responses HTTP/1.1",
    "Host: relay",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  ];
  const authorization = `Authorization: Bearer ${await rig.signIn("openai")}`;
  const head = await headOf(rig.origin, [...handshake, authorization]);
  assert.match(head, /^http\/1\.1 426 /);
  assert.match(head, /\r\nupgrade: http\/1\.1\r\n/);
  assert.match(head, /\r\nconnection: upgrade\r\n/);
  assert.match(await headOf(rig.origin, handshake), /^http\/1\.1 401 /);
});

Deno.test("GET /v1/responses without a handshake is an endpoint that does not exist", async () => {
  await using rig = await startRig();
  const response = await fetch(`${rig.origin}/v1/responses`, {
    headers: { authorization: `Bearer ${await rig.signIn("openai")}` },
  });
  assert.equal(response.status, 400);
  assert.deepEqual(await response.json(), {
    error: { message: "Endpoint /v1/responses not supported by AuthAI", type: "unsupported_endpoint" },
  });
});
