import assert from "node:assert/strict";
import { askedCalls } from "../../src/sandbox/asked_calls.ts";
import type { Turn } from "../../src/sandbox/contract.ts";

const TOOLS: Turn["tools"] = [
  { name: "shell", parameters: { type: "object" } },
  { name: "shell_map", parameters: { type: "object" } },
  { name: "patch", parameters: null, freeform: true },
];

const CASES: readonly (readonly [name: string, text: string, steps: readonly (readonly unknown[])[]])[] = [
  ["finds nothing", "hello, shells and patch_work", []],
  ["finds names as words, in the order of the text", "patch, `shell_map`; shell.", [[
    ["patch", undefined],
    ["shell_map", undefined],
    ["shell", undefined],
  ]]],
  ["takes a name once", "use shell. I like shell", [[["shell", undefined]]]],
  ["reads arguments", 'shell with {"cmd":"a \\"}\\" b","n":{"m":1}} now', [[
    ["shell", { cmd: 'a "}" b', n: { m: 1 } }],
  ]]],
  ["reads the input of a custom tool", 'patch with "one\\ntwo \\"three\\""', [[[
    "patch",
    'one\ntwo "three"',
  ]]]],
  ["takes no mention out of what is given", 'shell with {"cmd":"patch, after that shell_map"}', [[
    ["shell", { cmd: "patch, after that shell_map" }],
  ]]],
  ["calls a tool again with something given", 'shell with {"a":1} and shell with {"a":2}', [[
    ["shell", { a: 1 }],
    ["shell", { a: 2 }],
  ]]],
  ["begins steps", "First shell and patch, After that shell, after that shell_map", [
    [["shell", undefined], ["patch", undefined]],
    [["shell", undefined]],
    [["shell_map", undefined]],
  ]],
  ["makes no step of a beginning", "after that shell", [[["shell", undefined]]]],
  ["ignores what does not fit the tool", 'shell with "text", patch with {"a":1}', [[
    ["shell", undefined],
    ["patch", undefined],
  ]]],
  ["ignores broken JSON", 'shell with {"a": and patch', [[["shell", undefined], ["patch", undefined]]]],
];

for (const [name, text, steps] of CASES) {
  Deno.test(`askedCalls() ${name}`, () => {
    const asked = askedCalls(text, TOOLS).map((step) => step.map(({ tool, given }) => [tool.name, given]));
    assert.deepEqual(asked, steps);
  });
}
