import assert from "node:assert/strict";
import OpenAI, { toFile } from "openai";
import { type FileRig, startFileRig } from "./file_rig.ts";

Deno.test("the openai SDK creates, retrieves, reads, lists and deletes a file", async () => {
  await using rig = await startFileRig();
  const client = rig.openAi("ada-phone");
  const content = crypto.getRandomValues(new Uint8Array(60_000));
  const created = await client.files.create({
    file: await toFile(content, "Z\u00fcrich \u65e5\u672c.bin"),
    purpose: "user_data",
  });
  assert.match(created.id, /^file-[0-9A-Z]{26}$/);
  assert.deepEqual({ ...created, id: "" }, {
    id: "",
    object: "file",
    bytes: content.length,
    created_at: rig.clock.nowMs / 1000,
    filename: "Z\u00fcrich \u65e5\u672c.bin",
    purpose: "user_data",
    status: "processed",
  });
  assert.deepEqual({ ...await client.files.retrieve(created.id) }, { ...created });
  const response = await client.files.content(created.id);
  assert.deepEqual(new Uint8Array(await response.arrayBuffer()), content);
  assert.equal(response.headers.get("content-type"), "application/octet-stream");
  assert.equal(response.headers.get("content-length"), String(content.length));
  assert.equal(
    response.headers.get("content-disposition"),
    "attachment; filename*=UTF-8''Z%C3%BCrich%20%E6%97%A5%E6%9C%AC.bin",
  );
  assert.deepEqual({ ...await client.files.delete(created.id) }, {
    id: created.id,
    object: "file",
    deleted: true,
  });
  for (
    const gone of [
      client.files.retrieve(created.id),
      client.files.content(created.id),
      client.files.delete(created.id),
    ]
  ) {
    await assert.rejects(gone, (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.equal(error.code, "file_not_found");
      return true;
    });
  }
  assert.deepEqual(rig.stored(), { files: 0, chunks: 0 });
});

Deno.test("a file of any size comes back byte for byte", async () => {
  await using rig = await startFileRig();
  const client = rig.openAi("ada-phone");
  const chunk = 63 * 1024 - 28;
  for (const size of [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 999_999]) {
    const content = new Uint8Array(size).map((_, index) => index * 7 % 251);
    const { id, bytes } = await client.files.create({
      file: new File([content], "a"),
      purpose: "assistants",
    });
    assert.equal(bytes, size);
    const read = await (await client.files.content(id)).bytes();
    assert.ok(read.length === size && read.every((byte, index) => byte === content[index]), `${size} bytes`);
    await client.files.delete(id);
  }
});

Deno.test("the openai SDK pages through a list in both orders, and filters it by purpose", async () => {
  await using rig = await startFileRig();
  const client = rig.openAi("ada-phone");
  for (let index = 0; index < 7; index++) {
    rig.clock.nowMs += 1_000;
    await client.files.create({
      file: new File(["x"], `${index}.txt`),
      purpose: index % 3 === 0 ? "vision" : "user_data",
    });
  }
  const names = async (query: OpenAI.Files.FileListParams) => {
    const found: string[] = [];
    for await (const file of client.files.list(query)) found.push(file.filename.slice(0, 1));
    return found.join("");
  };
  assert.equal(await names({}), "6543210");
  assert.equal(await names({ order: "asc", limit: 2 }), "0123456");
  assert.equal(await names({ order: "desc", limit: 3 }), "6543210");
  assert.equal(await names({ limit: 7 }), "6543210");
  assert.equal(await names({ purpose: "vision", limit: 2 }), "630");
  assert.equal(await names({ purpose: "batch" }), "");

  const page = await client.files.list({ limit: 2 });
  assert.equal(page.has_more, true);
  assert.equal((await client.files.list({ limit: 7 })).has_more, false);
  const raw = await fetch(`${rig.origin}/v1/files?limit=2`, {
    headers: { authorization: "Bearer ada-phone" },
  });
  const body = await raw.json();
  assert.deepEqual([body.object, body.first_id, body.last_id], ["list", page.data[0]?.id, page.data[1]?.id]);
});

Deno.test("content holds its place until it has ended, was left or failed", async () => {
  // More than the buffers of a connection hold.
  const large = { maxUploadBytes: 20_000_000, maxTotalUploadBytes: 20_000_000 };
  await using rig = await startFileRig({ uploads: large });
  const client = rig.openAi("ada-phone");
  const { id } = await client.files.create({
    file: new File([new Uint8Array(20_000_000)], "a"),
    purpose: "vision",
  });
  const url = `${rig.origin}/v1/files/${id}/content`;
  const headers = { authorization: "Bearer ada-phone" };
  const response = await fetch(url, { headers });
  assert.equal(rig.held(), 1);
  await response.bytes();
  assert.equal(rig.held(), 0);
  await fetch(url, { method: "HEAD", headers });
  assert.equal(rig.held(), 0);

  const left = await fetch(url, { headers });
  await left.body?.cancel();
  await until(() => rig.held() === 0);

  const damaged = await fetch(url, { headers });
  await rig.store.delete("ada-phone", id);
  await assert.rejects(damaged.bytes(), "a file that goes while it is read is no complete answer");
  assert.equal(rig.held(), 0);
});

Deno.test("files belong to their session alone", async () => {
  await using rig = await startFileRig();
  const { id } = await rig.openAi("ada-phone").files.create({
    file: new File(["x"], "a"),
    purpose: "vision",
  });
  for (const other of ["ada-laptop", "bob-phone"]) {
    const client = rig.openAi(other);
    assert.deepEqual((await client.files.list()).data, []);
    await assert.rejects(client.files.retrieve(id), OpenAI.NotFoundError);
    await assert.rejects(client.files.content(id), OpenAI.NotFoundError);
    await assert.rejects(client.files.delete(id), OpenAI.NotFoundError);
  }
  assert.equal((await rig.openAi("ada-phone").files.list()).data.length, 1);
});

Deno.test("expires_after ends a file at its time", async () => {
  await using rig = await startFileRig();
  const client = rig.openAi("ada-phone");
  const created = await client.files.create({
    file: new File(["x"], "a"),
    purpose: "vision",
    expires_after: { anchor: "created_at", seconds: 3600 },
  });
  assert.equal(created.expires_at, rig.clock.nowMs / 1000 + 3600);
  rig.clock.nowMs += 3_599_999;
  await client.files.retrieve(created.id);
  rig.clock.nowMs += 1;
  await assert.rejects(client.files.retrieve(created.id), OpenAI.NotFoundError);
  for (const seconds of [3599, 2_592_001, 1.5]) {
    const expires_after = { anchor: "created_at", seconds } as const;
    const refused = client.files.create({ file: new File(["x"], "a"), purpose: "vision", expires_after });
    await assert.rejects(refused, /whole number from 3600 to 2592000/);
  }
});

Deno.test("wrong forms and wrong queries are answered 400, and leave nothing", async () => {
  await using rig = await startFileRig();
  const file = new File(["x"], "a");
  const cases: readonly [Record<string, string | File> | string, string | null][] = [
    [{ file }, "purpose"],
    [{ purpose: "vision" }, "file"],
    [{ file: "text", purpose: "vision" }, "file"],
    [{ file, purpose: "fun" }, "purpose"],
    [{ file, other: new File(["y"], "b"), purpose: "vision" }, null],
    [{ file, purpose: "x".repeat(5_000) }, null],
    ["{}", null],
  ];
  for (const [body, param] of cases) {
    const response = await post(rig, typeof body === "string" ? body : form(body));
    const { error } = await response.json();
    assert.deepEqual([response.status, error.param, error.type], [400, param, "invalid_request_error"]);
    assert.deepEqual(rig.stored(), { files: 0, chunks: 0 });
  }
  for (const query of ["order=up", "limit=0", "limit=10001", "limit=1e3", "limit="]) {
    const response = await fetch(`${rig.origin}/v1/files?${query}`);
    await response.body?.cancel();
    assert.equal(response.status, 400, query);
  }
});

function form(fields: Record<string, string | File>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  return data;
}

function post(rig: FileRig, body: FormData | string): Promise<Response> {
  return fetch(`${rig.origin}/v1/files`, {
    method: "POST",
    body,
    headers: { authorization: "Bearer ada-phone" },
  });
}

/** Looks again and again, because nothing tells when a server has noticed that a client left. */
async function until(reached: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(20_000);
  while (!reached()) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
