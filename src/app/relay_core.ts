/**
 * What a relay works with behind its routes: the providers, the sessions and how they are made, kept and opened. The server's
 * routes and the owner's commands are built on the same.
 *
 * @module
 */
import type { OwnerSessions } from "../credential/owner_sessions.ts";
import { createRefresher, type Refresher } from "../credential/refresh.ts";
import { createSessions, type Sessions } from "../credential/session.ts";
import { createSignIns, type SignIns } from "../credential/sign_in.ts";
import { createIdentity } from "../crypto/identity.ts";
import { createJwtKeyRing, createSessionJwt } from "../crypto/session_jwt.ts";
import type { Provider, ProviderId } from "../provider/provider.ts";
import { createProviders, type ProviderSettings } from "../provider/registry.ts";
import type { ProviderRuntime } from "../provider/runtime.ts";
import type { Store } from "../store/store.ts";
import type { Observe } from "../traffic/observe.ts";
import type { RelaySecrets } from "./options.ts";
import { createOwner, type Owner } from "./owner.ts";
import { createWorkInFlight } from "./work_in_flight.ts";

/** What {@linkcode createRelayCore} takes. */
export interface RelayCoreOptions {
  readonly store: Pick<Store, "records" | "shared">;
  readonly secrets: RelaySecrets;
  readonly providers: ProviderSettings;
  /** How upstreams are reached, and the clock of all parts. */
  readonly runtime: ProviderRuntime;
  readonly observe: Observe;
}

/** The parts. */
export interface RelayCore {
  /** Those on offer, in their order. */
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly sessions: Sessions;
  /** Opens expired sessions too, so that they can be revoked. */
  readonly unexpiring: Sessions;
  readonly refresher: Refresher;
  readonly signIns: SignIns;
  /** The owner behind these logins. */
  owner(logins: OwnerSessions): Owner;
  /** Resolves when no sign-in step and no renewal of tokens is under way. */
  settled(): Promise<void>;
}

/** Builds the parts. Nothing is sent and nothing is read. */
export function createRelayCore(options: RelayCoreOptions): RelayCore {
  const { store: { records, shared }, secrets, runtime, observe } = options;
  const { now } = runtime;
  const providers = new Map(
    createProviders(options.providers, runtime).map((provider) => [provider.id, provider]),
  );
  const sessionJwt = createSessionJwt(
    createJwtKeyRing({ current: secrets.jwtSecret, previous: secrets.previousJwtSecrets }),
  );
  const identity = createIdentity(secrets.identitySecret);
  const work = createWorkInFlight();
  const sessions = createSessions({ providers, records, sessionJwt, now });
  const refresher = work.aroundRefresher(createRefresher({ sessions, now, observe }));
  return {
    providers,
    sessions,
    // At the beginning of time nothing has expired yet.
    unexpiring: createSessions({ providers, records, sessionJwt, now: () => 0 }),
    refresher,
    signIns: work.aroundSignIns(
      createSignIns({ providers, records, shared, sessionJwt, identity, now, observe }),
    ),
    owner: (ownerSessions) =>
      createOwner({ ownerSessions, sessions, providers, sessionJwt, refresher, observe, now }),
    settled: () => work.settled(),
  };
}
