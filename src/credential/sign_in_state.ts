/**
 * What the relay remembers of a sign-in between two polls, and how it is written down: sealed under a key that is
 * derived from the session id, which only the polling client knows.
 *
 * @module
 */
import { decodeBase64Url, encodeBase64Url } from "../crypto/base64url.ts";
import { openBuffer, sealBuffer } from "../crypto/seal.ts";
import type { ProviderId } from "../provider/provider.ts";
import { finiteNumber, isObject, type JsonObject, nonEmptyString, parseObject } from "../wire/json.ts";

/** A sign-in that the person has not finished. */
export interface PendingSignIn {
  readonly status: "pending";
  readonly provider: ProviderId;
  /** The provider's own step state (`DeviceSignIn.flow`). */
  readonly flow: JsonObject;
  /** When the user code ends, milliseconds since the epoch. */
  readonly codeExpiresAtMs: number;
  /** The least time between two polls towards the provider, milliseconds; grows with `slow_down`. */
  readonly intervalMs: number;
  /** Before this moment the provider is not asked again. */
  readonly nextPollAtMs: number;
  /**
   * Until this moment one poll owns the sign-in and all others answer `pending`. 0 when nobody does. An owner that
   * died is known by a moment that has passed.
   */
  readonly ownedUntilMs: number;
  /**
   * The id and key that the record will get. Chosen at the start, so that a relay that dies between storing the record
   * and answering finds the record again instead of losing the grant.
   */
  readonly recordId: string;
  readonly recordKey: Uint8Array<ArrayBuffer>;
  /** The encoded grant once the provider has given it, until the record is stored. */
  readonly grant?: string;
}

/** A finished sign-in, readable until the session expires: the client may lose the first answer. */
export interface CompleteSignIn {
  readonly status: "complete";
  readonly jwt: string;
  readonly recordId: string;
}

/** A sign-in that ended without a session. */
export interface EndedSignIn {
  readonly status: "expired" | "error";
  /** A sentence for the person; empty when `status` says it all. */
  readonly message: string;
}

/** Any state of a sign-in. */
export type SignInState = PendingSignIn | CompleteSignIn | EndedSignIn;

/** Seals a state under the session's key. */
export function sealState(
  state: SignInState,
  key: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const fields = state.status === "pending"
    ? { ...state, recordKey: encodeBase64Url(state.recordKey) }
    : state;
  return sealBuffer(key, new TextEncoder().encode(JSON.stringify({ v: 1, ...fields })), additionalData);
}

/** Opens a sealed state; undefined when the key or the format does not fit. */
export async function openState(
  sealed: Uint8Array,
  key: Uint8Array<ArrayBuffer>,
): Promise<SignInState | undefined> {
  const plaintext = await openBuffer(key, sealed, additionalData);
  const value = plaintext === undefined ? undefined : parseObject(new TextDecoder().decode(plaintext));
  if (value === undefined || value["v"] !== 1) return undefined;
  switch (value["status"]) {
    case "pending":
      return readPending(value);
    case "complete": {
      const jwt = nonEmptyString(value["jwt"]);
      const recordId = nonEmptyString(value["recordId"]);
      return jwt === undefined || recordId === undefined ? undefined : { status: "complete", jwt, recordId };
    }
    case "expired":
    case "error":
      return { status: value["status"], message: nonEmptyString(value["message"]) ?? "" };
    default:
      return undefined;
  }
}

const additionalData = new TextEncoder().encode("authai-relay sign-in v1");

function readPending(value: JsonObject): PendingSignIn | undefined {
  const { provider, flow } = value;
  const codeExpiresAtMs = finiteNumber(value["codeExpiresAtMs"]);
  const intervalMs = finiteNumber(value["intervalMs"]);
  const nextPollAtMs = finiteNumber(value["nextPollAtMs"]);
  const ownedUntilMs = finiteNumber(value["ownedUntilMs"]);
  const recordId = nonEmptyString(value["recordId"]);
  const recordKey = decodeBase64Url(nonEmptyString(value["recordKey"]) ?? "");
  const grant = nonEmptyString(value["grant"]);
  if (
    (provider !== "openai" && provider !== "xai" && provider !== "github") || !isObject(flow) ||
    codeExpiresAtMs === undefined || intervalMs === undefined || nextPollAtMs === undefined ||
    ownedUntilMs === undefined || recordId === undefined || recordKey === undefined
  ) return undefined;
  return {
    status: "pending",
    provider,
    flow,
    codeExpiresAtMs,
    intervalMs,
    nextPollAtMs,
    ownedUntilMs,
    recordId,
    recordKey,
    ...(grant === undefined ? {} : { grant }),
  };
}
