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
 * Deno.serve((request, info) => relay.fetch(request, info));
 * ```
 *
 * The library needs Deno KV in the importing program: `"unstable": ["kv", "no-legacy-abort"]` in its deno.json.
 *
 * @module
 */
import { runCli } from "./cli/cli.ts";
import { denoProcess } from "./cli/deno_process.ts";
import { respawnWithKv } from "./cli/respawn.ts";

export { type ConnectionInfo, createRelayApp, type RelayApp } from "./app/app.ts";
export type {
  PersonalOptions,
  RelayAppOptions,
  RelayContext,
  RelayMiddleware,
  RelayProviders,
} from "./app/options.ts";
export type { StreamTiming } from "./app/stream_timing.ts";
export type { Timers } from "./app/timers.ts";
export {
  openOwnerSessions,
  type OwnerDraft,
  type OwnerSessions,
  type OwnerState,
} from "./credential/owner_sessions.ts";
export {
  openRelayToken,
  type RelayToken,
  type RelayTokenDescription,
  type RelayTokenOptions,
} from "./credential/relay_token.ts";
export type { UploadLimits } from "./files/file_vault.ts";
export type { AddressSettings, ClientAddress } from "./guard/client_address.ts";
export {
  createGuardMiddleware,
  type GuardContext,
  type GuardMiddleware,
  type GuardOptions,
} from "./guard/guard_middleware.ts";
export type { Schedule } from "./guard/limit_exchange.ts";
export { createLimiter, type LimiterOptions } from "./guard/limiter.ts";
export {
  type Admitted,
  type ClientState,
  defaultLimitSettings,
  type Entered,
  type FailureCounted,
  type LimitCode,
  type Limiter,
  type LimiterState,
  type LimitSettings,
  type LimitSubject,
  type Refused,
} from "./guard/limits.ts";
export type { ChatGptSettings } from "./provider/chatgpt_settings.ts";
export type { CopilotSettings } from "./provider/copilot_settings.ts";
export type { GrokSettings } from "./provider/grok_settings.ts";
export type { ProviderId } from "./provider/provider.ts";
export type {
  AppendOutcome,
  FileListQuery,
  FileStore,
  NewChunk,
  NewUpload,
  StoredFile,
} from "./store/file_store.ts";
export type {
  NewSealedRecord,
  RecordStore,
  SealedRecord,
  SealedRecordUpdate,
  UpdateOutcome,
} from "./store/record_store.ts";
export type { CreateOutcome, PollSession, SharedEntry, SharedState } from "./store/shared_state.ts";
export { startSweep, type Sweep, type SweepOptions, type SweptStores } from "./store/sweep.ts";
export { openStore, type Store, type StoreOptions } from "./store/store.ts";
export type { LogFile, LogFiles } from "./traffic/log_files.ts";
export type { Observe, TrafficEvent, UpstreamPurpose } from "./traffic/observe.ts";
export type { Retention } from "./traffic/retention.ts";
export { openTrafficLog, type TrafficLog, type TrafficLogOptions } from "./traffic/traffic_log.ts";

if (import.meta.main) {
  Deno.exit(await respawnWithKv(Deno.args) ?? await runCli(Deno.args, denoProcess()));
}
