/**
 * The relay as a process of its own, under the permission set `serve`, in front of a sandbox in the test's process; and a
 * client of it that does what an app does.
 */
import assert from "node:assert/strict";
import type { ProviderId } from "../../src/provider/provider.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import type { Ended, Project, SpawnedRelay } from "../cli/spawned_relay.ts";
import { identitySecret, jwtSecret } from "./rig.ts";

/** A model of each provider that speaks Chat, and the sandbox's name of the provider. */
export const providerCases: Readonly<
  Record<ProviderId, { readonly model: string; readonly upstream: "chatgpt" | "grok" | "copilot" }>
> = Object.freeze({
  openai: { model: "gpt-5.5", upstream: "chatgpt" },
  xai: { model: "grok-4.5", upstream: "grok" },
  github: { model: "gpt-4.1", upstream: "copilot" },
});

/** Every provider. */
export const providerIds: readonly ProviderId[] = ["openai", "xai", "github"];

/** A sign-in as the client was told of it. */
export interface StartedSignIn {
  readonly provider: ProviderId;
  readonly sessionId: string;
  readonly userCode: string;
  readonly pollIntervalMs: number;
}

/** The answer to a poll. */
export interface PollAnswer {
  readonly status: string;
  readonly jwt?: string;
  readonly error?: string;
}

/** Limits that no test reaches by accident: those that are about limits set their own. */
const withoutLimits: Readonly<Record<string, string>> = Object.freeze({
  AUTH_AI_RATE_LIMIT_PER_MINUTE: "1000000",
  AUTH_AI_RATE_LIMIT_BURST: "1000000",
  AUTH_AI_CONCURRENT_REQUESTS_PER_IP: "1000000",
});

/** A running relay process. */
export interface RelayProcess extends RelayClient {
  readonly origin: string;
  readonly process: SpawnedRelay;
  /** `kill -9`. */
  kill(): Promise<Ended>;
  /** Lets it stop as an operator would. */
  stop(): Promise<Ended>;
}

/** Starts a relay on the project's data directory. */
export async function startRelay(
  project: Project,
  sandbox: Sandbox,
  environment: Readonly<Record<string, string>> = {},
): Promise<RelayProcess> {
  const process = project.start("serve", ["serve"], {
    ...sandbox.settings,
    AUTH_AI_JWT_SECRET: jwtSecret,
    AUTH_AI_IDENTITY_SECRET: identitySecret,
    AUTH_AI_ORIGINATOR: "e2e",
    AUTH_AI_PORT: "0",
    ...withoutLimits,
    ...environment,
  });
  const [, origin = ""] = await process.output(/listens +(http:\S+)/);
  const end = async (signal: Deno.Signal) => {
    process.signal(signal);
    return await process.ended;
  };
  return {
    ...relayClient(origin),
    origin,
    process,
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
  };
}

/** What an app does with a relay. */
export interface RelayClient {
  start(provider: ProviderId): Promise<StartedSignIn>;
  poll(sessionId: string): Promise<PollAnswer>;
  /** Polls at the interval that the client was told, until the answer is another than `pending` or it loses patience. */
  pollToEnd(signIn: StartedSignIn): Promise<PollAnswer>;
  whoami(jwt: string): Promise<{ readonly user: { readonly id: string; readonly provider: string } }>;
  /** One collected chat completion; its text. */
  chat(jwt: string, model: string): Promise<string>;
}

/** A client of the relay at `origin`. `send` is what it fetches with. */
export function relayClient(origin: string, send: typeof fetch = fetch): RelayClient {
  const poll = async (sessionId: string): Promise<PollAnswer> => {
    const response = await send(`${origin}/auth/poll/${sessionId}`);
    assert.equal(response.status, 200);
    return await response.json();
  };
  return {
    poll,
    async start(provider) {
      const response = await send(`${origin}/auth/start`, {
        method: "POST",
        body: JSON.stringify({ provider }),
      });
      assert.equal(response.status, 200);
      return await response.json();
    },
    async pollToEnd({ sessionId, pollIntervalMs }) {
      let answer = await poll(sessionId);
      for (let polls = 1; polls < maxPolls && answer.status === "pending"; polls++) {
        await pollInterval(pollIntervalMs);
        answer = await poll(sessionId);
      }
      return answer;
    },
    async whoami(jwt) {
      const response = await send(`${origin}/auth/whoami`, { headers: { authorization: `Bearer ${jwt}` } });
      assert.equal(response.status, 200);
      return await response.json();
    },
    async chat(jwt, model) {
      const response = await send(`${origin}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${jwt}` },
        body: JSON.stringify({ model, messages: [{ role: "user", content: "Say hello" }] }),
      });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      return JSON.parse(text).choices[0].message.content;
    },
  };
}

const maxPolls = 30;

/** The pause that the relay asks of its clients between two polls. */
export function pollInterval(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
