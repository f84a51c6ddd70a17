/**
 * Signing out.
 *
 * @module
 */
import type { Session, Sessions } from "./session.ts";

/**
 * Ends a session: first here, where it counts at once, then at the provider as far as that has an endpoint. Resolves
 * when the record is gone and the provider has answered or had its time.
 */
export async function revoke(session: Session, sessions: Sessions): Promise<void> {
  await sessions.delete(session);
  // The provider's part is best effort: our answer does not depend on it, and it must not hang the caller.
  await session.provider.revoke(session.grant, AbortSignal.timeout(revokeTimeoutMs)).catch(() => undefined);
}

/** A person who signs out waits for this at most. */
const revokeTimeoutMs = 5_000;
