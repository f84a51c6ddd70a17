/**
 * Whose files a request may see.
 *
 * @module
 */

/** What a caller's credential says about the caller's files. */
export interface FileOwner {
  /** Whose list: the record id of a session, with which its files go, or the store's `relayOwnerId`. */
  readonly ownerId: string;
  /** Who shares one allowance of stored bytes: the opaque user id of a session's account, or `relayOwnerId`. */
  readonly quotaId: string;
  /** 32 bytes that only the credential's holder has: the session's key, or the key in `owner.json`. */
  readonly key: Uint8Array<ArrayBuffer>;
}
