/**
 * The opaque `user.id` by which apps know a person.
 *
 * @module
 */
import { encodeBase64Url } from "./base64url.ts";

/** Derives user ids under one identity secret. */
export interface Identity {
  /**
   * base64url(HMAC-SHA256(secret, provider || 0x00 || account id)), 43 characters: the same for the same account as
   * long as the secret stays, and without the secret neither reversible nor linkable to another relay's ids.
   *
   * Rejects with a `TypeError` if `accountId` is empty, because all people without an id would become one user; and
   * if a part contains U+0000, because two accounts could then have one encoding.
   */
  userId(provider: string, accountId: string): Promise<string>;
}

/**
 * Builds an {@linkcode Identity}.
 *
 * @param secret The identity secret, at least 32 bytes.
 * @throws {TypeError} If `secret` is shorter.
 */
export function createIdentity(secret: Uint8Array<ArrayBuffer>): Identity {
  if (secret.length < 32) throw new TypeError("An identity secret must be at least 32 bytes.");
  const key = crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return {
    async userId(provider, accountId) {
      if (accountId === "") throw new TypeError("The account id must not be empty.");
      if (provider.includes("\0") || accountId.includes("\0")) {
        throw new TypeError("Provider and account id must not contain U+0000.");
      }
      const message = new TextEncoder().encode(`${provider}\0${accountId}`);
      return encodeBase64Url(new Uint8Array(await crypto.subtle.sign("HMAC", await key, message)));
    },
  };
}
