import assert from "node:assert/strict";
import { bold, columns, printNextSteps } from "../../src/cli/terminal.ts";
import { minutesAndSeconds, roughly } from "../../src/cli/time_text.ts";
import { recordingProcess } from "./recording_process.ts";

Deno.test("columns() aligns every column by what is seen of it, and leaves no space at the end", () => {
  const { terminal } = recordingProcess({}, { colors: true });
  const styled = bold(terminal, "a");
  assert.deepEqual(columns([[styled, "bb", "x"], ["ccc", "d", ""], ["e", "", "y"]], 2), [
    `  ${styled}    bb  x`,
    "  ccc  d",
    "  e        y",
  ]);
});

Deno.test("printNextSteps() writes nothing when there is no step", () => {
  const { terminal, out } = recordingProcess();
  printNextSteps(terminal, []);
  assert.deepEqual(out, []);
});

for (
  const [leftMs, text] of [[-1, "0:00"], [1, "0:01"], [60_000, "1:00"], [899_001, "15:00"], [
    3_600_000,
    "60:00",
  ]]
    .map(([ms, text]) => [Number(ms), String(text)] as const)
) {
  Deno.test(`minutesAndSeconds() tells ${leftMs} ms as ${text}`, () => {
    assert.equal(minutesAndSeconds(leftMs), text);
  });
}

const minuteMs = 60_000;
for (
  const [leftMs, text] of [
    [-minuteMs, "0 minutes"],
    [minuteMs, "1 minute"],
    [60 * minuteMs - 1, "59 minutes"],
    [60 * minuteMs, "1 hour"],
    [48 * 60 * minuteMs - 1, "1 day"],
    [48 * 60 * minuteMs, "2 days"],
  ] as const
) {
  Deno.test(`roughly() tells ${leftMs} ms as ${text}`, () => {
    assert.equal(roughly(leftMs), text);
  });
}
