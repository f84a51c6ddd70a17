/**
 * A provider whose answers a test writes down beforehand, and a relay's credential parts over real stores around it.
 */
import { createIdentity } from "../../src/crypto/identity.ts";
import { createJwtKeyRing, createSessionJwt } from "../../src/crypto/session_jwt.ts";
import { createSessions } from "../../src/credential/session.ts";
import { createSignIns } from "../../src/credential/sign_in.ts";
import type {
  AdvanceOutcome,
  DeviceSignIn,
  Grant,
  Provider,
  ProviderId,
  RefreshOutcome,
  StartOutcome,
} from "../../src/provider/provider.ts";
import type { JsonObject } from "../../src/wire/json.ts";
import { openStore } from "../../src/store/store.ts";
import type { TrafficEvent } from "../../src/traffic/observe.ts";

/** An answer, or what computes it when the step is taken. */
type Scripted<T> = T | ((flow: JsonObject, signal: AbortSignal) => T | Promise<T>);

/** A provider that answers from queues. Running out of answers is a failure of the test. */
export class ScriptedProvider implements Provider {
  readonly id: ProviderId;
  readonly displayName = "Scripted";
  readonly starts: StartOutcome[] = [];
  readonly steps: Scripted<AdvanceOutcome>[] = [];
  readonly refreshes: Scripted<RefreshOutcome>[] = [];
  /** The flows that `advance` was called with, in order. */
  readonly advancedWith: JsonObject[] = [];
  /** The refresh tokens that were redeemed, in order. */
  readonly redeemed: (string | undefined)[] = [];
  readonly revoked: Grant[] = [];

  constructor(id: ProviderId = "xai") {
    this.id = id;
  }

  readonly signIn = {
    start: (): Promise<StartOutcome> =>
      Promise.resolve(this.starts.shift() ?? { kind: "started", signIn: aSignIn }),
    advance: async (flow: JsonObject, signal: AbortSignal): Promise<AdvanceOutcome> => {
      this.advancedWith.push(flow);
      return await next(this.steps, flow, signal);
    },
  };

  async refresh(grant: Grant, signal: AbortSignal): Promise<RefreshOutcome> {
    this.redeemed.push(grant.refreshToken);
    return await next(this.refreshes, {}, signal);
  }

  revoke(grant: Grant): Promise<void> {
    this.revoked.push(grant);
    return Promise.resolve();
  }

  listModels(): never {
    throw new Error("Not scripted.");
  }
  readQuota(): never {
    throw new Error("Not scripted.");
  }
  quotaHeaders(): never {
    throw new Error("Not scripted.");
  }
  readonly straysIn: Provider["straysIn"] = [];
  readonly takesDocuments = true;
  dialectFor(): never {
    throw new Error("Not scripted.");
  }
  prepare(): never {
    throw new Error("Not scripted.");
  }
  send(): never {
    throw new Error("Not scripted.");
  }
}

async function next<T>(queue: Scripted<T>[], flow: JsonObject, signal: AbortSignal): Promise<T> {
  const answer = queue.shift();
  if (answer === undefined) throw new Error("The test scripted no further answer.");
  return answer instanceof Function ? await answer(flow, signal) : answer;
}

/** What a start answers unless a test says otherwise. */
export const aSignIn: DeviceSignIn = {
  flow: { deviceCode: "canary-device-code" },
  userCode: "ABCD-1234",
  verificationUrl: "https://provider.example/device",
  expiresInMs: 900_000,
  intervalMs: 5_000,
};

/** A grant whose access token lives for an hour from time 0 of the bench's clock. */
export const aGrant: Grant = {
  accessToken: "canary-access",
  accessExpiresAtMs: Date.UTC(2026, 0, 1, 1),
  refreshToken: "canary-refresh",
  accountId: "person-1",
  attributes: { workspaceId: "w-1" },
};

/** The credential parts over real stores, with a clock that the test turns. Close it with `using`. */
// deno-lint-ignore explicit-module-boundary-types -- what a test bench has is best said by its code
export async function openBench(provider = new ScriptedProvider()) {
  const clock = { nowMs: Date.UTC(2026, 0, 1) };
  const now = () => clock.nowMs;
  const events: TrafficEvent[] = [];
  const observe = (event: TrafficEvent) => void events.push(event);
  const providers = new Map<ProviderId, Provider>([[provider.id, provider]]);
  const store = await openStore({ databasePath: ":memory:", kvPath: ":memory:" });
  const sessionJwt = createSessionJwt(
    createJwtKeyRing({ current: new Uint8Array(32).fill(7), previous: [] }),
  );
  const sessions = createSessions({ providers, records: store.records, sessionJwt, now });
  const signInParts = {
    providers,
    records: store.records,
    shared: store.shared,
    sessionJwt,
    identity: createIdentity(new Uint8Array(32).fill(9)),
    now,
    observe,
  };
  return {
    provider,
    clock,
    now,
    events,
    observe,
    store,
    sessions,
    sessionJwt,
    signInParts,
    signIns: createSignIns(signInParts),
    async [Symbol.asyncDispose]() {
      await store.close();
    },
  };
}
