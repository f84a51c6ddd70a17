/**
 * What the relay answers to the browser, as types and as readers that accept nothing else. A reader returns undefined
 * for a body that breaks the contract; none of them throws.
 *
 * @module
 */
import { finiteNumber, isObject, nonEmptyString, objectOrEmpty, parseObject } from "../../wire/json.ts";
import { sentenceOf } from "./relay_error.ts";

/** A provider that the relay offers. */
export interface OfferedProvider {
  readonly id: string;
  readonly displayName: string;
}

/** A device sign-in (RFC 8628) that waits for the person. */
export interface StartedSignIn {
  /** What to poll for. It stands for the finished session, so it is a secret of this browser. */
  readonly sessionId: string;
  readonly userCode: string;
  /** An `http:` or `https:` address: never a script. */
  readonly verificationUrl: string;
  readonly expiresInMs: number;
  readonly pollIntervalMs: number;
}

/** One answer to a poll. */
export type PollAnswer =
  | { readonly kind: "pending" }
  | { readonly kind: "complete"; readonly jwt: string }
  | { readonly kind: "expired" }
  | { readonly kind: "failed"; readonly message: string };

/** Who the session JWT belongs to. */
export interface SessionOwner {
  /** Opaque and stable: the same person at the same provider has the same one. */
  readonly userId: string;
  readonly provider: string;
  /** When the session ends, unix seconds; undefined when the relay does not tell. */
  readonly expiresAt: number | undefined;
}

/** Reads `GET auth/providers`. Entries that cannot be read are left out. */
export function readProviders(body: string): readonly OfferedProvider[] | undefined {
  const listed = parseObject(body)?.["providers"];
  if (!Array.isArray(listed)) return undefined;
  return listed.flatMap((entry: unknown) => {
    const { id, displayName } = objectOrEmpty(entry);
    const name = nonEmptyString(id);
    return name === undefined ? [] : [{ id: name, displayName: nonEmptyString(displayName) ?? name }];
  });
}

/** Reads the answer of `POST auth/start`. */
export function readStartedSignIn(body: string): StartedSignIn | undefined {
  const answer = parseObject(body) ?? {};
  const sessionId = nonEmptyString(answer["sessionId"]);
  const userCode = nonEmptyString(answer["userCode"]);
  const verificationUrl = webAddress(answer["verificationUrl"]);
  const expiresInMs = finiteNumber(answer["expiresInMs"]);
  const pollIntervalMs = finiteNumber(answer["pollIntervalMs"]);
  if (sessionId === undefined || userCode === undefined || verificationUrl === undefined) return undefined;
  if (expiresInMs === undefined || pollIntervalMs === undefined) return undefined;
  return { sessionId, userCode, verificationUrl, expiresInMs, pollIntervalMs };
}

/**
 * Reads a 2xx answer of `GET auth/poll/:sessionId`. An unknown status, or a body that is no JSON, is pending: a later
 * relay may know more states, and a sign-in that the person is in the middle of must not end for it.
 */
export function readPollAnswer(body: string): PollAnswer {
  const answer = parseObject(body) ?? {};
  const jwt = nonEmptyString(answer["jwt"]);
  switch (answer["status"]) {
    case "complete":
      return jwt === undefined ? { kind: "pending" } : { kind: "complete", jwt };
    case "expired":
      return { kind: "expired" };
    case "error":
      return {
        kind: "failed",
        message: sentenceOf(answer["error"]) ?? "The provider did not complete the sign-in.",
      };
    default:
      return { kind: "pending" };
  }
}

/** Reads `GET auth/whoami`. */
export function readSessionOwner(body: string): SessionOwner | undefined {
  const answer = parseObject(body) ?? {};
  const user = objectOrEmpty(answer["user"]);
  const userId = nonEmptyString(user["id"]);
  const provider = nonEmptyString(user["provider"]);
  if (userId === undefined || provider === undefined) return undefined;
  return { userId, provider, expiresAt: finiteNumber(objectOrEmpty(answer["session"])["expires"]) };
}

/** Reads the ids of `GET v1/models`, in the relay's order. */
export function readModelIds(body: string): readonly string[] | undefined {
  const listed = parseObject(body)?.["data"];
  if (!Array.isArray(listed)) return undefined;
  return listed.flatMap((entry: unknown) =>
    (isObject(entry) ? nonEmptyString(entry["id"]) : undefined) ?? []
  );
}

/** The value when it is an address that a browser opens as a page; `javascript:` and `data:` would run as one. */
function webAddress(value: unknown): string | undefined {
  const url = URL.parse(nonEmptyString(value) ?? "");
  return url?.protocol === "https:" || url?.protocol === "http:" ? url.href : undefined;
}
