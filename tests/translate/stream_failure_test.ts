import assert from "node:assert/strict";
import { ownFailure, toldFailure } from "../../src/translate/stream_failure.ts";

const told = (code: string | null, message: string | null = "M.", type: string | null = null) => ({
  code,
  message,
  type,
  param: null,
});

const CODES: readonly (readonly [string, number, string])[] = [
  ["context_length_exceeded", 400, "invalid_request_error"],
  ["invalid_prompt", 400, "invalid_request_error"],
  ["bio_policy", 400, "invalid_request_error"],
  ["cyber_policy", 400, "invalid_request_error"],
  ["invalid_image", 400, "invalid_request_error"],
  ["image_too_large", 400, "invalid_request_error"],
  ["previous_response_not_found", 400, "invalid_request_error"],
  ["invalid_encrypted_content", 400, "invalid_request_error"],
  ["model_not_supported", 400, "invalid_request_error"],
  ["insufficient_quota", 429, "rate_limit_error"],
  ["rate_limit_exceeded", 429, "rate_limit_error"],
  ["usage_limit_reached", 429, "rate_limit_error"],
  ["quota_exceeded", 429, "rate_limit_error"],
  ["user_weekly_rate_limited", 429, "rate_limit_error"],
  ["user_model_rate_limited:gpt-5", 429, "rate_limit_error"],
  ["subscription:free-usage-exhausted", 429, "rate_limit_error"],
  ["usage_not_included", 403, "permission_error"],
  ["token_invalid", 401, "authentication_error"],
  ["server_is_overloaded", 503, "server_error"],
  ["slow_down", 503, "server_error"],
  ["overloaded_error", 503, "server_error"],
  ["server_error", 502, "server_error"],
  ["a_code_of_tomorrow", 502, "server_error"],
  ["constructor", 502, "server_error"],
];

for (const [code, status, type] of CODES) {
  Deno.test(`toldFailure() makes ${code} a ${status} of type ${type}`, () => {
    assert.deepEqual(toldFailure(told(code)), { status, type, code, param: null, message: "M." });
  });
}

Deno.test("toldFailure() judges by the type when there is no code, and by nothing when there is neither", () => {
  assert.equal(toldFailure(told(null, "M.", "invalid_request_error")).status, 400);
  assert.equal(toldFailure(told(null, "M.", "usage_limit_reached")).code, "usage_limit_reached");
  assert.deepEqual(toldFailure(told(null, null)), {
    status: 502,
    type: "server_error",
    code: "server_error",
    param: null,
    message: "The model provider failed to answer. Try again.",
  });
});

Deno.test("toldFailure() says a sentence when the upstream says none", () => {
  assert.match(toldFailure(told("cyber_policy", null)).message, /policies\.$/);
});

const WAITS: readonly (readonly [string, string, number | undefined])[] = [
  ["rate_limit_exceeded", "Please try again in 11.054s.", 12],
  ["rate_limit_exceeded", "Please try again in 350ms.", 1],
  ["rate_limit_exceeded", "Try again in 28 seconds.", 28],
  ["rate_limit_exceeded", "Slow down.", undefined],
  ["server_error", "Please try again in 11.054s.", undefined],
];

for (const [code, message, seconds] of WAITS) {
  Deno.test(`toldFailure() reads a wait of ${seconds} s from ${code}: ${message}`, () => {
    assert.equal(toldFailure(told(code, message)).retryAfterSeconds, seconds);
  });
}

Deno.test("ownFailure() is always a 502 with a sentence", () => {
  for (
    const code of ["incomplete_stream", "connection_lost", "unreadable_stream", "event_too_large"] as const
  ) {
    const failure = ownFailure(code);
    assert.equal(failure.status, 502);
    assert.equal(failure.code, code);
    assert.match(failure.message, /^The .*\.$/);
  }
});
