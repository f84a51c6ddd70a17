import assert from "node:assert/strict";
import { finishReason, responseEnding } from "../../src/translate/finish_reason.ts";

const FINISHES = [
  ["completed", undefined, "none", "stop"],
  ["completed", undefined, "tool_calls", "tool_calls"],
  ["completed", undefined, "function_call", "function_call"],
  ["incomplete", "max_output_tokens", "none", "length"],
  ["incomplete", "max_output_tokens", "tool_calls", "length"],
  ["incomplete", "content_filter", "none", "content_filter"],
  ["incomplete", "content_filter", "tool_calls", "content_filter"],
  ["incomplete", "a reason of tomorrow", "none", "length"],
  ["incomplete", undefined, "none", "length"],
] as const;

for (const [status, reason, calls, expected] of FINISHES) {
  Deno.test(`finishReason() is ${expected} when ${status}, ${reason} and ${calls}`, () => {
    assert.equal(finishReason(status, reason, calls), expected);
  });
}

const ENDINGS = [
  ["stop", { status: "completed" }],
  ["tool_calls", { status: "completed" }],
  ["function_call", { status: "completed" }],
  ["length", { status: "incomplete", reason: "max_output_tokens" }],
  ["content_filter", { status: "incomplete", reason: "content_filter" }],
  ["error", { status: "failed" }],
  ["a word of tomorrow", { status: "completed" }],
] as const;

for (const [finish, expected] of ENDINGS) {
  Deno.test(`responseEnding() is ${expected.status} when the finish reason is ${finish}`, () => {
    assert.deepEqual(responseEnding(finish), expected);
  });
}
