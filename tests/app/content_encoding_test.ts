/**
 * Compressed request bodies over real sockets: Codex CLI may send them.
 */
import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import { startRig } from "../e2e/rig.ts";

Deno.test("a model call may be compressed, within the limit, in codings that are understood", async (test) => {
  await using rig = await startRig({ relay: { maxBodyBytes: 10_000 } });
  const jwt = await rig.signIn("openai");
  const post = (path: string, body: Uint8Array, coding: string): Promise<Response> =>
    fetch(`${rig.origin}${path}`, {
      method: "POST",
      headers: {
        "authorization": `Bearer ${jwt}`,
        "content-type": "application/json",
        "content-encoding": coding,
      },
      body: new Uint8Array(body),
    });
  const asked = (text: string): Uint8Array =>
    new TextEncoder().encode(JSON.stringify({ model: "gpt-5.5", input: text }));

  const encoders = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, zstd: zlib.zstdCompressSync };
  for (const [coding, encode] of Object.entries(encoders)) {
    await test.step(`${coding} is understood`, async () => {
      const response = await post("/v1/responses", encode(asked("Say hello")), coding);
      assert.equal(response.status, 200);
      assert.match(await response.text(), /You said: \\"Say hello\\"/);
    });
  }

  await test.step("what grows beyond the limit is refused with 413", async () => {
    const response = await post("/v1/responses", zlib.zstdCompressSync(asked("x".repeat(20_000))), "zstd");
    assert.equal(response.status, 413);
    assert.equal((await response.json()).error.code, "payload_too_large");
  });

  await test.step("bytes that are not in the named coding are refused with 400", async () => {
    const response = await post("/v1/responses", asked("Say hello"), "gzip");
    assert.equal(response.status, 400);
    assert.equal((await response.json()).error.code, "invalid_json");
  });

  for (const path of ["/v1/responses", "/v1/chat/completions", "/v1/completions"]) {
    await test.step(`another coding is refused with 415 at ${path}, with the list of those that are understood`, async () => {
      const response = await post(path, asked("Say hello"), "compress");
      assert.equal(response.status, 415);
      assert.equal(response.headers.get("accept-encoding"), "gzip, deflate, br, zstd");
      const { error } = await response.json();
      assert.deepEqual([error.type, error.code], ["invalid_request_error", "unsupported_content_encoding"]);
    });
  }

  await test.step("another coding is refused with 415 at /auth/start, in a sentence as the sign-in dialogs show it", async () => {
    const response = await post("/auth/start", asked("Say hello"), "compress");
    assert.equal(response.status, 415);
    assert.equal(response.headers.get("accept-encoding"), "gzip, deflate, br, zstd");
    const { error } = await response.json();
    assert.match(
      error,
      /^The request body is compressed in a way that is not supported\. .*gzip, deflate, br, zstd\.$/,
    );
  });
});
