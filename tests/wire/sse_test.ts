import assert from "node:assert/strict";
import { createSseReader, formatSseData, formatSseEvent, type SseEvent } from "../../src/wire/sse.ts";
import { everyCut } from "../translate/replay.ts";

const encoder = new TextEncoder();

function read(
  pieces: Iterable<Uint8Array>,
  maxEventBytes = 1 << 20,
): { events: SseEvent[]; open: SseEvent | undefined } {
  const events: SseEvent[] = [];
  const reader = createSseReader((event) => events.push(event), { maxEventBytes });
  for (const piece of pieces) assert.equal(reader.feed(piece), "ok");
  return { events, open: reader.end() };
}

const STREAM = [
  ": a comment",
  "",
  "event: first",
  "data: gr\u00fc\u00dfe \u2028 \u{1f995}",
  "",
  "data:no space",
  "data",
  "data: third line ",
  "unknown: field",
  "id: 7",
  "",
  "event: nothing to tell",
  "",
  "data: {}",
  "",
  "",
].join("\n");

const EVENTS: SseEvent[] = [
  { type: "first", data: "gr\u00fc\u00dfe \u2028 \u{1f995}" },
  { type: undefined, data: "no space\n\nthird line " },
  { type: undefined, data: "{}" },
];

Deno.test("createSseReader() reads the same events wherever the bytes are cut, with LF, CRLF, CR and a BOM", () => {
  for (const lineEnd of ["\n", "\r\n", "\r"]) {
    for (const bom of ["", "\u{feff}"]) {
      const bytes = encoder.encode(bom + STREAM.replaceAll("\n", lineEnd));
      for (const pieces of everyCut(bytes)) {
        assert.deepEqual(read(pieces), { events: EVENTS, open: undefined });
      }
    }
  }
});

Deno.test("createSseReader() strips one BOM only", () => {
  const { events } = read([encoder.encode("\u{feff}\u{feff}data: x\n\ndata: y\n\n")]);
  assert.deepEqual(events, [{ type: undefined, data: "y" }]);
});

Deno.test("createSseReader() reports an event without its blank line instead of dispatching it", () => {
  for (const tail of ["data: {}", "data: {}\n", "data: {}\r", "data: {}\r\n"]) {
    const { events, open } = read([encoder.encode(`data: 1\n\nevent: last\n${tail}`)]);
    assert.deepEqual(events, [{ type: undefined, data: "1" }]);
    assert.deepEqual(open, { type: "last", data: "{}" });
  }
});

Deno.test("createSseReader() flushes a UTF-8 sequence that the end cut", () => {
  const bytes = encoder.encode("data: \u00fc").slice(0, -1);
  assert.deepEqual(read([bytes]).open, { type: undefined, data: "\ufffd" });
});

Deno.test("createSseReader() takes no more once an open event is too large", () => {
  const events: SseEvent[] = [];
  const reader = createSseReader((event) => events.push(event), { maxEventBytes: 100 });
  assert.equal(reader.feed(encoder.encode(`data: ${"x".repeat(94)}`)), "ok");
  assert.equal(reader.feed(encoder.encode("x".repeat(20))), "too_large");
  assert.equal(reader.feed(encoder.encode("\n\ndata: y\n\n")), "too_large");
  assert.equal(reader.end(), undefined);
  assert.deepEqual(events, []);
});

Deno.test("createSseReader() reads an event of 8 MiB that comes in 8192 pieces", () => {
  const piece = encoder.encode("x".repeat(1024));
  const pieces = [
    encoder.encode("data: "),
    ...Array.from({ length: 8192 }, () => piece),
    encoder.encode("\n\n"),
  ];
  const { events } = read(pieces, 16 << 20);
  assert.equal(events[0]?.data.length, 8 << 20);
});

Deno.test("formatSseData() and formatSseEvent() write what the reader reads", () => {
  const json = { text: 'line\nline\r "\u2028" \u{1f995}' };
  const text = formatSseData(json) + formatSseEvent("response.created", json);
  const { events } = read([encoder.encode(text)]);
  assert.deepEqual(events, [
    { type: undefined, data: JSON.stringify(json) },
    { type: "response.created", data: JSON.stringify(json) },
  ]);
});
