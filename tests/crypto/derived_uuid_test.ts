import assert from "node:assert/strict";
import { derivedUuid } from "../../src/crypto/derived_uuid.ts";

Deno.test("derivedUuid() is HMAC-SHA256 with the bits of a UUID of version 8", async () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  for (let index = 0; index < 16; index++) {
    const [secret, message] = [`key ${index}`, `message ${index}`];
    const key = await crypto.subtle.importKey("raw", encode(secret), algorithm, false, ["sign"]);
    const bytes = new Uint8Array(await crypto.subtle.sign("HMAC", key, encode(message))).slice(0, 16);
    bytes[6] = 0x80 | (bytes[6] ?? 0) & 0x0f;
    bytes[8] = 0x80 | (bytes[8] ?? 0) & 0x3f;
    const uuid = derivedUuid(secret, message);
    assert.equal(uuid.replaceAll("-", ""), bytes.toHex());
    assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
});
