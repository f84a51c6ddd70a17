/**
 * Doing something at an upstream with an access token that lives.
 *
 * @module
 */
import type { Refresher } from "../credential/refresh.ts";
import type { Session } from "../credential/session.ts";
import type { UpstreamError } from "../provider/provider.ts";

/** An outcome that may say that the upstream refused. */
type Outcome = { readonly kind: string; readonly error?: UpstreamError };

/** Why nothing was done. */
export type NotFresh =
  /** The grant is gone: the caller is signed out. */
  | { readonly kind: "signed_out" }
  /** The token could not be renewed at this moment, which must not look like a sign-out. */
  | { readonly kind: "not_renewed" };

/**
 * Runs `use` with a session whose access token lives. When the upstream refuses the token all the same, it is renewed and
 * `use` runs once more; nothing has been answered at that point, so the repetition is safe.
 */
export async function withFreshGrant<T extends Outcome>(
  session: Session,
  refresher: Refresher,
  use: (session: Session) => Promise<T>,
): Promise<T | NotFresh> {
  const fresh = await refresher.ensureFresh(session);
  if (fresh.kind !== "fresh") return notFresh(fresh.kind);
  const outcome = await use(fresh.session);
  if (outcome.error?.accessRejected !== true) return outcome;
  const renewed = await refresher.renewRejected(fresh.session);
  return renewed.kind === "fresh" ? await use(renewed.session) : notFresh(renewed.kind);
}

function notFresh(kind: "ended" | "unavailable"): NotFresh {
  return { kind: kind === "ended" ? "signed_out" : "not_renewed" };
}
