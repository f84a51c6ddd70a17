/**
 * The plaintext of a sealed record: a grant, and the user id that was given out for it.
 *
 * @module
 */
import type { Grant } from "../provider/provider.ts";
import { finiteNumber, isObject, nonEmptyString, parseObject } from "../wire/json.ts";

/** What a sealed record says once it is open. */
export interface SealedGrant {
  readonly grant: Grant;
  /**
   * The opaque `user.id` (design, section 5). It is sealed, and not read from the record's `accountIdHash` column, so
   * that somebody who can write to the database cannot turn one user into another.
   */
  readonly userId: string;
}

/** The text to seal. */
export function encodeGrant({ grant, userId }: SealedGrant): string {
  return JSON.stringify({
    v: 1,
    access: grant.accessToken,
    expires: grant.accessExpiresAtMs,
    refresh: grant.refreshToken,
    accountId: grant.accountId,
    attributes: grant.attributes,
    userId,
  });
}

/** The opened text, or undefined when it is not of a format that this version writes. */
export function decodeGrant(plaintext: string): SealedGrant | undefined {
  const value = parseObject(plaintext);
  if (value === undefined || value["v"] !== 1) return undefined;
  const accessToken = nonEmptyString(value["access"]);
  const accessExpiresAtMs = finiteNumber(value["expires"]);
  const refreshToken = nonEmptyString(value["refresh"]);
  const accountId = nonEmptyString(value["accountId"]);
  const userId = nonEmptyString(value["userId"]);
  if (
    accessToken === undefined || accessExpiresAtMs === undefined || accountId === undefined ||
    userId === undefined
  ) return undefined;
  return {
    grant: {
      accessToken,
      accessExpiresAtMs,
      ...(refreshToken === undefined ? {} : { refreshToken }),
      accountId,
      attributes: stringMap(value["attributes"]),
    },
    userId,
  };
}

function stringMap(value: unknown): Readonly<Record<string, string>> {
  const map: Record<string, string> = {};
  if (!isObject(value)) return map;
  for (const [name, member] of Object.entries(value)) if (typeof member === "string") map[name] = member;
  return map;
}
