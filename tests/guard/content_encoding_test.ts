import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import { readJsonBody } from "../../src/guard/body.ts";
import type { BodyLimits } from "../../src/guard/body_pieces.ts";
import { acceptedCodings, decoderFor } from "../../src/guard/content_encoding.ts";

const encoders: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  identity: (bytes) => bytes,
  gzip: (bytes) => zlib.gzipSync(bytes),
  "x-gzip": (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  br: (bytes) => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } }),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
};

const compressing = Object.entries(encoders).filter(([coding]) => coding !== "identity");

function post(bytes: Uint8Array, coding: string): Request {
  const body = new Uint8Array(bytes);
  return new Request("http://relay.test/", { method: "POST", body, headers: { "content-encoding": coding } });
}

const text = JSON.stringify({ text: "Z\u00fcrich ".repeat(200) });
const plain = new TextEncoder().encode(text);

for (const [coding, encode] of Object.entries(encoders)) {
  Deno.test(`readJsonBody() reads a body that is encoded as ${coding}, up to the limit`, async () => {
    for (const spelling of [coding, ` ${coding.toUpperCase()} `]) {
      const body = await readJsonBody(post(encode(plain), spelling), limits(plain.length));
      assert.ok(body.kind === "object", JSON.stringify(body));
      assert.equal(new TextDecoder().decode(body.bytes), text);
    }
    assert.equal(
      (await readJsonBody(post(encode(plain), coding), limits(plain.length - 1))).kind,
      "too_large",
    );
  });
}

for (const [coding, encode] of compressing) {
  Deno.test(`readJsonBody() stops a bomb in ${coding} at the limit`, async () => {
    const maxBytes = 1 << 20;
    const bomb = encode(new Uint8Array(128 << 20));
    assert.ok(bomb.length < maxBytes);
    const before = Deno.memoryUsage().rss;
    assert.equal((await readJsonBody(post(bomb, coding), limits(maxBytes))).kind, "too_large");
    // Far less than the bomb has, and more than the noise of other tests.
    assert.ok(Deno.memoryUsage().rss - before < 64 << 20);
  });

  Deno.test(`readJsonBody() says that a body is not in ${coding}, or is cut`, async () => {
    for (const bytes of [plain, encode(plain).subarray(0, -12)]) {
      const body = await readJsonBody(post(bytes, coding), limits(1 << 20));
      assert.equal(body.kind, "invalid");
    }
    assert.equal((await readJsonBody(post(new Uint8Array(0), coding), limits(1 << 20))).kind, "empty");
  });
}

Deno.test("readJsonBody() does not read a body in a coding that is not understood", async () => {
  for (const coding of ["compress", "gzip, zstd", "constructor", "snappy"]) {
    const request = post(plain, coding);
    assert.deepEqual(await readJsonBody(request, limits(1 << 20)), { kind: "unknown_coding" });
    assert.equal(decoderFor(coding), undefined);
  }
});

Deno.test("decoderFor() refuses a zstd window that claims more memory than HTTP allows", async () => {
  const decode = decoderFor("zstd");
  assert.ok(decode !== undefined);
  const judged = async (windowLog: number) => (await decode(await compressStreamed(windowLog), 1 << 20)).kind;
  assert.equal(await judged(23), "bytes");
  assert.equal(await judged(24), "corrupt");
});

/** A frame that does not name its size, so that it needs the whole window. */
async function compressStreamed(windowLog: number): Promise<Uint8Array<ArrayBuffer>> {
  const stream = zlib.createZstdCompress({ params: { [zlib.constants.ZSTD_c_windowLog]: windowLog } });
  stream.write("x");
  stream.end("y");
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of stream) chunks.push(new Uint8Array(chunk));
  return await new Blob(chunks).bytes();
}

Deno.test("decoderFor() understands what a refusal offers", () => {
  for (const coding of acceptedCodings.split(", ")) assert.ok(decoderFor(coding) !== undefined, coding);
});

/** A bound on size alone. */
function limits(maxBytes: number): BodyLimits {
  return { maxBytes, timeoutMs: 1, after: () => () => {} };
}
