/**
 * What the commands of a personal relay work with: the stores of the data directory and the owner's logins in them, opened
 * beside a relay that may be running on the same files.
 *
 * @module
 */
import { createOwner, type Owner } from "../app/owner.ts";
import type { RelayConfig } from "../config_load.ts";
import { openOwnerSessions, OwnerFileUnusable, type OwnerSessions } from "../credential/owner_sessions.ts";
import { createRefresher, type Refresher } from "../credential/refresh.ts";
import { revoke } from "../credential/revoke.ts";
import { createSessions, type RefusalReason, type Session, type Sessions } from "../credential/session.ts";
import { createSignIns, type SignIns } from "../credential/sign_in.ts";
import { createIdentity } from "../crypto/identity.ts";
import { createJwtKeyRing, createSessionJwt } from "../crypto/session_jwt.ts";
import { sendByFetch } from "../provider/http_sender.ts";
import type { Provider, ProviderId } from "../provider/provider.ts";
import { createProviders } from "../provider/registry.ts";
import { openStore, type Store } from "../store/store.ts";
import type { Observe } from "../traffic/observe.ts";
import { type CliProcess, exitCode } from "./command.ts";
import { explainFailure, knownCause } from "./failure.ts";
import { printProblems } from "./terminal.ts";

/** The opened data directory. */
export interface OwnerAccess {
  readonly store: Store;
  /** Those on offer, in their order. */
  readonly providers: ReadonlyMap<ProviderId, Provider>;
  readonly logins: OwnerSessions;
  readonly sessions: Sessions;
  /** Opens expired sessions too, so that they can be revoked. */
  readonly unexpiring: Sessions;
  readonly refresher: Refresher;
  readonly signIns: SignIns;
  /** The owner as a caller of the relay's routes. */
  readonly owner: Owner;
}

/** The owner's login at one provider. */
export type Login =
  | {
    readonly kind: "signed_in";
    readonly provider: Provider;
    readonly jwt: string;
    readonly session: Session;
  }
  /** There was a login, but it opens nothing any more. */
  | {
    readonly kind: "ended";
    readonly provider: Provider;
    readonly jwt: string;
    readonly reason: RefusalReason;
  }
  | { readonly kind: "signed_out"; readonly provider: Provider };

/** The owner's login at each provider on offer. Rejects when the file of the logins cannot be used. */
export async function readLogins({ providers, logins, sessions }: OwnerAccess): Promise<readonly Login[]> {
  const { sessions: jwts } = await logins.read();
  return await Promise.all([...providers.values()].map(async (provider): Promise<Login> => {
    const jwt = jwts.get(provider.id);
    if (jwt === undefined) return { kind: "signed_out", provider };
    const opened = await sessions.open(jwt);
    return opened.kind === "open"
      ? { kind: "signed_in", provider, jwt, session: opened.session }
      : { kind: "ended", provider, jwt, reason: opened.reason };
  }));
}

/** Revokes a login, also one that has expired; nothing is done for one that opens nothing. */
export async function revokeLogin(login: Login, { sessions, unexpiring }: OwnerAccess): Promise<void> {
  if (login.kind === "signed_out") return;
  const opened = await unexpiring.open(login.jwt);
  if (opened.kind === "open") await revoke(opened.session, sessions);
}

/** Why a login opens nothing, as a sentence about it. */
export function explainEnd(reason: RefusalReason, provider: Provider): string {
  switch (reason) {
    case "expired":
      return `The login at ${provider.displayName} has expired.`;
    case "revoked":
    case "grant_ended":
      return `The login at ${provider.displayName} has ended: it was revoked here or by ${provider.displayName}.`;
    case "signature":
      return `The login at ${provider.displayName} was made with another JWT secret than the one that is set now.`;
    default:
      return `The login at ${provider.displayName} cannot be opened (${reason}).`;
  }
}

/**
 * Opens the data directory, runs `use`, and closes it. Resolves to the exit code of `use`; when something cannot be opened or
 * used, says so and resolves to {@linkcode exitCode.failed}.
 */
export async function withOwnerAccess(
  config: RelayConfig,
  process: CliProcess,
  use: (access: OwnerAccess) => Promise<number>,
  observe?: Observe,
): Promise<number> {
  const opened = await openOwnerAccess(config, process, observe);
  if (opened.kind === "refused") {
    printProblems(process.terminal, [opened.sentence], opened.hint);
    return exitCode.failed;
  }
  try {
    return await use(opened.access);
  } catch (error) {
    const sentence = error instanceof OwnerFileUnusable
      ? error.message
      : knownCause(error) && explainFailure(error, `${config.storage.dataDir} cannot be used`);
    if (sentence === undefined) throw error;
    printProblems(process.terminal, [sentence]);
    return exitCode.failed;
  } finally {
    await opened.access.store.close();
  }
}

/** How {@linkcode openOwnerAccess} ended. */
export type OpenedAccess =
  | { readonly kind: "open"; readonly access: OwnerAccess }
  | { readonly kind: "refused"; readonly sentence: string; readonly hint: string | undefined };

/** Opens the stores of the data directory; the caller closes them. */
export async function openOwnerAccess(
  config: RelayConfig,
  { now }: Pick<CliProcess, "now">,
  observe: Observe = () => undefined,
): Promise<OpenedAccess> {
  let store: Store;
  try {
    store = await openStore(config.storage);
  } catch (error) {
    const cause = knownCause(error instanceof Error ? error.cause : undefined);
    return {
      kind: "refused",
      sentence: error instanceof Error ? error.message : "The store cannot be opened.",
      hint: cause && `The cause: ${cause}`,
    };
  }
  const { records, shared } = store;
  const providers = new Map(
    createProviders(
      { originator: config.originator, ...config.providers },
      { send: sendByFetch(fetch), fetch, now, randomUuid: () => crypto.randomUUID() },
    ).map((provider) => [provider.id, provider]),
  );
  const sessionJwt = createSessionJwt(createJwtKeyRing({
    current: Uint8Array.fromHex(config.jwtSecret),
    previous: config.previousJwtSecrets.map((secret) => Uint8Array.fromHex(secret)),
  }));
  const identity = createIdentity(Uint8Array.fromHex(config.identitySecret));
  const sessions = createSessions({ providers, records, sessionJwt, now });
  const ownerSessions = openOwnerSessions(config.storage.dataDir);
  const refresher = createRefresher({ sessions, now, observe });
  return {
    kind: "open",
    access: {
      store,
      providers,
      logins: ownerSessions,
      sessions,
      // At the beginning of time nothing has expired yet.
      unexpiring: createSessions({ providers, records, sessionJwt, now: () => 0 }),
      refresher,
      signIns: createSignIns({ providers, records, shared, sessionJwt, identity, now, observe }),
      owner: createOwner({ ownerSessions, sessions, providers, sessionJwt, refresher, observe, now }),
    },
  };
}
