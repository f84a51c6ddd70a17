/**
 * authai-relay: an app's users sign in with the ChatGPT, Grok or GitHub Copilot subscription that they already pay for, and
 * the app calls models on their behalf through any OpenAI SDK.
 *
 * Run this module and it is the command line (`deno run -A jsr:@authai/relay sandbox`); import it and it is a library:
 *
 * ```ts
 * import { createRelayApp, openStore } from "@authai/relay";
 *
 * const store = await openStore({ dataDir: "./data" });
 * const relay = createRelayApp({
 *   store,
 *   jwtSecret: Deno.env.get("AUTH_AI_JWT_SECRET") ?? "",
 *   identitySecret: Deno.env.get("AUTH_AI_IDENTITY_SECRET") ?? "",
 *   originator: "my-app",
 * });
 * Deno.serve((request) => relay.fetch(request));
 * ```
 *
 * The library needs Deno KV in the importing program: `"unstable": ["kv", "no-legacy-abort"]` in its deno.json.
 *
 * @module
 */
import { runCli } from "./cli/cli.ts";
import { denoProcess } from "./cli/deno_process.ts";
import { respawnWithKv } from "./cli/respawn.ts";

export {
  createRelayApp,
  type RelayApp,
  type RelayAppOptions,
  type RelayContext,
  type RelayMiddleware,
  type RelayProviders,
} from "./app/app.ts";
export type { StreamTiming } from "./app/stream_timing.ts";
export type { Timers } from "./app/timers.ts";
export type { ChatGptSettings } from "./provider/chatgpt_settings.ts";
export type { CopilotSettings } from "./provider/copilot_settings.ts";
export type { GrokSettings } from "./provider/grok_settings.ts";
export type { ProviderId } from "./provider/provider.ts";
export type {
  NewSealedRecord,
  RecordStore,
  SealedRecord,
  SealedRecordUpdate,
  UpdateOutcome,
} from "./store/record_store.ts";
export type { CreateOutcome, PollSession, SharedState } from "./store/shared_state.ts";
export { startSweep, type Sweep, type SweepOptions } from "./store/sweep.ts";
export { openStore, type Store, type StoreOptions } from "./store/store.ts";
export type { Observe, TrafficEvent } from "./traffic/observe.ts";

if (import.meta.main) {
  Deno.exit(await respawnWithKv(Deno.args) ?? await runCli(Deno.args, denoProcess()));
}
