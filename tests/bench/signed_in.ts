/**
 * A person who has signed in: the record in a relay's database, and the session JWT that opens it.
 *
 * @module
 */
import { ulid } from "ulid";
import { encodeGrant } from "../../src/credential/grant_codec.ts";
import { recordLifeMs, sealGrant } from "../../src/credential/seal_grant.ts";
import { generateKey } from "../../src/crypto/seal.ts";
import { createJwtKeyRing, createSessionJwt, freshClaims } from "../../src/crypto/session_jwt.ts";
import type { ProviderId } from "../../src/provider/provider.ts";
import { openSqliteRecordStore } from "../../src/store/sqlite_record_store.ts";

/** Real access tokens are JWTs of about this many characters, and are sealed and opened as such. */
const accessTokenChars = 2000;

/** Signs somebody in at `provider`; resolves to the session JWT. */
export async function signedIn(
  provider: ProviderId,
  relay: { readonly databasePath: string; readonly jwtSecretHex: string },
): Promise<string> {
  const nowMs = Date.now();
  const recordId = ulid(nowMs);
  const key = generateKey();
  const userId = "bench-user";
  const grant = {
    accessToken: "a".repeat(accessTokenChars),
    accessExpiresAtMs: nowMs + recordLifeMs,
    refreshToken: "r".repeat(90),
    accountId: "bench-account",
    attributes: { workspaceId: "bench-workspace" },
  };
  const sealed = await sealGrant(encodeGrant({ grant, userId }), { recordId, key, providerId: provider });
  const records = await openSqliteRecordStore({ path: relay.databasePath });
  await records.insert({
    id: recordId,
    ...sealed,
    accountIdHash: userId,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    expiresAtMs: nowMs + recordLifeMs,
  });
  await records.close();
  const current = Uint8Array.fromHex(relay.jwtSecretHex);
  return await createSessionJwt(createJwtKeyRing({ current, previous: [] }))
    .sign(freshClaims({ recordId, key, provider }, nowMs));
}
