import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import {
  createJwtKeyRing,
  createSessionJwt,
  SESSION_LIFETIME_S,
  type SessionClaims,
} from "../../src/crypto/session_jwt.ts";
import jws from "../fixtures/vectors/jws_hs256.json" with { type: "json" };

const secret = Uint8Array.from({ length: 32 }, (_, index) => index);
const otherSecret = Uint8Array.from({ length: 32 }, (_, index) => 255 - index);
const kid = "fIA3mCJUm-9L"; // computed outside: base64url(SHA-256("authai-relay kid" || 00..1f)), 12 characters

const issuedAtS = 1_790_000_000;
const expiresAtS = issuedAtS + SESSION_LIFETIME_S;
const nowMs = (issuedAtS + 60) * 1000;
const recordKey = new Uint8Array(32).fill(0xfb);
const claims: SessionClaims = {
  recordId: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
  key: recordKey,
  provider: "xai",
  issuedAtS,
  expiresAtS,
};
const payload = {
  v: 2,
  rid: claims.recordId,
  k: text(recordKey),
  prov: "xai",
  iat: issuedAtS,
  exp: expiresAtS,
};

const sessionJwt = createSessionJwt(createJwtKeyRing({ current: secret, previous: [] }));

Deno.test("sign() writes header and payload of the contract, signed with HMAC-SHA256", async () => {
  const token = await sessionJwt.sign(claims);
  const [header = "", body = "", signature] = token.split(".");
  assert.deepEqual(JSON.parse(atob(header)), { alg: "HS256", typ: "JWT", kid });
  assert.deepEqual(readJson(body), payload);
  assert.equal(signature, createHmac("sha256", secret).update(`${header}.${body}`).digest("base64url"));
});

Deno.test("verify() returns the claims that sign() was given", async () => {
  for (const provider of ["openai", "xai", "github"] as const) {
    const token = await sessionJwt.sign({ ...claims, provider });
    assert.deepEqual(await sessionJwt.verify(token, nowMs), {
      kind: "valid",
      claims: { ...claims, provider },
    });
  }
});

Deno.test("sign() makes tokens that fit one cookie with room to spare", async () => {
  assert.ok((await sessionJwt.sign(claims)).length < 400);
});

Deno.test("sign() rejects with TypeError when the claims would not verify", async () => {
  for (
    const wrong of [
      { key: new Uint8Array(31) },
      { key: new Uint8Array(33) },
      { recordId: "short" },
      { recordId: "with space in the id" },
      { expiresAtS: issuedAtS },
      { issuedAtS: Number.NaN },
      { expiresAtS: expiresAtS + 0.5 },
    ]
  ) await assert.rejects(sessionJwt.sign({ ...claims, ...wrong }), TypeError);
});

Deno.test("verify() judges expiry to the millisecond", async () => {
  const token = await sessionJwt.sign(claims);
  assert.equal((await sessionJwt.verify(token, expiresAtS * 1000 - 1)).kind, "valid");
  assert.deepEqual(await sessionJwt.verify(token, expiresAtS * 1000), { kind: "expired", claims });
});

Deno.test("verify() does not call a forged token expired", async () => {
  const token = signed({ alg: "HS256" }, payload, otherSecret);
  assert.deepEqual(await sessionJwt.verify(token, expiresAtS * 1000), {
    kind: "invalid",
    reason: "signature",
  });
});

Deno.test("verify() accepts a token of AuthAI: version 1, no provider, no kid, a UUID as record id", async () => {
  const rid = "3f0c1a52-7b1e-4c8a-9d3e-2a5b6c7d8e9f";
  const { prov: _, ...withoutProvider } = payload;
  const token = signed({ alg: "HS256" }, { ...withoutProvider, v: 1, rid }, secret);
  assert.deepEqual(await sessionJwt.verify(token, nowMs), {
    kind: "valid",
    claims: { ...claims, recordId: rid, provider: "openai" },
  });
});

Deno.test("verify() finds the signature of RFC 7515 A.1 genuine under its key and forged under another", async () => {
  const theirs = createSessionJwt(createJwtKeyRing({ current: Uint8Array.fromHex(jws.key), previous: [] }));
  assert.deepEqual(await theirs.verify(jws.token, nowMs), { kind: "invalid", reason: "claims" });
  assert.deepEqual(await sessionJwt.verify(jws.token, nowMs), { kind: "invalid", reason: "signature" });
});

Deno.test("verify() refuses a token with any single character changed", async () => {
  const token = await sessionJwt.sign(claims);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const [index, character] of [...token].entries()) {
    if (character === ".") continue;
    // Neighbours in the alphabet: what differs in the lowest bits only, so also in bits that decoders drop.
    const place = alphabet.indexOf(character);
    for (
      const other of [alphabet[place ^ 1], alphabet[place ^ 2], alphabet[place ^ 3], alphabet[place ^ 32]]
    ) {
      const changed = token.slice(0, index) + other + token.slice(index + 1);
      assert.equal((await sessionJwt.verify(changed, nowMs)).kind, "invalid", `character ${index}`);
    }
  }
});

Deno.test("verify() refuses a token with a character removed, doubled or put in anywhere", async () => {
  const token = await sessionJwt.sign(claims);
  for (let index = 0; index <= token.length; index++) {
    const [head, tail] = [token.slice(0, index), token.slice(index)];
    const variants = [head + "=" + tail, head + " " + tail, head + "." + tail, head + "A" + tail];
    if (tail !== "") variants.push(head + tail.slice(1));
    for (const variant of variants) {
      assert.equal((await sessionJwt.verify(variant, nowMs)).kind, "invalid", `position ${index}`);
    }
  }
});

Deno.test("verify() finds text that is no token malformed", async () => {
  const token = await sessionJwt.sign(claims);
  const [header = "", body = "", signature = ""] = token.split(".");
  for (
    const wrong of [
      "",
      ".",
      "..",
      "...",
      "Bearer " + token,
      token + "\n",
      token + ".",
      `${token}.${signature}`,
      `${header}.${body}`,
      `${header}.${body}.`,
      `.${body}.${signature}`,
      `${header}..${signature}`,
      `${header}.${body}.${signature}=`,
      `${text("not json")}.${body}.${signature}`,
      `${text("null")}.${body}.${signature}`,
      `${text('{"alg":"HS256","kid":1}')}.${body}.${signature}`,
      "\u{1F511}".repeat(20),
    ]
  ) assert.deepEqual(await sessionJwt.verify(wrong, nowMs), { kind: "invalid", reason: "malformed" }, wrong);
});

Deno.test("verify() finds a token over 4096 characters malformed, though genuine", async () => {
  const padding = "x".repeat(4096);
  const long = signed({ alg: "HS256", padding }, payload, secret);
  assert.deepEqual(await sessionJwt.verify(long, nowMs), { kind: "invalid", reason: "malformed" });
  const short = signed({ alg: "HS256", padding: padding.slice(0, 2000) }, payload, secret);
  assert.ok(short.length <= 4096);
  assert.equal((await sessionJwt.verify(short, nowMs)).kind, "valid");
});

Deno.test("verify() refuses every algorithm but HS256, whatever the signature", async () => {
  const body = text(JSON.stringify(payload));
  for (const alg of ["none", "None", "NONE", "hs256", "HS384", "HS512", "RS256", "ES256", "EdDSA", ""]) {
    const header = text(JSON.stringify({ alg, typ: "JWT", kid }));
    const mac = createHmac("sha256", secret).update(`${header}.${body}`).digest("base64url");
    assert.equal((await sessionJwt.verify(`${header}.${body}.${mac}`, nowMs)).kind, "invalid", alg);
    assert.equal((await sessionJwt.verify(`${header}.${body}.`, nowMs)).kind, "invalid", alg);
  }
  const header = text(JSON.stringify({ typ: "JWT", kid }));
  const mac = createHmac("sha256", secret).update(`${header}.${body}`).digest("base64url");
  assert.equal((await sessionJwt.verify(`${header}.${body}.${mac}`, nowMs)).kind, "invalid", "no algorithm");
});

Deno.test("verify() refuses RS256, and HS256 keyed with a public key that travels in the header", async () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const body = text(JSON.stringify(payload));
  const rs256 = text(JSON.stringify({ alg: "RS256", jwk: publicKey.export({ format: "jwk" }) }));
  const signature = sign("sha256", new TextEncoder().encode(`${rs256}.${body}`), privateKey);
  assert.equal((await sessionJwt.verify(`${rs256}.${body}.${text(signature)}`, nowMs)).kind, "invalid");
  const pem = new TextEncoder().encode(String(publicKey.export({ format: "pem", type: "spki" })));
  const confused = signed({ alg: "HS256", jwk: publicKey.export({ format: "jwk" }) }, payload, pem);
  assert.deepEqual(await sessionJwt.verify(confused, nowMs), { kind: "invalid", reason: "signature" });
});

for (
  const [what, change] of [
    ["version 0", { v: 0 }],
    ["version 3", { v: 3 }],
    ["version as text", { v: "2" }],
    ["no version", { v: undefined }],
    ["no record id", { rid: undefined }],
    ["a record id that is a number", { rid: 1234567890123456 }],
    ["a record id that is short", { rid: "0123456789abcde" }],
    ["a record id that is long", { rid: "0".repeat(65) }],
    ["a record id with a path", { rid: "../../../../etc/passwd" }],
    ["a record id with a line break", { rid: "01ARZ3NDEKTSV4RRFFQ69G5FAV\n" }],
    ["a record id with U+0000", { rid: "01ARZ3NDEKTSV4RR\0FFQ69G5FAV" }],
    ["no key", { k: undefined }],
    ["an empty key", { k: "" }],
    ["a key of 31 bytes", { k: text(new Uint8Array(31)) }],
    ["a key of 33 bytes", { k: text(new Uint8Array(33)) }],
    ["a key with padding", { k: text(recordKey) + "=" }],
    ["a key in ordinary base64", { k: recordKey.toBase64() }],
    ["a key with surplus bits", { k: text(recordKey).slice(0, -1) + "t" }],
    ["a key that is a list", { k: [...recordKey] }],
    ["a provider that nobody knows", { prov: "claude" }],
    ["a provider that is null", { prov: null }],
    ["a provider from the prototype", { prov: "constructor" }],
    ["times as text", { iat: String(issuedAtS), exp: String(expiresAtS) }],
    ["no expiry", { exp: undefined }],
    ["an expiry that is null", { exp: null }],
    ["an expiry that is not whole", { exp: expiresAtS + 0.5 }],
    ["an expiry in milliseconds", { exp: expiresAtS * 1000 }],
    ["an expiry beyond numbers", { exp: "1e999" }],
    ["a negative issue time", { iat: -1 }],
    ["no issue time", { iat: undefined }],
    ["an expiry that is the issue time", { exp: issuedAtS }],
    ["an expiry before the issue time", { exp: issuedAtS - 1 }],
  ] as const
) {
  Deno.test(`verify() refuses a genuine token with ${what}`, async () => {
    const token = signed({ alg: "HS256", kid }, { ...payload, ...change }, secret);
    assert.deepEqual(await sessionJwt.verify(token, nowMs), { kind: "invalid", reason: "claims" });
  });
}

for (const body of ["null", "[]", "1", '"text"', "{", "", '{"v":2,"exp":1e999}']) {
  Deno.test(`verify() refuses a genuine token whose payload is ${JSON.stringify(body)}`, async () => {
    const result = await sessionJwt.verify(signedText({ alg: "HS256" }, body, secret), nowMs);
    assert.equal(result.kind, "invalid");
  });
}

Deno.test("verify() refuses a genuine token whose payload is not UTF-8", async () => {
  const broken = new TextEncoder().encode(JSON.stringify({ ...payload, note: "x" }));
  broken[broken.lastIndexOf("x".charCodeAt(0))] = 0xff;
  const input = `${text('{"alg":"HS256"}')}.${text(broken)}`;
  const token = `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
  assert.deepEqual(await sessionJwt.verify(token, nowMs), { kind: "invalid", reason: "claims" });
});

Deno.test("createJwtKeyRing() accepts tokens of previous secrets, and signs with the current one", async () => {
  const before = createSessionJwt(createJwtKeyRing({ current: otherSecret, previous: [] }));
  const after = createSessionJwt(createJwtKeyRing({ current: secret, previous: [otherSecret] }));
  assert.equal((await after.verify(await before.sign(claims), nowMs)).kind, "valid");
  assert.equal((await after.verify(signed({ alg: "HS256" }, payload, otherSecret), nowMs)).kind, "valid");
  assert.deepEqual(await before.verify(await after.sign(claims), nowMs), {
    kind: "invalid",
    reason: "signature",
  });
});

Deno.test("verify() refuses a token whose kid names another secret than the one that signed it", async () => {
  const ring = createJwtKeyRing({ current: secret, previous: [otherSecret] });
  const token = signed({ alg: "HS256", kid }, payload, otherSecret);
  assert.deepEqual(await createSessionJwt(ring).verify(token, nowMs), {
    kind: "invalid",
    reason: "signature",
  });
});

Deno.test("createJwtKeyRing() derives a kid from each secret and counts a repeated secret once", () => {
  const ring = createJwtKeyRing({ current: secret, previous: [otherSecret, secret, otherSecret] });
  assert.equal(ring.current.kid, kid);
  assert.equal(ring.byKid.size, 2);
  assert.equal(ring.byKid.get(kid), ring.current);
});

Deno.test("createJwtKeyRing() throws TypeError when a secret is shorter than 32 bytes", () => {
  const short = new Uint8Array(31).fill(1);
  assert.throws(() => createJwtKeyRing({ current: short, previous: [] }), TypeError);
  assert.throws(() => createJwtKeyRing({ current: secret, previous: [short] }), TypeError);
});

function signed(header: object, payload: object, secret: Uint8Array): string {
  return signedText(header, JSON.stringify(payload), secret);
}

/** A token made without the code under test. */
function signedText(header: object, payload: string, secret: Uint8Array): string {
  const input = `${text(JSON.stringify(header))}.${text(payload)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

function text(value: string | Uint8Array): string {
  return (typeof value === "string" ? new TextEncoder().encode(value) : value)
    .toBase64({ alphabet: "base64url", omitPadding: true });
}

/** As the browser client reads a payload. */
function readJson(segment: string): unknown {
  return JSON.parse(atob(segment.replaceAll("-", "+").replaceAll("_", "/")));
}
