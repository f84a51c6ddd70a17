import assert from "node:assert/strict";
import { nearestName } from "../src/nearest_name.ts";

const candidates = ["serve", "sandbox", "init", "version", "help"];

const guesses: readonly (readonly [string, string | undefined])[] = [
  ["serve", "serve"],
  ["srve", "serve"],
  ["sevre", "serve"],
  ["SERVER", "serve"],
  ["sandbocks", "sandbox"],
  ["inti", "init"],
  ["deploy", undefined],
  ["i", undefined],
  ["", undefined],
];

for (const [name, expected] of guesses) {
  Deno.test(`nearestName() guesses ${expected} when the name is ${JSON.stringify(name)}`, () => {
    assert.equal(nearestName(name, candidates), expected);
  });
}
