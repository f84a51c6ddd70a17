/**
 * How a grant is written into its record: sealed under the key that only the session JWT holds, for as long as a session may
 * need it.
 *
 * @module
 */
import { recordAdditionalData, type Sealed, sealWithKey } from "../crypto/seal.ts";
import type { ProviderId } from "../provider/provider.ts";

/** A record is kept this long after its last write, milliseconds. Longer than a session, which so never outlives its record. */
export const recordLifeMs: number = 30 * 24 * 60 * 60_000;

/** Seals a grant that `encodeGrant` has written, for the record of this id and provider and for no other. */
export function sealGrant(
  encodedGrant: string,
  record: {
    readonly recordId: string;
    readonly providerId: ProviderId;
    /** 32 bytes. */
    readonly key: Uint8Array<ArrayBuffer>;
  },
): Promise<Sealed> {
  const { recordId, providerId, key } = record;
  return sealWithKey(
    key,
    new TextEncoder().encode(encodedGrant),
    recordAdditionalData(recordId, providerId),
  );
}
