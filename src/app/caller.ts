/**
 * Whoever calls a route below `/v1`: an app's user with a session JWT, or the relay's owner. The routes ask a caller for
 * what they need and do not care which of both it is.
 *
 * @module
 */
import type { Session } from "../credential/session.ts";
import type { FileOwner } from "../files/file_owner.ts";
import type { Provider } from "../provider/provider.ts";

/** An authenticated caller. Lives as long as its request. */
export interface Caller {
  /** `session`: a user of an app, signed in at one provider. `owner`: the person who runs the relay. */
  readonly kind: "session" | "owner";
  /** Whose files the caller sees. */
  readonly files: FileOwner;
  /** The sign-ins that the caller may use, in the order in which providers are offered. An owner may have none. */
  sessions(): Promise<readonly Session[]>;
  /** The sign-in that answers for a model. */
  sessionFor(model: string): Promise<ModelSession | NoLogin | NotOffered>;
}

/** Which sign-in answers for a model. */
export interface ModelSession {
  readonly kind: "session";
  readonly session: Session;
  /** The model's id as its provider knows it. */
  readonly model: string;
}

/** The owner is not signed in at the provider that the model belongs to. */
export interface NoLogin {
  readonly kind: "no_login";
  readonly provider: Provider;
}

/** The model belongs to a provider that this relay does not offer. */
export interface NotOffered {
  readonly kind: "not_offered";
}

/** A user of an app: every model is asked at the one provider, under the name that the user gave. */
export function sessionCaller(session: Session): Caller {
  return {
    kind: "session",
    files: { ownerId: session.recordId, quotaId: session.userId, key: session.key },
    sessions: () => Promise.resolve([session]),
    sessionFor: (model) => Promise.resolve({ kind: "session", session, model }),
  };
}
