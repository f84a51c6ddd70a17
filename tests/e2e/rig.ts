/**
 * A whole relay in front of the sandbox, both on real sockets, with one clock that the test turns.
 */
import assert from "node:assert/strict";
import OpenAI from "openai";
import { createRelayApp } from "../../src/app/app.ts";
import type { RelayAppOptions, RelayProviders } from "../../src/app/options.ts";
import { loadConfig } from "../../src/config_load.ts";
import type { ProviderId } from "../../src/provider/provider.ts";
import { type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import { openStore } from "../../src/store/store.ts";
import type { TrafficEvent } from "../../src/traffic/observe.ts";

/** The fixed secrets of test relays. */
export const jwtSecret = "a1".repeat(16) + "b2".repeat(16);
export const identitySecret = "c3".repeat(16) + "d4".repeat(16);

/** Starts the rig; stop it with `await using`. */
// deno-lint-ignore explicit-module-boundary-types -- what a test rig has is best said by its code
export async function startRig(
  options: {
    readonly sandbox?: SandboxOptions;
    readonly relay?: Partial<RelayAppOptions>;
    /** Lets the clock of relay and sandbox be the real one, for clients that are processes of their own. */
    readonly realTime?: boolean;
  } = {},
) {
  const clock = { nowMs: Date.UTC(2026, 10, 22) };
  const now = options.realTime === true ? Date.now : () => clock.nowMs;
  const events: TrafficEvent[] = [];
  const sandbox = await startSandbox({ port: 0, now, pollIntervalSeconds: 5, ...options.sandbox });
  const store = await openStore({ databasePath: ":memory:", kvPath: ":memory:" });
  const app = createRelayApp({
    store,
    jwtSecret,
    identitySecret,
    originator: "rig",
    providers: await providersAt(sandbox.settings),
    now,
    observe: (event) => void events.push(event),
    ...options.relay,
  });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => app.fetch(request),
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;

  async function start(provider: ProviderId): Promise<{ sessionId: string; userCode: string }> {
    const response = await fetch(`${origin}/auth/start`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ provider }),
    });
    assert.equal(response.status, 200, await response.clone().text());
    return await response.json();
  }

  async function poll(sessionId: string): Promise<{ status: string; jwt?: string; error?: string }> {
    const response = await fetch(`${origin}/auth/poll/${sessionId}`);
    return await response.json();
  }

  /** Signs a simulated person in and returns the session JWT. */
  async function signIn(provider: ProviderId, user = "ada"): Promise<string> {
    const { sessionId, userCode } = await start(provider);
    sandbox.control.approve(userCode, user);
    clock.nowMs += 5_000;
    const answer = await poll(sessionId);
    assert.equal(answer.status, "complete", JSON.stringify(answer));
    assert.ok(answer.jwt !== undefined);
    return answer.jwt;
  }

  /** The official SDK, pointed at the relay. Its own retries are off, so that a test sees each answer. */
  function openAi(jwt: string): OpenAI {
    return new OpenAI({ baseURL: `${origin}/v1`, apiKey: jwt, maxRetries: 0 });
  }

  return {
    clock,
    events,
    sandbox,
    store,
    app,
    origin,
    start,
    poll,
    signIn,
    openAi,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      app.close();
      await sandbox.shutdown();
      await store.close();
    },
  };
}

/** The provider settings that a relay reads from the sandbox's environment settings. */
export async function providersAt(environment: Readonly<Record<string, string>>): Promise<RelayProviders> {
  const loaded = await loadConfig({
    flags: {},
    environment: {
      ...environment,
      AUTH_AI_JWT_SECRET: jwtSecret,
      AUTH_AI_IDENTITY_SECRET: identitySecret,
      AUTH_AI_ORIGINATOR: "rig",
    },
    files: "none",
  });
  assert.ok(loaded.kind === "config", JSON.stringify(loaded));
  return loaded.config.providers;
}

/** A running rig. */
export type Rig = Awaited<ReturnType<typeof startRig>>;
