import assert from "node:assert/strict";
import type { FileOwner } from "../../src/files/file_owner.ts";
import { createFileVault } from "../../src/files/file_vault.ts";
import { type FileResolution, resolveFiles } from "../../src/files/resolve_files.ts";
import { openSqliteFileStore } from "../../src/store/sqlite_file_store.ts";

const png = Uint8Array.from("\x89PNG\r\n\x1a\n....", (character) => character.charCodeAt(0));
const pdf = new TextEncoder().encode("%PDF-1.7\n...");
const pngUrl = `data:image/png;base64,${png.toBase64()}`;
const pdfUrl = `data:application/pdf;base64,${pdf.toBase64()}`;
const noteText = '<file name="note.md">\nGr\u00fc\u00dfe\n</file>';

const files: Readonly<Record<string, Uint8Array>> = {
  "pic.bin": png,
  "doc.pdf": pdf,
  "note.md": new TextEncoder().encode("Gr\u00fc\u00dfe"),
  "zip.bin": Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0xff),
  "empty.txt": new Uint8Array(0),
};

testResolving("resolveFiles() puts files into the messages of Chat Completions", async (ids, resolution) => {
  const text = { type: "text", text: "Look." };
  const part = (name: string) => ({ type: "file", file: { file_id: ids[name] } });
  const body = {
    model: "m",
    messages: [
      { role: "system", content: "Be brief." },
      {
        role: "user",
        content: [
          text,
          part("pic.bin"),
          { ...part("doc.pdf"), prompt_cache_breakpoint: {} },
          { type: "file", file: { file_id: ids["doc.pdf"], filename: "mine.pdf" } },
          part("note.md"),
          { type: "image_url", image_url: { file_id: ids["pic.bin"], detail: "low" } },
          { type: "image_url", file_id: ids["pic.bin"] },
        ],
      },
    ],
  };
  const before = structuredClone(body);
  const resolved = await resolveFiles(body, resolution);
  assert.ok(resolved.kind === "resolved");
  assert.deepEqual(resolved.body, {
    model: "m",
    messages: [
      { role: "system", content: "Be brief." },
      {
        role: "user",
        content: [
          text,
          { type: "image_url", image_url: { url: pngUrl } },
          { type: "file", file: { filename: "doc.pdf", file_data: pdfUrl }, prompt_cache_breakpoint: {} },
          { type: "file", file: { filename: "mine.pdf", file_data: pdfUrl } },
          { type: "text", text: noteText },
          { type: "image_url", image_url: { url: pngUrl, detail: "low" } },
          { type: "image_url", image_url: { url: pngUrl } },
        ],
      },
    ],
  });
  assert.deepEqual(body, before, "the client's own body stays as it is");
});

testResolving("resolveFiles() puts files into the input of Responses", async (ids, resolution) => {
  const part = (name: string) => ({ type: "input_file", file_id: ids[name] });
  const resolved = await resolveFiles({
    input: [
      {
        role: "user",
        content: [
          part("pic.bin"),
          part("doc.pdf"),
          part("note.md"),
          part("zip.bin"),
          { type: "input_image", file_id: ids["pic.bin"], detail: "high" },
        ],
      },
      { type: "function_call_output", call_id: "c", output: [part("note.md")] },
    ],
  }, resolution);
  assert.ok(resolved.kind === "resolved", JSON.stringify(resolved));
  assert.deepEqual(resolved.body["input"], [
    {
      role: "user",
      content: [
        { type: "input_image", image_url: pngUrl },
        { type: "input_file", filename: "doc.pdf", file_data: pdfUrl },
        { type: "input_text", text: noteText },
        {
          type: "input_file",
          filename: "zip.bin",
          file_data: "data:application/octet-stream;base64,UEsDBAAA/w==",
        },
        { type: "input_image", image_url: pngUrl, detail: "high" },
      ],
    },
    { type: "function_call_output", call_id: "c", output: [{ type: "input_text", text: noteText }] },
  ]);
});

testResolving(
  "resolveFiles() returns the same object when a request names no file",
  async (_ids, resolution) => {
    for (
      const body of [
        {},
        { input: "text" },
        {
          input: [{ role: "user", content: "text" }, null, {
            content: [null, 1, { type: "input_text", text: "a" }],
          }],
        },
        {
          messages: [{
            content: [{ type: "file", file: { file_data: "x", file_id: "y" } }, { type: "file" }],
          }],
        },
        { messages: [{ content: [{ type: "image_url", image_url: "https://x/" }] }] },
        { input: [{ content: [{ type: "input_image", image_url: "https://x/", file_id: null }] }] },
      ]
    ) {
      const resolved = await resolveFiles(body, resolution);
      assert.ok(resolved.kind === "resolved" && resolved.body === body, JSON.stringify(body));
    }
  },
);

testResolving(
  "resolveFiles() refuses what is unknown, no picture, or no document of this provider",
  async (ids, resolution) => {
    const ask = async (part: object, more: Partial<FileResolution> = {}) => {
      const body = { input: [{ role: "user", content: [part] }] };
      const resolved = await resolveFiles(body, { ...resolution, ...more });
      assert.ok(resolved.kind === "refused", JSON.stringify(resolved));
      assert.equal(resolved.param, "input[0].content[0]");
      return `${resolved.code}: ${resolved.message}`;
    };
    const unknown = { type: "input_file", file_id: "file-0" };
    assert.match(
      await ask(unknown),
      /^file_not_found: The 'file_id' of 'input\[0\].content\[0\]' is unknown/,
    );
    const stranger: FileOwner = { ownerId: "bob", quotaId: "bob", key: resolution.owner.key };
    const note = { type: "input_file", file_id: ids["note.md"] };
    assert.match(await ask(note, { owner: stranger }), /^file_not_found/);
    assert.match(
      await ask({ type: "input_image", file_id: ids["note.md"] }),
      /^unsupported_file: .* is no picture/,
    );
    for (const name of ["doc.pdf", "zip.bin"]) {
      const part = { type: "input_file", file_id: ids[name] };
      assert.match(await ask(part, { takesDocuments: false }), /^unsupported_file: Grok takes texts/);
    }
  },
);

testResolving("resolveFiles() counts a file as often as it is named", async (ids, resolution) => {
  const part = { type: "input_image", file_id: ids["pic.bin"] };
  const twice = { input: [{ content: [part, part] }] };
  const fits = await resolveFiles(twice, { ...resolution, maxBytes: 2 * png.length });
  assert.equal(fits.kind, "resolved");
  const over = await resolveFiles(twice, { ...resolution, maxBytes: 2 * png.length - 1 });
  assert.ok(over.kind === "refused");
  assert.deepEqual([over.code, over.param], ["payload_too_large", "input[0].content[1]"]);
});

testResolving("resolveFiles() refuses a request that names more than 1000 files", async (ids, resolution) => {
  const part = { type: "input_file", file_id: ids["empty.txt"] };
  const naming = (count: number) => ({ input: [{ content: Array.from({ length: count }, () => part) }] });
  assert.equal((await resolveFiles(naming(1_000), resolution)).kind, "resolved");
  const over = await resolveFiles(naming(1_001), resolution);
  assert.ok(over.kind === "refused");
  assert.deepEqual([over.code, over.param], ["payload_too_large", "input[0].content[1000]"]);
});

function testResolving(
  what: string,
  run: (ids: Readonly<Record<string, string>>, resolution: FileResolution) => Promise<void>,
): void {
  Deno.test(what, async () => {
    const store = await openSqliteFileStore({ path: ":memory:" });
    const limits = { maxUploadBytes: 1_000, maxTotalUploadBytes: 10_000 };
    const vault = createFileVault({ files: store, limits, now: () => 1_790_000_000_000 });
    const owner: FileOwner = { ownerId: "ada", quotaId: "ada", key: new Uint8Array(32).fill(1) };
    const ids: Record<string, string> = {};
    for (const [filename, bytes] of Object.entries(files)) {
      const upload = await vault.upload(owner);
      await upload?.write(bytes);
      const file = await upload?.complete({ filename, purpose: "user_data", lifetimeMs: undefined });
      assert.ok(typeof file === "object");
      ids[filename] = file.id;
    }
    await run(ids, { vault, owner, providerName: "Grok", takesDocuments: true, maxBytes: 1_000 });
    await store.close();
  });
}
