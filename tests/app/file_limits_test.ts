import assert from "node:assert/strict";
import OpenAI from "openai";
import { type FileRig, startFileRig } from "./file_rig.ts";

const nothing = { files: 0, chunks: 0 };

Deno.test("a file of exactly the limit is stored, and one byte more is 413 with nothing left", async () => {
  const maxUploadBytes = 32 * 1024 * 1024;
  await using rig = await startFileRig({
    uploads: { maxUploadBytes, maxTotalUploadBytes: 2 * maxUploadBytes },
  });
  const client = rig.openAi("ada-phone");
  await assert.rejects(
    upload(client, maxUploadBytes + 1),
    tooLarge(/A file may have at most 33554432 bytes\./),
  );
  assert.deepEqual(rig.stored(), nothing);
  const { id } = await upload(client, maxUploadBytes);
  assert.equal((await (await client.files.content(id)).bytes()).length, maxUploadBytes);
});

Deno.test("a total of exactly the limit is stored, and one byte more is 413 with nothing left", async () => {
  await using rig = await startFileRig({ uploads: { maxTotalUploadBytes: 1_000_000 } });
  const phone = rig.openAi("ada-phone");
  const laptop = rig.openAi("ada-laptop");
  await upload(phone, 600_000);
  const before = rig.stored();
  const over = /Your files may have at most 1000000 bytes together/;
  await assert.rejects(upload(laptop, 400_001), tooLarge(over));
  assert.deepEqual(rig.stored(), before);
  const { id } = await upload(laptop, 400_000);
  await assert.rejects(upload(phone, 1), tooLarge(over));
  await upload(phone, 0);
  await upload(rig.openAi("bob-phone"), 1_000_000);
  await laptop.files.delete(id);
  await upload(phone, 400_000);
});

Deno.test("of 20 parallel uploads exactly as many are stored as there is room for", async () => {
  // Of several chunks each, so that all of them run out of room together in the middle.
  await using rig = await startFileRig({ uploads: { maxTotalUploadBytes: 10 * 300_000 + 299_999 } });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => upload(rig.openAi(`ada-${index}`), 300_000)),
  );
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 10);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") tooLarge(/together/)(outcome.reason);
  }
  assert.deepEqual(await rig.store.usage(rig.clock.nowMs), { files: 10, bytes: 3_000_000 });
  assert.equal(rig.stored().files, 10);
});

Deno.test("of 20 parallel uploads that fit together to the byte none is refused", async () => {
  await using rig = await startFileRig({ uploads: { maxTotalUploadBytes: 20 * 150_001 } });
  await Promise.all(Array.from({ length: 20 }, (_, index) => upload(rig.openAi(`ada-${index}`), 150_001)));
  assert.deepEqual(await rig.store.usage(rig.clock.nowMs), { files: 20, bytes: 20 * 150_001 });
});

Deno.test("a file name of 255 characters is taken, and a longer one is 400 with nothing left", async () => {
  await using rig = await startFileRig();
  const named = (name: string) => post(rig, formText("x").replace('filename="a"', `filename="${name}"`));
  assert.equal((await (await named("\u00e4".repeat(255))).json()).filename, "\u00e4".repeat(255));
  const before = rig.stored();
  const refused = await named("a".repeat(256));
  assert.equal(refused.status, 400);
  assert.equal((await refused.json()).error.param, "file");
  assert.deepEqual(rig.stored(), before);
});

Deno.test("a form that ends in the middle is 400, and nothing is left", async () => {
  await using rig = await startFileRig();
  const body = formText("x".repeat(200_000));
  for (const length of [body.length - 10, 150_000, 60, 0]) {
    const response = await post(rig, body.slice(0, length));
    assert.equal(response.status, 400, `cut at ${length}: ${await response.text()}`);
    assert.deepEqual(rig.stored(), nothing);
  }
});

Deno.test("a connection that breaks in the middle of a body leaves nothing", async () => {
  await using rig = await startFileRig();
  const body = formText("x".repeat(400_000));
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: rig.port });
  await send(connection, head(body.length) + body.slice(0, 200_000));
  await until(() => rig.stored().chunks > 0);
  connection.close();
  await rig.idle();
  assert.deepEqual(rig.stored(), nothing);
});

Deno.test("a body that stops arriving is 408 after the timeout, and nothing is left", async () => {
  let fire: (() => void) | undefined;
  await using rig = await startFileRig({
    after: (delayMs, run) => {
      assert.equal(delayMs, 30_000);
      fire = run;
      return () => fire = undefined;
    },
  });
  const body = formText("x".repeat(400_000));
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: rig.port });
  await send(connection, head(body.length) + body.slice(0, 200_000));
  await until(() => rig.stored().chunks > 0);
  assert.ok(fire);
  fire();
  const answer = await readAll(connection);
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.match(answer, /"code":"request_timeout"/);
  assert.deepEqual(rig.stored(), nothing);
});

Deno.test("a compressed form is 415, and no coding is named that would not be taken either", async () => {
  await using rig = await startFileRig();
  const response = await fetch(`${rig.origin}/v1/files`, {
    method: "POST",
    headers: { authorization: "Bearer ada-phone", "content-type": type, "content-encoding": "gzip" },
    body: formText("x"),
  });
  assert.equal(response.status, 415);
  assert.equal(response.headers.get("accept-encoding"), "identity");
  assert.equal((await response.json()).error.code, "unsupported_content_encoding");
});

Deno.test("an upload far over the limit is told so without being read", async () => {
  await using rig = await startFileRig();
  await assert.rejects(upload(rig.openAi("ada-phone"), 20_000_000), tooLarge(/at most 1000000 bytes/));
  assert.deepEqual(rig.stored(), nothing);
});

Deno.test("the database holds neither content nor name nor purpose of a file", async () => {
  await using rig = await startFileRig();
  const client = rig.openAi("ada-phone");
  const canary = "canary-in-the-content-";
  const file = new File([canary.repeat(20_000)], "canary-in-the-name.txt");
  const { id } = await client.files.create({ file, purpose: "fine-tune" });
  const raw = await rig.raw();
  assert.ok(raw.includes(id), "the test looks in the right place");
  for (const secret of [canary, "canary-in", "fine-tune", "text/plain"]) {
    assert.equal(raw.includes(secret), false, secret);
  }
  assert.ok((await (await client.files.content(id)).text()).startsWith(canary));
});

function upload(client: OpenAI, bytes: number): Promise<OpenAI.FileObject> {
  return client.files.create({
    file: new File([new Uint8Array(bytes).fill(7)], "a.bin"),
    purpose: "user_data",
  });
}

function tooLarge(sentence: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof OpenAI.APIError, String(error));
    assert.deepEqual([error.status, error.code], [413, "payload_too_large"]);
    assert.match(error.message, sentence);
    return true;
  };
}

const type = "multipart/form-data; boundary=bound";

function formText(content: string): string {
  return '--bound\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nvision\r\n' +
    `--bound\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n${content}\r\n--bound--\r\n`;
}

function post(rig: FileRig, body: string): Promise<Response> {
  return fetch(`${rig.origin}/v1/files`, { method: "POST", body, headers: { "content-type": type } });
}

function head(length: number): string {
  return `POST /v1/files HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`;
}

async function send(connection: Deno.Conn, text: string): Promise<void> {
  const writer = connection.writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  writer.releaseLock();
}

async function readAll(connection: Deno.Conn): Promise<string> {
  let text = "";
  const buffer = new Uint8Array(4096);
  for (let length; (length = await connection.read(buffer)) !== null;) {
    text += new TextDecoder().decode(buffer.subarray(0, length));
    if (text.includes("\r\n\r\n") && text.endsWith("}")) break;
  }
  return text;
}

/** Looks again and again, because nothing tells when a server has read what was sent. */
async function until(reached: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(20_000);
  while (!reached()) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
