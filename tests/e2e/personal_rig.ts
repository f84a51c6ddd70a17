/**
 * A relay with an owner in front of the sandbox: app and owner share the rig's relay, and the owner's logins are made by the
 * app's sign-in, because it makes the same records.
 */
import { join } from "node:path";
import type { PersonalOptions, RelayAppOptions } from "../../src/app/options.ts";
import { openOwnerSessions } from "../../src/credential/owner_sessions.ts";
import { openRelayToken } from "../../src/credential/relay_token.ts";
import type { ProviderId } from "../../src/provider/provider.ts";
import { startRig } from "./rig.ts";

/** The owner's credential. */
export const relayToken = "relay-token-of-the-owner-0123456789";

/** Starts the rig; stop it with `await using`. */
// deno-lint-ignore explicit-module-boundary-types -- what a test rig has is best said by its code
export async function startPersonalRig(
  options: {
    readonly relay?: Partial<RelayAppOptions>;
    readonly personal?: Partial<PersonalOptions>;
  } = {},
) {
  const dataDir = await Deno.makeTempDir();
  await Deno.writeTextFile(join(dataDir, "relay_token"), `${relayToken}\n`, { mode: 0o600 });
  const logins = openOwnerSessions(dataDir);
  const personal: PersonalOptions = {
    logins,
    relayToken: openRelayToken({ path: join(dataDir, "relay_token"), now: Date.now }),
    ...options.personal,
  };
  const rig = await startRig({ relay: { personal, ...options.relay } });

  /** Sends a request as the owner. */
  function asOwner(path: string, init: { readonly method?: string; readonly body?: unknown } = {}) {
    return fetch(rig.origin + path, {
      method: init.method ?? (init.body === undefined ? "GET" : "POST"),
      headers: { authorization: `Bearer ${relayToken}` },
      ...(init.body === undefined ? {} : { body: JSON.stringify(init.body) }),
    });
  }

  return {
    ...rig,
    dataDir,
    logins,
    personal,
    asOwner,
    /** Signs the owner in, as `authai-relay login` does; the session JWT. */
    async login(provider: ProviderId, user = "ada"): Promise<string> {
      const jwt = await rig.signIn(provider, user);
      await logins.change((draft) => void draft.sessions.set(provider, jwt));
      return jwt;
    },
    /** A small chat completion as the owner. */
    chat: (model: string) =>
      asOwner("/v1/chat/completions", { body: { model, messages: [{ role: "user", content: "Hi" }] } }),
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

/** A running personal rig. */
export type PersonalRig = Awaited<ReturnType<typeof startPersonalRig>>;
