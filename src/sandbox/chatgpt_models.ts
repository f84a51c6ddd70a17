/**
 * The model list of the simulated Codex backend.
 *
 * Source: the facts page on ChatGPT, section 6.
 *
 * @module
 */
import type { SandboxUser } from "./contract.ts";
import type { Members } from "./members.ts";

/** A model, as far as the simulator acts on it. */
export interface ChatGptModel {
  readonly slug: string;
  readonly defaultEffort: string;
  readonly efforts: readonly string[];
  readonly contextWindow: number;
  readonly maxContextWindow: number;
  readonly minimalClientVersion: string;
  readonly visibility: "list" | "hide";
  readonly freePlan: boolean;
  readonly inputModalities: readonly string[];
  readonly supportedInApi: boolean;
}

const LADDER: readonly string[] = Object.freeze(["low", "medium", "high", "xhigh", "max", "ultra"]);

const MODELS: readonly ChatGptModel[] = Object.freeze([
  model("gpt-5.6-sol", "low", 6, 272_000, 921_000, "0.144.0"),
  model("gpt-5.6-terra", "medium", 6, 272_000, 921_000, "0.144.0"),
  model("gpt-5.6-luna", "medium", 5, 272_000, 921_000, "0.144.0"),
  model("gpt-5.5", "medium", 4, 272_000, 272_000, "0.124.0"),
  model("gpt-5.4", "medium", 4, 272_000, 1_000_000, "0.98.0", { freePlan: false }),
  model("gpt-5.4-mini", "medium", 4, 272_000, 272_000, "0.98.0"),
  model("gpt-5.3-codex-spark", "high", 4, 128_000, 128_000, "0.100.0", {
    inputModalities: ["text"],
    supportedInApi: false,
    freePlan: false,
  }),
  model("gpt-5.2", "medium", 4, 272_000, 272_000, "0.0.1"),
  model("codex-auto-review", "medium", 4, 272_000, 921_000, "0.98.0", { visibility: "hide" }),
]);

/** The model that `user` may call under `slug`, if any. */
export function modelFor(user: SandboxUser, slug: string): ChatGptModel | undefined {
  return MODELS.find((one) => one.slug === slug && isInPlan(one, user));
}

/** The document of `GET /codex/models`, without the models that are too new for the client. */
export function modelsDocument(user: SandboxUser, clientVersion: string): Members {
  const models = MODELS.filter((one) =>
    isInPlan(one, user) && isAtLeast(clientVersion, one.minimalClientVersion)
  );
  return { models: models.map((one, index) => printed(one, index)) };
}

/** Whether the model takes its tools inside the conversation (section 3.8). */
export function speaksResponsesLite({ slug }: ChatGptModel): boolean {
  return slug.startsWith("gpt-5.6");
}

/** The catalogue's version, as `ETag` and in the header `x-models-etag`. */
export const MODELS_ETAG = 'W/"sandbox-1"';

function model(
  slug: string,
  defaultEffort: string,
  efforts: number,
  contextWindow: number,
  maxContextWindow: number,
  minimalClientVersion: string,
  differing: Partial<ChatGptModel> = {},
): ChatGptModel {
  return Object.freeze({
    slug,
    defaultEffort,
    efforts: LADDER.slice(0, efforts),
    contextWindow,
    maxContextWindow,
    minimalClientVersion,
    visibility: "list",
    freePlan: true,
    inputModalities: ["text", "image"],
    supportedInApi: true,
    ...differing,
  });
}

function isInPlan(one: ChatGptModel, user: SandboxUser): boolean {
  return one.freePlan || user.chatgptPlan !== "free";
}

/** Compares versions by their numbers; a missing number is 0. */
function isAtLeast(version: string, least: string): boolean {
  const [given, wanted] = [version, least].map((text) =>
    text.split(".").map((part) => parseInt(part, 10) || 0)
  );
  for (let index = 0; index < 3; index++) {
    const difference = (given?.[index] ?? 0) - (wanted?.[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function printed(one: ChatGptModel, priority: number): Members {
  return {
    slug: one.slug,
    display_name: one.slug,
    description: "A simulated model.",
    default_reasoning_level: one.defaultEffort,
    supported_reasoning_levels: one.efforts.map((effort) => ({ effort, description: `Effort ${effort}.` })),
    shell_type: "shell_command",
    visibility: one.visibility,
    supported_in_api: one.supportedInApi,
    priority,
    minimal_client_version: one.minimalClientVersion,
    context_window: one.contextWindow,
    max_context_window: one.maxContextWindow,
    auto_compact_token_limit: null,
    effective_context_window_percent: 95,
    input_modalities: one.inputModalities,
    supports_parallel_tool_calls: true,
    supports_reasoning_summaries: true,
    default_reasoning_summary: "auto",
    support_verbosity: true,
    default_verbosity: "low",
    service_tiers: [],
    use_responses_lite: speaksResponsesLite(one),
    prefer_websockets: false,
    truncation_policy: { mode: "tokens", limit: 10_000 },
    available_in_plans: one.freePlan
      ? ["free", "go", "plus", "pro", "business"]
      : ["go", "plus", "pro", "business"],
    experimental_supported_tools: [],
    upgrade: null,
  };
}
