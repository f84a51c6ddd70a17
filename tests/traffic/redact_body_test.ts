import assert from "node:assert/strict";
import { maxLoggedBodyBytes, redactBody } from "../../src/traffic/redact_body.ts";

const redact = (text: string) => redactBody(new TextEncoder().encode(text));
const redactJson = (value: unknown) => JSON.parse(redact(JSON.stringify(value)));

Deno.test("redactBody() keeps words, and members that are only called like a credential's parts", () => {
  const body = {
    model: "gpt-5",
    messages: [{ role: "user", content: "What does the code 42 mean?" }],
    code: "print(1)",
    token: 3,
    max_tokens: 5,
    stream: true,
    stop: null,
  };
  assert.deepEqual(redactJson(body), body);
});

Deno.test("redactBody() removes credentials by the name of their member", () => {
  for (
    const name of [
      "authorization",
      "Proxy-Authorization",
      "x-api-key",
      "api_key",
      "apiKey",
      "access_token",
      "refreshToken",
      "client_secret",
      "code_verifier",
      "device_code",
      "Set-Cookie",
    ]
  ) {
    assert.deepEqual(redactJson({ tools: [{ server: { [name]: "canary" } }] }), {
      tools: [{ server: { [name]: "[removed]" } }],
    });
    assert.deepEqual(redactJson({ [name]: { value: ["canary"] } }), { [name]: "[removed]" });
  }
});

Deno.test("redactBody() removes credentials by their looks, wherever they are", () => {
  const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJ2IjoxfQ.c2lnbmF0dXJl";
  const clean = redactJson({
    messages: [{ content: `My key is sk-canary0123456789 and Bearer canary-canary` }, { content: jwt }],
    [jwt]: 1,
    address: "https://api.test/x?user=1&token=canary&sig=canary#top",
    arguments: JSON.stringify({ password: "canary", city: "Rome" }),
  });
  assert.deepEqual(clean, {
    messages: [{ content: "My key is [removed] and [removed]" }, { content: "[removed]" }],
    "[removed]": 1,
    address: "https://api.test/x?user=1&token=[removed]&sig=[removed]#top",
    arguments: '{"password":"[removed]","city":"Rome"}',
  });
});

Deno.test("redactBody() tells pictures and uploads by their size", () => {
  const data = "QUJD".repeat(100);
  assert.deepEqual(
    redactJson({
      image_url: `data:image/png;base64,${data}`,
      file_data: data,
      both: `See data:;base64,${data}.`,
    }),
    { image_url: "[image/png, 300 bytes]", file_data: "[400 characters]", both: "See [data, 300 bytes]." },
  );
});

Deno.test("redactBody() reads the data of events", () => {
  const stream = 'event: a\ndata: {"delta":"Hello","api_key":"canary"}\n\ndata: [DONE]\n\n: Bearer canary\n';
  assert.equal(
    redact(stream),
    'event: a\ndata: {"delta":"Hello","api_key":"[removed]"}\n\ndata: [DONE]\n\n: [removed]\n',
  );
});

Deno.test("redactBody() does not fall over what is deep, large, torn or no text", () => {
  assert.match(redact(`${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`), /nested too deep/);
  assert.match(redact(`{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`), /nested too deep/);
  assert.equal(redactBody(new Uint8Array(maxLoggedBodyBytes + 1)), "[more than 262144 bytes]");
  assert.equal(redact('{"a": "Bearer canary'), '{"a": "[removed]');
  assert.equal(redactBody(Uint8Array.of(0xff, 0xfe)), "\ufffd\ufffd");
  let nested = '"canary"';
  for (let depth = 0; depth < 8; depth++) nested = JSON.stringify(`{"password":${nested}}`);
  assert.doesNotMatch(redact(`{"a":${nested}}`), /canary/);
});
