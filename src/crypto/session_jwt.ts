/**
 * The session JWT (RFC 7519): the credential that a signed-in client holds. It names a record and carries the only
 * copy of the record's key. `jose` writes tokens and reads their headers; a signature is checked with `node:crypto`, because
 * Web Crypto, which `jose` uses, hops to another thread for it, and this happens with every request.
 *
 * On the wire: header `{"alg":"HS256","typ":"JWT","kid"}`, payload `{"v":2,"rid","k","prov","iat","exp"}` with `k` in
 * base64url. Tokens of AuthAI are accepted too: `v` may be 1, `prov` may be missing (then it is `openai`), and there
 * is no `kid` (facts page seed-authai, security properties).
 *
 * The secrets form a ring: one signs, older ones still verify, and the `kid` header says which.
 *
 * @module
 */
import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";
import { CompactSign, decodeProtectedHeader } from "jose";
import { decodeBase64Url, encodeBase64Url } from "./base64url.ts";
import { constantTimeEqual } from "./secret.ts";

/** A secret of the ring, ready for use. */
export interface JwtKey {
  /** The `kid` header of the tokens that it signs (RFC 7515 section 4.1.4). */
  readonly kid: string;
  /** The HMAC-SHA256 key. */
  readonly key: KeyObject;
}

/** The secrets of a relay by their `kid`. */
export interface JwtKeyRing {
  /** The one that signs. */
  readonly current: JwtKey;
  /** Every one that verifies, the current one first, by `kid`. */
  readonly byKid: ReadonlyMap<string, JwtKey>;
}

/**
 * Builds a {@linkcode JwtKeyRing}. A secret that turns up twice counts once.
 *
 * A `kid` is derived from its secret (the first 12 characters of base64url(SHA-256("authai-relay kid" || secret))),
 * so that all instances agree on it without a setting. It says nothing about a random secret.
 *
 * @throws {TypeError} If a secret is shorter than 32 bytes (RFC 7518 section 3.2).
 */
export function createJwtKeyRing(
  secrets: {
    readonly current: Uint8Array<ArrayBuffer>;
    readonly previous: readonly Uint8Array<ArrayBuffer>[];
  },
): JwtKeyRing {
  const current = importSecret(secrets.current);
  const byKid = new Map([[current.kid, current]]);
  for (const secret of secrets.previous) {
    const previous = importSecret(secret);
    if (!byKid.has(previous.kid)) byKid.set(previous.kid, previous);
  }
  return { current, byKid };
}

/** What a session JWT says. */
export interface SessionClaims {
  /** The record's id: a ULID, or the UUID that AuthAI used. */
  readonly recordId: string;
  /** The record's key, 32 bytes. */
  readonly key: Uint8Array<ArrayBuffer>;
  /** The provider that the user signed in with. */
  readonly provider: "openai" | "xai" | "github";
  /** When the token was made, whole unix seconds. */
  readonly issuedAtS: number;
  /** When the token ends, whole unix seconds. */
  readonly expiresAtS: number;
}

/**
 * What verifying found. `expired` means genuine in every respect but time. Of an invalid token `reason` says, for the
 * log only, whether it could not be read, was not signed by us, or says what we never say.
 */
export type VerifyResult =
  | { readonly kind: "valid"; readonly claims: SessionClaims }
  | { readonly kind: "expired"; readonly claims: SessionClaims }
  | { readonly kind: "invalid"; readonly reason: "malformed" | "signature" | "claims" };

/** Signs and verifies session JWTs. */
export interface SessionJwt {
  /** A token for `claims` under the current secret. Rejects with a `TypeError` if `claims` would not verify. */
  sign(claims: SessionClaims): Promise<string>;
  /**
   * Judges an untrusted token at `nowMs` (milliseconds since the epoch). Never throws because of what the token is.
   * A genuine token has exactly one accepted spelling: no byte of it can be changed.
   */
  verify(token: string, nowMs: number): VerifyResult;
}

/** How long a session JWT lives, seconds: 14 days. */
export const SESSION_LIFETIME_S: number = 14 * 24 * 60 * 60;

/** The claims of a token that is made at `nowMs` (milliseconds since the epoch) and lives its full time. */
export function freshClaims(
  about: Pick<SessionClaims, "recordId" | "key" | "provider">,
  nowMs: number,
): SessionClaims {
  const issuedAtS = Math.floor(nowMs / 1000);
  return { ...about, issuedAtS, expiresAtS: issuedAtS + SESSION_LIFETIME_S };
}

/** Longer tokens are not looked at. Ours have about 300 characters; 4096 is what one cookie holds. */
const maxTokenLength = 4096;

/**
 * Three segments, the last one 32 bytes in their one spelling. `jose` ignores the two surplus bits of the last
 * character, so that each token would have three more working spellings, which any list of tokens would take for
 * other tokens.
 */
const compactHs256 = /^[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]{42}[AEIMQUYcgkosw048]$/;

/** Builds a {@linkcode SessionJwt} over the relay's secrets. */
export function createSessionJwt(keyRing: JwtKeyRing): SessionJwt {
  /** The secrets that may have signed a token with this header; undefined if the header cannot be read. */
  function candidates(token: string): readonly JwtKey[] | undefined {
    const header = readHeader(token);
    // The algorithm is ours, never the token's: neither `none` nor an asymmetric one reaches the key (RFC 8725, 3.1). An
    // extension that has to be understood is not (RFC 7515 section 4.1.11).
    if (header === undefined || header["alg"] !== "HS256" || "crit" in header) return undefined;
    const { kid } = header;
    if (kid === undefined) return [...keyRing.byKid.values()];
    if (typeof kid !== "string") return undefined;
    const named = keyRing.byKid.get(kid);
    return named === undefined ? [] : [named];
  }

  return {
    async sign(claims) {
      const payload = encodeClaims(claims);
      if (readClaims(payload) === undefined) {
        throw new TypeError(
          "A session JWT needs a record id, a 32-byte key, a provider and two times in order.",
        );
      }
      const { kid, key } = keyRing.current;
      return await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
        .setProtectedHeader({ alg: "HS256", typ: "JWT", kid })
        .sign(key);
    },

    verify(token, nowMs) {
      if (token.length > maxTokenLength || !compactHs256.test(token)) return invalid("malformed");
      const keys = candidates(token);
      if (keys === undefined) return invalid("malformed");
      if (!keys.some(({ key }) => isSignedWith(key, token))) return invalid("signature");
      const claims = readClaims(readPayload(token));
      if (claims === undefined) return invalid("claims");
      // RFC 7519 section 4.1.4: not to be accepted on or after the expiration time.
      return { kind: nowMs < claims.expiresAtS * 1000 ? "valid" : "expired", claims };
    },
  };
}

function importSecret(secret: Uint8Array<ArrayBuffer>): JwtKey {
  if (secret.length < 32) throw new TypeError("A JWT secret must be at least 32 bytes.");
  return {
    kid: keyId(secret),
    key: createSecretKey(secret),
  };
}

function keyId(secret: Uint8Array): string {
  const label = new TextEncoder().encode("authai-relay kid");
  const labelled = new Uint8Array(label.length + secret.length);
  labelled.set(label);
  labelled.set(secret, label.length);
  return encodeBase64Url(hash("sha256", labelled, "buffer")).slice(0, 12);
}

function readHeader(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
}

/** Whether the last segment is the HMAC of what stands before it (RFC 7515 section 5.2); takes the same time for every other. */
function isSignedWith(key: KeyObject, token: string): boolean {
  const dot = token.lastIndexOf(".");
  const expected = createHmac("sha256", key).update(token.slice(0, dot)).digest();
  const given = decodeBase64Url(token.slice(dot + 1));
  return given !== undefined && constantTimeEqual(given, expected);
}

function readPayload(token: string): unknown {
  const bytes = decodeBase64Url(token.slice(token.indexOf(".") + 1, token.lastIndexOf(".")));
  return bytes === undefined ? undefined : parseJson(bytes);
}

function encodeClaims(claims: SessionClaims): { readonly [name: string]: unknown } {
  return {
    v: 2,
    rid: claims.recordId,
    k: encodeBase64Url(claims.key),
    prov: claims.provider,
    iat: claims.issuedAtS,
    exp: claims.expiresAtS,
  };
}

function readClaims(payload: unknown): SessionClaims | undefined {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) return undefined;
  const { v, rid, k, prov, iat, exp }: { readonly [name: string]: unknown } = { ...payload };
  if (v !== 1 && v !== 2) return undefined;
  if (typeof rid !== "string" || !/^[0-9A-Za-z-]{16,64}$/.test(rid)) return undefined;
  const key = typeof k === "string" ? decodeBase64Url(k) : undefined;
  if (key?.length !== 32) return undefined;
  const provider = prov === undefined ? "openai" : prov;
  if (provider !== "openai" && provider !== "xai" && provider !== "github") return undefined;
  if (!isUnixSeconds(iat) || !isUnixSeconds(exp) || exp <= iat) return undefined;
  return { recordId: rid, key, provider, issuedAtS: iat, expiresAtS: exp };
}

/** Whole seconds before the year 10000, so that every sum in milliseconds stays exact. */
function isUnixSeconds(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 253_402_300_800;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function invalid(reason: "malformed" | "signature" | "claims"): VerifyResult {
  return { kind: "invalid", reason };
}
