/**
 * Reading what a token endpoint says: tokens (RFC 6749 section 5.1) and errors (section 5.2), in all the shapes in
 * which the three upstreams write them.
 *
 * @module
 */
import { finiteNumber, isObject, type JsonObject, nonEmptyString } from "../wire/json.ts";
import { oauthCode } from "../wire/safe_text.ts";

/** The tokens of an answer. A member is absent when the answer left it out or empty. */
export interface TokenSet {
  /** `access_token`. */
  readonly accessToken?: string;
  /** `refresh_token`. */
  readonly refreshToken?: string;
  /** `id_token` (OpenID Connect Core section 3.1.3.3). */
  readonly idToken?: string;
  /** `expires_in`, seconds; only when positive. */
  readonly expiresInSeconds?: number;
}

/** The tokens in an answer's body. */
export function readTokenSet(body: JsonObject): TokenSet {
  const accessToken = nonEmptyString(body["access_token"]);
  const refreshToken = nonEmptyString(body["refresh_token"]);
  const idToken = nonEmptyString(body["id_token"]);
  const expiresIn = finiteNumber(body["expires_in"]);
  return {
    ...(accessToken === undefined ? {} : { accessToken }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(idToken === undefined ? {} : { idToken }),
    ...(expiresIn === undefined || expiresIn <= 0 ? {} : { expiresInSeconds: expiresIn }),
  };
}

/**
 * The error code of an answer's body: `error.code`, else `error` when it is a string, else `code`. Also `error.type`
 * and `detail.code`, which the ChatGPT backend uses. Undefined when there is none of the shape of an OAuth code.
 */
export function readErrorCode(body: JsonObject): string | undefined {
  const error = body["error"];
  if (isObject(error)) return oauthCode(error["code"]) ?? oauthCode(error["type"]);
  const detail = body["detail"];
  return oauthCode(error) ?? oauthCode(body["code"]) ??
    (isObject(detail) ? oauthCode(detail["code"]) : undefined);
}
