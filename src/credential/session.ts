/**
 * From a session JWT to an open credential: verify, read the record, open it with the key that only the JWT holds.
 *
 * @module
 */
import { openWithKey, recordAdditionalData } from "../crypto/seal.ts";
import type { SessionJwt, VerifyResult } from "../crypto/session_jwt.ts";
import type { Grant, Provider, ProviderId } from "../provider/provider.ts";
import type { RecordStore, UpdateOutcome } from "../store/record_store.ts";
import { decodeGrant, encodeGrant } from "./grant_codec.ts";
import { recordLifeMs, sealGrant } from "./seal_grant.ts";

/** An open session. Lives as long as its request; nothing of it is kept. */
export interface Session {
  readonly provider: Provider;
  readonly grant: Grant;
  /** The opaque id that apps know the user by. */
  readonly userId: string;
  readonly recordId: string;
  /** The record's key, from the JWT. */
  readonly key: Uint8Array<ArrayBuffer>;
  /** The record's version that `grant` was read from. */
  readonly version: number;
  /** When `grant` was stored, milliseconds since the epoch. */
  readonly storedAtMs: number;
  /** When the JWT ends, unix seconds. */
  readonly expiresAtS: number;
}

/** How opening ended. `reason` is for the log only: callers answer every refusal with the same bytes. */
export type OpenResult =
  | { readonly kind: "open"; readonly session: Session }
  | { readonly kind: "refused"; readonly reason: RefusalReason };

/** Why a session JWT was not accepted. */
export type RefusalReason =
  | "missing"
  | "malformed"
  | "signature"
  | "claims"
  | "expired"
  | "revoked"
  | "wrong_key"
  | "unreadable"
  | "provider_disabled"
  | "grant_ended";

/** What a bearer token is by itself, before any record is read. */
export type TokenVerdict = VerifyResult | { readonly kind: "missing" };

/** Opens, rewrites and deletes the records behind session JWTs. */
export interface Sessions {
  /** Judges a bearer token without reading anything; undefined stands for a request without one. */
  verify(token: string | undefined): Promise<TokenVerdict>;
  /** Opens the session of a token that {@linkcode Sessions.verify} has judged. */
  openVerified(verdict: TokenVerdict): Promise<OpenResult>;
  /** Both in one. */
  open(token: string | undefined): Promise<OpenResult>;
  /** The same session as stored now: another request or process may have written since. */
  reopen(session: Session): Promise<OpenResult>;
  /** Seals `grant` into the record if nobody wrote since `session` was read. Durable when it resolves. */
  replaceGrant(session: Session, grant: Grant): Promise<UpdateOutcome>;
  /** Removes the record: from now on the JWT opens nothing, anywhere. */
  delete(session: Session): Promise<void>;
}

/** What {@linkcode createSessions} works with. */
export interface SessionDependencies {
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly records: RecordStore;
  readonly sessionJwt: SessionJwt;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Builds {@linkcode Sessions} over a store. */
export function createSessions({ providers, records, sessionJwt, now }: SessionDependencies): Sessions {
  type Handle = Pick<Session, "recordId" | "key" | "expiresAtS"> & { readonly providerId: ProviderId };

  async function read({ recordId, key, expiresAtS, providerId }: Handle): Promise<OpenResult> {
    const provider = providers.get(providerId);
    if (provider === undefined) return refused("provider_disabled");
    const record = await records.get(recordId, now());
    if (record === undefined) return refused("revoked");
    const plaintext = await openWithKey(key, record, recordAdditionalData(recordId, providerId));
    if (plaintext === undefined) return refused("wrong_key");
    const opened = decodeGrant(new TextDecoder().decode(plaintext));
    if (opened === undefined) return refused("unreadable");
    return {
      kind: "open",
      session: {
        ...opened,
        provider,
        recordId,
        key,
        version: record.version,
        storedAtMs: record.updatedAtMs,
        expiresAtS,
      },
    };
  }

  async function verify(token: string | undefined): Promise<TokenVerdict> {
    return token === undefined ? { kind: "missing" } : await sessionJwt.verify(token, now());
  }

  async function openVerified(verdict: TokenVerdict): Promise<OpenResult> {
    switch (verdict.kind) {
      case "missing":
      case "expired":
        return refused(verdict.kind);
      case "invalid":
        return refused(verdict.reason);
      case "valid": {
        const { recordId, key, expiresAtS, provider } = verdict.claims;
        return await read({ recordId, key, expiresAtS, providerId: provider });
      }
    }
  }

  return {
    verify,
    openVerified,
    open: async (token) => await openVerified(await verify(token)),

    reopen(session) {
      return read({ ...session, providerId: session.provider.id });
    },

    async replaceGrant(session, grant) {
      const { recordId, key, provider, userId } = session;
      const { iv, blob } = await sealGrant(encodeGrant({ grant, userId }), {
        recordId,
        key,
        providerId: provider.id,
      });
      const nowMs = now();
      return await records.update(recordId, session.version, {
        iv,
        blob,
        updatedAtMs: nowMs,
        expiresAtMs: nowMs + recordLifeMs,
      });
    },

    async delete(session) {
      await records.delete(session.recordId);
    },
  };
}

function refused(reason: RefusalReason): OpenResult {
  return { kind: "refused", reason };
}
