import assert from "node:assert/strict";
import type { UpstreamError } from "../../src/provider/provider.ts";
import {
  errorType,
  isErrorDocument,
  judgeRefusal,
  type RefusalRules,
  timedOut,
  unintelligible,
  unreachable,
} from "../../src/provider/upstream_error.ts";
import { challengePage, json, nowMs } from "./stub_upstream.ts";

const rules: RefusalRules = {
  upstreamName: "ChatGPT",
  secrets: ["canary-access-token"],
  isAccessRejected: (status, code) => status === 401 || code?.startsWith("unauthenticated") === true,
  emptyNotFoundIsBlock: true,
};

const nowSeconds = nowMs / 1000;

function text(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
}

Deno.test("judgeRefusal() reads every shape of the three upstreams", async () => {
  const cases: readonly (readonly [string, Response, Partial<UpstreamError>])[] = [
    [
      "OpenAI's envelope",
      json(400, {
        error: { message: "Bad effort.", type: "invalid_request_error", param: "reasoning", code: "bad" },
      }),
      { status: 400, type: "invalid_request_error", code: "bad", param: "reasoning", message: "Bad effort." },
    ],
    [
      "detail",
      json(400, { detail: "Unsupported parameter: temperature" }),
      { status: 400, code: null, message: "Unsupported parameter: temperature" },
    ],
    ["detail as an object", json(402, { detail: { code: "deactivated_workspace" } }), {
      status: 402,
      type: "insufficient_quota",
      code: "deactivated_workspace",
      message: "ChatGPT refused the request with status 402 and gave no reason.",
    }],
    [
      "ChatGPT's expired token",
      json(401, { detail: "Unauthorized" }),
      { status: 401, type: "authentication_error", message: "Unauthorized", accessRejected: true },
    ],
    [
      "type as the code",
      json(429, { error: { type: "usage_limit_reached", message: "The usage limit has been reached" } }),
      { status: 429, type: "rate_limit_error", code: "usage_limit_reached" },
    ],
    [
      "flat, slug",
      json(403, { code: "permission-denied", error: "Access to the chat endpoint is denied." }),
      { status: 403, type: "permission_error", code: "permission-denied", accessRejected: false },
    ],
    [
      "flat, sentence for a code",
      json(400, { code: "Client specified an invalid argument", error: "Argument not supported" }),
      { status: 400, code: null, message: "Argument not supported" },
    ],
    [
      "nested twice",
      json(403, {
        error: { code: "unauthenticated:bad-credentials", error: "The token could not be validated." },
      }),
      {
        status: 403,
        code: "unauthenticated:bad-credentials",
        message: "The token could not be validated.",
        accessRejected: true,
      },
    ],
    ["error alone", json(426, { error: "Your Grok CLI version (none) is outdated." }), {
      status: 426,
      message: "Your Grok CLI version (none) is outdated.",
    }],
    ["slug in the text", json(503, { error: "Busy [WKE=server-busy] now" }), {
      code: "server-busy",
      message: "Busy now",
      type: "server_error",
    }],
    ["number for a code", json(404, { code: 7, message: "No model", details: [] }), {
      status: 404,
      code: null,
      message: "No model",
    }],
    ["OAuth style", json(400, { error: "invalid_request", error_description: "Missing." }), {
      code: "invalid_request",
      message: "Missing.",
    }],
    ["bare JSON string", json(500, "Overloaded"), { status: 500, message: "Overloaded" }],
    [
      "JSON as text/plain",
      text(400, '{"error":{"message":"Not supported.","code":"model_not_supported","param":"model"}}\n'),
      { code: "model_not_supported", param: "model", message: "Not supported." },
    ],
    [
      "bare text",
      text(401, "IDE token expired: unauthorized: token expired\n"),
      { status: 401, message: "IDE token expired: unauthorized: token expired", accessRejected: true },
    ],
    ["GitHub's details", json(403, { error_details: { message: "No access found." } }), {
      message: "No access found.",
    }],
    ["empty", new Response(null, { status: 500 }), {
      status: 500,
      code: null,
      message: "ChatGPT refused the request with status 500 and gave no reason.",
    }],
    ["redirect", new Response(null, { status: 302, headers: { location: "https://evil.test" } }), {
      status: 502,
    }],
  ];
  for (const [name, response, expected] of cases) {
    const error: Record<string, unknown> = { ...await judgeRefusal(response, rules, nowMs) };
    for (const [member, value] of Object.entries(expected)) {
      assert.deepEqual(error[member], value, `${name}: ${member}`);
    }
  }
});

Deno.test("judgeRefusal() calls the gate in front of the upstream by its name", async () => {
  const blocked = [
    challengePage(),
    new Response("<html>Sorry, you have been blocked</html>", { status: 403 }),
    json(403, {}, { "cf-mitigated": "challenge" }),
    new Response("", { status: 404 }),
  ];
  for (const response of blocked) {
    const error = await judgeRefusal(response, rules, nowMs);
    assert.deepEqual([error.status, error.code, error.accessRejected], [503, "upstream_challenge", false]);
  }
  const notFound = await judgeRefusal(new Response("", { status: 404 }), {
    ...rules,
    emptyNotFoundIsBlock: false,
  }, nowMs);
  assert.equal(notFound.status, 404);
});

Deno.test("judgeRefusal() never repeats a page, a dump or a secret", async () => {
  const repeats = [
    challengePage(500),
    text(500, "first line\nsecond canary line"),
    text(500, `canary ${"x ".repeat(200)}`),
    new Response("canary", { status: 500, headers: { "content-type": "text/html" } }),
    json(400, {
      error: { message: "Bad canary-access-token and Bearer canary-x", code: "canary-access-token" },
    }),
    json(400, { error: { message: "x", param: "canary-access-token" } }),
    json(500, { unknown: "canary" }),
    json(500, ["canary"]),
  ];
  for (const response of repeats) {
    const error = JSON.stringify(await judgeRefusal(response, rules, nowMs));
    assert.ok(!error.includes("canary") && !error.includes("Just a moment"), error);
  }
});

Deno.test("judgeRefusal() reads no more than 64 KiB of an error", async () => {
  let produced = 0;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull: (controller) => {
      produced += 1024;
      controller.enqueue(new Uint8Array(1024).fill(32));
    },
  });
  await judgeRefusal(new Response(endless, { status: 500 }), rules, nowMs);
  assert.ok(produced < 80 * 1024, String(produced));
});

Deno.test("judgeRefusal() finds the time of the next attempt wherever it is told", async () => {
  const limit = { type: "usage_limit_reached", message: "The usage limit has been reached" };
  const cases: readonly (readonly [string, Response, number | undefined])[] = [
    [
      "Retry-After first",
      json(429, { error: { ...limit, resets_in_seconds: 99 } }, { "retry-after": "5" }),
      5,
    ],
    [
      "resets_in_seconds",
      json(429, { error: { ...limit, resets_at: 1, resets_in_seconds: 13_872 } }),
      13_872,
    ],
    ["resets_at", json(429, { error: { ...limit, resets_at: nowSeconds + 60 } }), 60],
    [
      "the longest used-up window",
      json(429, { error: limit }, {
        "x-codex-primary-used-percent": "100.0",
        "x-codex-primary-reset-after-seconds": "30",
        "x-codex-secondary-used-percent": "100",
        "x-codex-secondary-reset-at": String(nowSeconds + 90),
      }),
      90,
    ],
    [
      "no window is used up",
      json(429, { error: limit }, {
        "x-codex-primary-used-percent": "42",
        "x-codex-primary-reset-after-seconds": "30",
      }),
      undefined,
    ],
    ["a sentence", json(429, { error: { message: "Rate limit. Please try again in 11.054s." } }), 12],
    ["milliseconds", json(429, { error: { message: "Please try again in 250ms." } }), 1],
    ["Grok's sentence", json(429, { code: "resource-exhausted", error: "Too many. Resets in: 3m 4s" }), 184],
    ["hours", json(429, { error: "Too many. Resets in: 1h 2m" }), 3720],
    ["a date", text(402, "You have no quota", { "retry-after": "Sun, 22 Nov 2026 00:00:10 GMT" }), 10],
    ["nothing", json(429, { error: limit }), undefined],
    ["not a limit", json(400, { error: { message: "try again in 5s" } }), undefined],
  ];
  for (const [name, response, expected] of cases) {
    assert.equal((await judgeRefusal(response, rules, nowMs)).retryAfterSeconds, expected, name);
  }
});

Deno.test("judgeRefusal() gives an error document that came with 200 the status that it stands for", async () => {
  const cases: readonly (readonly [unknown, number])[] = [
    [{ code: "The service is currently unavailable", error: "Service temporarily unavailable." }, 503],
    [{ code: "resource-exhausted", error: "Too many requests" }, 429],
    [{ code: "unauthenticated:bad-credentials", error: "no" }, 401],
    [{ error: "Something else" }, 502],
  ];
  for (const [body, status] of cases) {
    assert.equal((await judgeRefusal(json(200, body), rules, nowMs)).status, status, JSON.stringify(body));
  }
});

Deno.test("isErrorDocument() knows errors from answers", () => {
  for (
    const document of [{ code: "x", error: "y" }, { error: { message: "m" } }, { detail: "d" }, {
      code: 7,
      message: "m",
    }]
  ) {
    assert.equal(isErrorDocument(document), true, JSON.stringify(document));
  }
  const answers = [
    { object: "response", status: "failed", error: { code: "server_error" } },
    { choices: [], error: { message: "m" } },
    { id: "x", error: null },
    {},
  ];
  for (const document of answers) assert.equal(isErrorDocument(document), false, JSON.stringify(document));
});

Deno.test("errorType() is total over the statuses of HTTP errors", () => {
  const known = new Set([
    "authentication_error",
    "insufficient_quota",
    "invalid_request_error",
    "permission_error",
    "rate_limit_error",
    "server_error",
  ]);
  for (let status = 400; status < 600; status++) assert.ok(known.has(errorType(status)), String(status));
  assert.deepEqual([401, 402, 403, 404, 429, 503].map(errorType), [
    "authentication_error",
    "insufficient_quota",
    "permission_error",
    "invalid_request_error",
    "rate_limit_error",
    "server_error",
  ]);
});

Deno.test("our own errors have their own status and code", () => {
  const own = [unreachable(rules), timedOut(rules), unintelligible(rules)];
  assert.deepEqual(own.map(({ status, code }) => [status, code]), [
    [502, "upstream_unreachable"],
    [504, "upstream_timeout"],
    [502, "upstream_invalid_response"],
  ]);
});
