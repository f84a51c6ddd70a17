/**
 * Doing something at an upstream with an access token that lives.
 *
 * @module
 */
import type { Refresher } from "../credential/refresh.ts";
import type { Session } from "../credential/session.ts";
import type { UpstreamError } from "../provider/provider.ts";
import { errorResponse, unauthorizedResponse } from "./errors.ts";

/** An outcome that may say that the upstream refused. */
type Outcome = { readonly kind: string; readonly error?: UpstreamError };

/**
 * Runs `use` with a session whose access token lives. When the upstream refuses the token all the same, it is renewed and
 * `use` runs once more; nothing has been answered at that point, so the repetition is safe.
 *
 * Resolves to the outcome of `use`, or to the response that ends the request: 401 when the grant is gone, 503 when it
 * cannot be renewed at this moment (which must not look like a sign-out).
 */
export async function withFreshGrant<T extends Outcome>(
  session: Session,
  refresher: Refresher,
  use: (session: Session) => Promise<T>,
): Promise<T | Response> {
  const fresh = await refresher.ensureFresh(session);
  if (fresh.kind !== "fresh") return notFresh(fresh.kind, session);
  const outcome = await use(fresh.session);
  if (outcome.error?.accessRejected !== true) return outcome;
  const renewed = await refresher.renewRejected(fresh.session);
  if (renewed.kind !== "fresh") return notFresh(renewed.kind, session);
  return await use(renewed.session);
}

function notFresh(kind: "ended" | "unavailable", { provider }: Session): Response {
  if (kind === "ended") return unauthorizedResponse();
  return errorResponse(
    "provider_unavailable",
    `${provider.displayName} did not renew this session's access. Try again in a moment; nobody was signed out.`,
  );
}
