/**
 * The relay's owner as a caller: up to three logins, kept in the data directory, behind one relay credential. Each login is
 * an ordinary sealed record with its session JWT, so that from here on an owner's call is like everybody else's.
 *
 * @module
 */
import type { OwnerSessions, OwnerState } from "../credential/owner_sessions.ts";
import type { Refresher } from "../credential/refresh.ts";
import type { Session, Sessions } from "../credential/session.ts";
import { generateKey } from "../crypto/seal.ts";
import { freshClaims, type SessionJwt } from "../crypto/session_jwt.ts";
import type { Provider, ProviderId } from "../provider/provider.ts";
import { relayOwnerId } from "../store/file_store.ts";
import type { Observe } from "../traffic/observe.ts";
import type { Caller } from "./caller.ts";
import { faultMessage } from "./fault_message.ts";
import { createOwnerModels, type RememberedList } from "./owner_models.ts";
import { namedModel, routeModel } from "./route_model.ts";

/** The owner of a relay. */
export interface Owner {
  /** The owner as the caller of one request, with the logins as they are on disk now. */
  caller(): Promise<Caller>;
  /** Each offered provider and the login there, for the status. Nothing is asked of a provider. */
  logins(): Promise<readonly OwnerLogin[]>;
}

/** The owner's login at a provider. */
export interface OwnerLogin {
  readonly provider: Provider;
  /** `missing`: there is none. `ended`: there is one that opens nothing any more. */
  readonly state: "signed_in" | "missing" | "ended";
  /** When signed in. */
  readonly session?: Session;
  /** The provider's models, if they were read. */
  readonly models?: RememberedList;
}

/** What {@linkcode createOwner} works with. */
export interface OwnerDependencies {
  readonly ownerSessions: OwnerSessions;
  readonly sessions: Sessions;
  /** Those on offer, in their order. */
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly sessionJwt: SessionJwt;
  readonly refresher: Refresher;
  readonly observe: Observe;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** A login in use is prolonged when this much of it is left, seconds: an owner who is there once a week stays signed in. */
const prolongAheadS = 7 * 24 * 60 * 60;

/** Builds an {@linkcode Owner}. */
export function createOwner(dependencies: OwnerDependencies): Owner {
  const { ownerSessions, sessions, providers, now } = dependencies;
  const models = createOwnerModels(dependencies);
  const prolong = createProlonging(dependencies);

  async function open(jwt: string, id: ProviderId): Promise<Session | undefined> {
    const opened = await sessions.open(jwt);
    if (opened.kind === "refused" || opened.session.provider.id !== id) return undefined;
    if (opened.session.expiresAtS - now() / 1000 < prolongAheadS) await prolong(opened.session, jwt);
    return opened.session;
  }

  /** The key is made with the first use and not with the first login: uploads must not depend on which came first. */
  async function withFileKey(state: OwnerState): Promise<Uint8Array<ArrayBuffer>> {
    if (state.fileKey !== undefined) return state.fileKey;
    const fresh = generateKey();
    let key: Uint8Array<ArrayBuffer> = fresh;
    await ownerSessions.change((draft) => {
      key = draft.fileKey ??= fresh;
    });
    return key;
  }

  return {
    async caller() {
      const state = await ownerSessions.read();
      const key = await withFileKey(state);
      const opened = new Map<ProviderId, Promise<Session | undefined>>();

      function login(id: ProviderId): Promise<Session | undefined> {
        const jwt = state.sessions.get(id);
        if (jwt === undefined) return Promise.resolve(undefined);
        const running = opened.get(id) ?? open(jwt, id);
        opened.set(id, running);
        return running;
      }

      const listed = [...providers.keys()].filter((id) => state.sessions.has(id));
      return {
        kind: "owner",
        files: { ownerId: relayOwnerId, quotaId: relayOwnerId, key },
        async sessions() {
          return (await Promise.all(listed.map(login))).filter((session) => session !== undefined);
        },
        async sessionFor(id) {
          const named = namedModel(id);
          const model = named?.model ?? id;
          const chosen = named?.provider ?? await routeModel(
            model,
            listed,
            (other) => models.offers(other, state.sessions.get(other) ?? "", () => login(other), model),
          );
          const provider = providers.get(chosen);
          if (provider === undefined) return { kind: "not_offered" };
          const session = await login(chosen);
          return session === undefined ? { kind: "no_login", provider } : { kind: "session", session, model };
        },
      };
    },

    async logins() {
      const state = await ownerSessions.read();
      return await Promise.all([...providers.values()].map(async (provider): Promise<OwnerLogin> => {
        const jwt = state.sessions.get(provider.id);
        if (jwt === undefined) return { provider, state: "missing" };
        const session = await open(jwt, provider.id);
        if (session === undefined) return { provider, state: "ended" };
        const remembered = models.remembered(provider.id);
        return { provider, state: "signed_in", session, ...(remembered && { models: remembered }) };
      }));
    },
  };
}

/** Signs a login's JWT anew for its full time. One at a time per record; a failure is for the operator and not for the call. */
function createProlonging(
  { ownerSessions, sessionJwt, observe, now }: OwnerDependencies,
): (session: Session, jwt: string) => Promise<void> {
  const running = new Map<string, Promise<void>>();

  async function resign({ recordId, key, provider }: Session, jwt: string): Promise<void> {
    try {
      const fresh = await sessionJwt.sign(freshClaims({ recordId, key, provider: provider.id }, now()));
      await ownerSessions.change((draft) => {
        // A login or logout that came in between is the owner's word.
        if (draft.sessions.get(provider.id) === jwt) draft.sessions.set(provider.id, fresh);
      });
    } catch (error) {
      observe({ kind: "fault", route: "owner_login", message: faultMessage(error) });
    }
  }

  return (session, jwt) => {
    const flight = running.get(session.recordId) ??
      resign(session, jwt).finally(() => running.delete(session.recordId));
    running.set(session.recordId, flight);
    return flight;
  };
}
