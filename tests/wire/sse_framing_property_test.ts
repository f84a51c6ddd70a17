import assert from "node:assert/strict";
import fc from "fast-check";
import { createSseFramer } from "../../src/wire/sse_framing.ts";

/** Fixed, so that every run tries the same pieces. */
const RUNS = { seed: 20261122, numRuns: 3000 };

/** How many bytes are released after each piece. */
function released(pieces: readonly string[]): number[] {
  const framer = createSseFramer();
  let length = 0;
  return pieces.map((piece) => length += framer.push(new TextEncoder().encode(piece))?.length ?? 0);
}

Deno.test("push() releases after random pieces what it releases when they come byte by byte", () => {
  const line = fc.constantFrom("a", ":", "\n", "\r", "\r\n", "\n\n", "\r\n\r\n");
  const piece = fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.join(""));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const stream = pieces.join("");
      const single = released([...stream]);
      let at = 0;
      released(pieces).forEach((length, index) => {
        at += pieces[index]?.length ?? 0;
        const expected = single[at - 1] ?? 0;
        // The second half of a CRLF ends nothing: alone it is held, in one piece with the first half it goes along.
        const half = stream.slice(expected, length) === "\n" && stream[expected - 1] === "\r";
        assert.ok(length === expected || half, JSON.stringify(pieces));
      });
    }),
    RUNS,
  );
});
