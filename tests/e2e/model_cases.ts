/**
 * Models to try an SDK on, in each of the two dialects: such as speak it themselves, and such as only speak the other one
 * or stand behind a provider that does.
 */
import type { ProviderId } from "../../src/provider/provider.ts";
import type { Fault } from "../../src/sandbox/contract.ts";
import type { Dialect } from "../../src/wire/dialect.ts";

/** One way through the relay. */
export interface ModelCase {
  readonly provider: ProviderId;
  /** The sandbox's name of the provider. */
  readonly upstream: Fault["upstream"];
  /** What the SDK speaks. */
  readonly dialect: Dialect;
  readonly model: string;
}

export const modelCases: readonly ModelCase[] = [
  { provider: "openai", upstream: "chatgpt", dialect: "chat", model: "gpt-5.5" },
  { provider: "openai", upstream: "chatgpt", dialect: "responses", model: "gpt-5.5" },
  { provider: "xai", upstream: "grok", dialect: "chat", model: "grok-4.5" },
  { provider: "xai", upstream: "grok", dialect: "responses", model: "grok-4.5" },
  { provider: "github", upstream: "copilot", dialect: "chat", model: "gpt-4.1" },
  { provider: "github", upstream: "copilot", dialect: "chat", model: "gpt-5.3-codex" },
  { provider: "github", upstream: "copilot", dialect: "responses", model: "gpt-5.3-codex" },
  { provider: "github", upstream: "copilot", dialect: "responses", model: "gpt-4.1" },
];

/** A PNG of one pixel, base64. */
export const pixelPng =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** Faults that strike when the answer is half told. */
export const faultsInMidStream: readonly Fault["kind"][] = [
  { type: "stream_failed", afterPieces: 3 },
  { type: "stream_error_event", afterPieces: 3 },
  { type: "stream_cut", afterPieces: 3 },
  { type: "stream_eof", afterPieces: 3 },
];
