import assert from "node:assert/strict";
import { type FlagSpec, parseFlags } from "../../src/cli/arguments.ts";

const specs: readonly FlagSpec[] = [
  { name: "init", description: "" },
  { name: "port", placeholder: "<number>", description: "" },
  { name: "approve", placeholder: "<user>", optionalValue: true, description: "" },
  { name: "help", short: "h", description: "" },
];

const accepted: readonly (readonly [readonly string[], Record<string, string>, readonly string[]])[] = [
  [[], {}, []],
  [["--init"], { init: "" }, []],
  [["-h"], { help: "" }, []],
  [["--port", "1"], { port: "1" }, []],
  [["--port=1"], { port: "1" }, []],
  [["--port=-1"], { port: "-1" }, []],
  [["--port", "1", "--port", "2"], { port: "2" }, []],
  [["--approve"], { approve: "" }, []],
  [["--approve=bob"], { approve: "bob" }, []],
  [["--approve", "bob"], { approve: "" }, ["bob"]],
  [["a", "--init", "b"], { init: "" }, ["a", "b"]],
];

for (const [args, flags, words] of accepted) {
  Deno.test(`parseFlags() accepts ${JSON.stringify(args.join(" "))}`, () => {
    assert.deepEqual(parseFlags(args, specs), { kind: "flags", flags, words });
  });
}

const refused: readonly (readonly [readonly string[], readonly string[]])[] = [
  [["--prot", "1"], ["--prot is not a flag here. Did you mean --port?"]],
  [["--nothing-like-it"], ["--nothing-like-it is not a flag here."]],
  [["--constructor"], ["--constructor is not a flag here."]],
  [["-x"], ["-x is not a flag here."]],
  [["--init=yes"], ["--init takes no value."]],
  [["--port"], ["--port needs a value: --port <number>."]],
  [["--port="], ["--port needs a value: --port <number>."]],
  [["--port", "--init"], ["--port needs a value: --port <number>."]],
  [["--init=1", "-x"], ["--init takes no value.", "-x is not a flag here."]],
];

for (const [args, problems] of refused) {
  Deno.test(`parseFlags() refuses ${JSON.stringify(args.join(" "))}`, () => {
    assert.deepEqual(parseFlags(args, specs), { kind: "usage", problems });
  });
}
