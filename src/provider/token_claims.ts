/**
 * Reading the claims of a token that was issued to somebody else. The upstreams' tokens are meant for the upstreams:
 * we hold no key to verify them with and take nothing from them but hints (who, until when), received over TLS from the
 * issuer itself. A token that a client hands us is never read here.
 *
 * @module
 */
import { decodeJwt } from "jose";
import { finiteNumber, type JsonObject } from "../wire/json.ts";

/** The payload of a JWT (RFC 7519), its signature unchecked; an empty object for anything else, e.g. an opaque token. */
export function unverifiedClaims(token: string | undefined): JsonObject {
  if (token === undefined) return {};
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}

/** Used when neither the token nor the answer around it says how long it lives. */
const defaultLifeSeconds = 3600;

/**
 * When an access token ends, milliseconds since the epoch: its own `exp` claim (RFC 7519 section 4.1.4), else
 * `expires_in` of the answer (RFC 6749 section 5.1), else one hour from now.
 */
export function accessTokenEndMs(
  accessToken: string,
  expiresInSeconds: number | undefined,
  nowMs: number,
): number {
  const exp = finiteNumber(unverifiedClaims(accessToken)["exp"]);
  if (exp !== undefined && exp > 0) return exp * 1000;
  return nowMs + (expiresInSeconds ?? defaultLifeSeconds) * 1000;
}
