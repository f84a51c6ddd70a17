import assert from "node:assert/strict";
import { createSseFramer } from "../../src/wire/sse_framing.ts";
import { eventsOf, everyCut, fixture, LINE_ENDS } from "../translate/replay.ts";

const decoder = new TextDecoder();

Deno.test("push() releases whole events only, and all bytes in order, wherever they are cut", () => {
  for (const lineEnd of Object.values(LINE_ENDS)) {
    const bytes = fixture("responses_custom_tool", lineEnd);
    const whole = decoder.decode(bytes);
    for (const pieces of everyCut(bytes)) {
      const framer = createSseFramer();
      let text = "";
      for (const piece of pieces) {
        const run = framer.push(piece);
        if (run === undefined) continue;
        text += decoder.decode(run);
        // Throws when what was released so far ends inside an event.
        eventsOf(text);
      }
      const rest = decoder.decode(framer.rest() ?? new Uint8Array(0));
      assert.equal(text + rest, whole);
      // Of a CRLF that ends the stream only the LF may have been held back.
      assert.ok(rest === "" || rest === "\n");
    }
  }
});

Deno.test("push() returns the bytes of the piece itself when nothing was held back", () => {
  const framer = createSseFramer();
  const piece = new TextEncoder().encode("data: 1\n\ndata: 2\n\ndata: 3");
  const run = framer.push(piece);
  assert.equal(run?.buffer, piece.buffer);
  assert.equal(decoder.decode(run), "data: 1\n\ndata: 2\n\n");
  assert.equal(framer.heldBytes, 7);
});

Deno.test("push() does not take a line end inside a CRLF stream for a blank line", () => {
  const framer = createSseFramer();
  assert.equal(framer.push(new TextEncoder().encode("data: 1\r\n")), undefined);
  assert.equal(framer.push(new TextEncoder().encode("data: 2\r")), undefined);
  assert.equal(framer.push(new TextEncoder().encode("\n")), undefined);
  assert.equal(decoder.decode(framer.push(new TextEncoder().encode("\r\n"))), "data: 1\r\ndata: 2\r\n\r\n");
});
