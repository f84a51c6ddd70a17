/**
 * What the commands of a personal relay work with: the stores of the data directory and the owner's logins in them, opened
 * beside a relay that may be running on the same files.
 *
 * @module
 */
import type { Owner } from "../app/owner.ts";
import { createRelayCore, type RelayCore } from "../app/relay_core.ts";
import type { RelayConfig } from "../config_load.ts";
import { openOwnerSessions, OwnerFileUnusable, type OwnerSessions } from "../credential/owner_sessions.ts";
import { revoke } from "../credential/revoke.ts";
import type { RefusalReason, Session } from "../credential/session.ts";
import { sendByFetch } from "../provider/http_sender.ts";
import type { Provider } from "../provider/provider.ts";
import type { Store } from "../store/store.ts";
import type { Observe } from "../traffic/observe.ts";
import { type CliProcess, exitCode } from "./command.ts";
import { explainFailure, knownCause } from "./failure.ts";
import { openConfiguredStore, type OpenedStore } from "./open_store.ts";
import { printProblems } from "./terminal.ts";

/** The opened data directory, and what a relay works with on it. */
export interface OwnerAccess extends Omit<RelayCore, "owner"> {
  readonly store: Store;
  readonly logins: OwnerSessions;
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
  | Extract<OpenedStore, { readonly kind: "refused" }>;

/** Opens the stores of the data directory; the caller closes them. */
export async function openOwnerAccess(
  config: RelayConfig,
  { now }: Pick<CliProcess, "now">,
  observe: Observe = () => undefined,
): Promise<OpenedAccess> {
  const opened = await openConfiguredStore(config.storage);
  if (opened.kind === "refused") return opened;
  const { store } = opened;
  const { owner, ...core } = createRelayCore({
    store,
    secrets: {
      jwtSecret: Uint8Array.fromHex(config.jwtSecret),
      previousJwtSecrets: config.previousJwtSecrets.map((secret) => Uint8Array.fromHex(secret)),
      identitySecret: Uint8Array.fromHex(config.identitySecret),
    },
    providers: { originator: config.originator, ...config.providers },
    runtime: { send: sendByFetch(fetch), fetch, now, randomUuid: () => crypto.randomUUID() },
    observe,
  });
  const logins = openOwnerSessions(config.storage.dataDir);
  return { kind: "open", access: { ...core, store, logins, owner: owner(logins) } };
}
