import assert from "node:assert/strict";
import { FormError, type FormEvent, readForm } from "../../src/wire/multipart.ts";

const boundary = "----x-y-zBoundary";
const contentType = `multipart/form-data; boundary=${boundary}`;
/** Ends in what could be the beginning of a boundary, and has several inside. */
const content = "hello\r\n------x-y-z\r\n--no\r--\r\n-\0\x80";

const form = bytes(
  `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="\u65e5\u672c f\u00f6.txt"\r\n` +
    `Content-Type: text/plain\r\n\r\n${content}\r\n` +
    `--${boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n--${boundary}--\r\n`,
);

const expected = {
  files: [{ field: "file", filename: "\u65e5\u672c f\u00f6.txt", contentType: "text/plain" }],
  content,
  fields: { purpose: "user_data" },
};

Deno.test("readForm() reads file and fields, wherever the body is cut into pieces", async () => {
  assert.deepEqual(await read([form]), expected);
  for (let at = 1; at < form.length; at++) {
    assert.deepEqual(await read([form.slice(0, at), form.slice(at)]), expected, `cut at ${at}`);
  }
  assert.deepEqual(await read(Array.from(form, (byte) => Uint8Array.of(byte))), expected);
});

Deno.test("readForm() reads what the platform's own FormData sends", async () => {
  const data = new FormData();
  data.append("purpose", "vision");
  data.append("file", new File([new Uint8Array(300_000).fill(13)], "a.png", { type: "image/png" }));
  const request = new Request("http://x/", { method: "POST", body: data });
  const events = await read([await request.bytes()], request.headers.get("content-type"));
  assert.deepEqual({ ...events, content: events.content.length }, {
    files: [{ field: "file", filename: "a.png", contentType: "image/png" }],
    content: 300_000,
    fields: { purpose: "vision" },
  });
});

Deno.test("end() rejects wherever the form ends too early", async () => {
  // The last two bytes are a line break after the end.
  for (let length = 0; length < form.length - 2; length++) {
    await assert.rejects(read([form.slice(0, length)]), FormError, `cut at ${length}`);
  }
});

Deno.test("write() rejects a form of too many parts, and marks a field that is too long", async () => {
  const field = (name: string, value: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const many = Array.from({ length: 100 }, (_, index) => field(`f${index}`, "1")).join("");
  await assert.rejects(read([bytes(`${many}--${boundary}--\r\n`)]), /more than 32 parts/);

  const reader = readForm(contentType);
  const events = [
    ...await reader?.write(bytes(`${field("purpose", "x".repeat(5_000))}--${boundary}--\r\n`)) ?? [],
    ...await reader?.end() ?? [],
  ];
  assert.deepEqual(events.map((event) => event.kind === "field" && event.whole), [false]);
});

Deno.test("readForm() tells well-formed names, whatever encoding the client names", async () => {
  const { files } = await read([bytes(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename*=utf-16le''%00%D8a%00\r\n\r\n` +
      `\r\n--${boundary}--\r\n`,
  )]);
  assert.deepEqual(files.map(({ filename }) => filename), ["\ufffda"]);
});

Deno.test("readForm() rejects what is not multipart/form-data with a boundary", () => {
  for (
    const type of [
      null,
      "",
      "application/json",
      "multipart/form-data",
      "multipart/form-data; boundary=",
      "multipart/form-data; x-boundary=x",
      `multipart/form-data; boundary=${"x".repeat(7_000)}`,
      "multipart/mixed; boundary=x",
    ]
  ) assert.equal(readForm(type), undefined, String(type));
});

async function read(pieces: readonly Uint8Array[], type: string | null = contentType) {
  const reader = readForm(type);
  assert.ok(reader);
  const events: FormEvent[] = [];
  for (const piece of pieces) events.push(...await reader.write(piece));
  events.push(...await reader.end());
  const content = events.flatMap((event) => event.kind === "bytes" ? [...event.bytes] : []);
  return {
    files: events.flatMap((event) => {
      if (event.kind !== "file") return [];
      const { kind: _, ...file } = event;
      return [file];
    }),
    content: content.map((byte) => String.fromCharCode(byte)).join(""),
    fields: Object.fromEntries(
      events.flatMap((event) => event.kind === "field" ? [[event.name, event.value]] : []),
    ),
  };
}

/** UTF-8, but characters up to U+00FF of the content as single bytes. */
function bytes(text: string): Uint8Array {
  const [before = "", after] = text.split(content);
  if (after === undefined) return new TextEncoder().encode(text);
  const raw = Uint8Array.from(content, (character) => character.charCodeAt(0));
  return Uint8Array.from([...new TextEncoder().encode(before), ...raw, ...new TextEncoder().encode(after)]);
}
