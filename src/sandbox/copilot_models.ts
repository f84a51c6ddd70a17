/**
 * The model list of the simulated Copilot API, with the entries that make real lists hard to read: partial ones, one that
 * repeats, one that a policy disables, and one that is no chat model.
 *
 * Source: facts page github-copilot, section 7.
 *
 * @module
 */
import type { CopilotSeat } from "./copilot_seats.ts";
import type { Members } from "./members.ts";

/** The two endpoints that take model calls. */
export type CopilotEndpoint = "/chat/completions" | "/responses";

/** A model that can be called. */
export interface CopilotModel {
  readonly id: string;
  readonly name: string;
  readonly vendor: "OpenAI" | "Azure OpenAI" | "Anthropic" | "Google";
  readonly endpoints: readonly CopilotEndpoint[];
  /** False: the list leaves `supported_endpoints` out, which means chat only. */
  readonly listsEndpoints: boolean;
  /** What a call of a person costs in premium requests; 0 is a base model, open to the free plan. */
  readonly multiplier: number;
  readonly contextWindowTokens: number;
  readonly maxPromptTokens: number;
  readonly maxOutputTokens: number;
  readonly vision: boolean;
  readonly efforts: readonly string[];
  readonly defaultEffort: string | undefined;
  /** Refuses `max_tokens` and wants `max_completion_tokens`. */
  readonly refusesMaxTokens: boolean;
  /** False: the policy of the account disables the model, so it is listed but cannot be called. */
  readonly enabled: boolean;
}

/** Every model with a complete entry. */
export const COPILOT_MODELS: readonly CopilotModel[] = Object.freeze([
  {
    id: "gpt-4.1",
    name: "GPT-4.1",
    vendor: "Azure OpenAI",
    endpoints: ["/chat/completions"],
    listsEndpoints: false,
    multiplier: 0,
    contextWindowTokens: 128_000,
    maxPromptTokens: 64_000,
    maxOutputTokens: 16_384,
    vision: true,
    efforts: [],
    defaultEffort: undefined,
    refusesMaxTokens: false,
    enabled: true,
  },
  {
    id: "gpt-5.3-codex",
    name: "GPT-5.3 Codex",
    vendor: "OpenAI",
    endpoints: ["/responses"],
    listsEndpoints: true,
    multiplier: 1,
    contextWindowTokens: 400_000,
    maxPromptTokens: 272_000,
    maxOutputTokens: 128_000,
    vision: true,
    efforts: ["low", "medium", "high", "xhigh"],
    defaultEffort: "medium",
    refusesMaxTokens: true,
    enabled: true,
  },
  {
    id: "gpt-5-mini",
    name: "GPT-5 mini",
    vendor: "Azure OpenAI",
    endpoints: ["/chat/completions", "/responses"],
    listsEndpoints: true,
    multiplier: 0,
    contextWindowTokens: 264_000,
    maxPromptTokens: 128_000,
    maxOutputTokens: 64_000,
    vision: true,
    efforts: ["low", "medium", "high"],
    defaultEffort: "medium",
    refusesMaxTokens: true,
    enabled: true,
  },
  {
    id: "claude-sonnet-4.6",
    name: "Claude Sonnet 4.6",
    vendor: "Anthropic",
    endpoints: ["/chat/completions"],
    listsEndpoints: true,
    multiplier: 1,
    contextWindowTokens: 200_000,
    maxPromptTokens: 168_000,
    maxOutputTokens: 32_000,
    vision: true,
    efforts: ["low", "medium", "high"],
    defaultEffort: undefined,
    refusesMaxTokens: false,
    enabled: true,
  },
  {
    id: "gemini-2.5-pro",
    name: "Gemini 2.5 Pro",
    vendor: "Google",
    endpoints: ["/chat/completions"],
    listsEndpoints: true,
    multiplier: 1,
    contextWindowTokens: 128_000,
    maxPromptTokens: 109_000,
    maxOutputTokens: 64_000,
    vision: true,
    efforts: [],
    defaultEffort: undefined,
    refusesMaxTokens: false,
    enabled: true,
  },
  {
    id: "gemini-3-pro",
    name: "Gemini 3 Pro",
    vendor: "Google",
    endpoints: ["/chat/completions"],
    listsEndpoints: true,
    multiplier: 1,
    contextWindowTokens: 128_000,
    maxPromptTokens: 109_000,
    maxOutputTokens: 64_000,
    vision: false,
    efforts: [],
    defaultEffort: undefined,
    refusesMaxTokens: false,
    enabled: false,
  },
]);

/** From this version on the list tells the long context of a model. */
const LONG_CONTEXT_API_VERSION = "2026-06-01";
const LONG_CONTEXT_TOKENS = 1_000_000;

/** The model that a seat may call, or undefined: unknown, no chat model, disabled, or not in the plan. */
export function findCopilotModel(id: string, seat: CopilotSeat): CopilotModel | undefined {
  const model = COPILOT_MODELS.find((one) => one.id === id);
  if (model?.enabled !== true) return undefined;
  return seat.baseModelsOnly && model.multiplier > 0 ? undefined : model;
}

/**
 * `GET /models`. `integrationId` is the client's `Copilot-Integration-Id` (multipliers are told to IDE-like clients
 * only), `apiVersion` its `X-GitHub-Api-Version`.
 */
export function copilotModelList(integrationId: string | null, apiVersion: string | null): Members {
  const long = (apiVersion ?? "") >= LONG_CONTEXT_API_VERSION;
  const models = COPILOT_MODELS.map((model) => entryOf(model, integrationId !== null, long));
  return {
    object: "list",
    data: [
      ...models,
      EMBEDDINGS,
      // Seen in real lists: an entry whose capabilities are missing, and an id that comes twice.
      { id: "oswe-vscode-preview", name: "Raptor mini (Preview)", object: "model", vendor: "OpenAI" },
      models[0],
    ],
  };
}

function entryOf(model: CopilotModel, tellsMultiplier: boolean, long: boolean): Members {
  const isClaude = model.vendor === "Anthropic";
  return {
    id: model.id,
    name: model.name,
    object: "model",
    vendor: model.vendor,
    version: model.id,
    preview: false,
    model_picker_enabled: true,
    is_chat_default: model.id === "gpt-4.1",
    is_chat_fallback: model.id === "gpt-4.1",
    ...(model.listsEndpoints
      ? { supported_endpoints: [...model.endpoints, ...(isClaude ? ["/v1/messages"] : [])] }
      : {}),
    ...(model.multiplier > 0
      ? {
        policy: {
          state: model.enabled ? "enabled" : "disabled",
          terms: `Enable access to ${model.name}.`,
        },
      }
      : {}),
    billing: {
      is_premium: model.multiplier > 0,
      ...(tellsMultiplier ? { multiplier: model.multiplier } : {}),
      ...(model.multiplier > 0 ? { restricted_to: ["pro", "pro_plus", "business", "enterprise"] } : {}),
    },
    capabilities: {
      type: "chat",
      object: "model_capabilities",
      family: model.id,
      tokenizer: "o200k_base",
      limits: {
        max_context_window_tokens: isClaude && long ? LONG_CONTEXT_TOKENS : model.contextWindowTokens,
        max_prompt_tokens: model.maxPromptTokens,
        max_output_tokens: model.maxOutputTokens,
        ...(model.vision ? { vision: VISION_LIMITS } : {}),
      },
      supports: {
        streaming: true,
        tool_calls: true,
        parallel_tool_calls: true,
        structured_outputs: !isClaude,
        ...(model.vision ? { vision: true } : {}),
        ...(model.efforts.length > 0 ? { reasoning_effort: model.efforts } : {}),
      },
    },
  };
}

const VISION_LIMITS = Object.freeze({
  max_prompt_images: 5,
  max_prompt_image_size: 3_145_728,
  supported_media_types: Object.freeze(["image/jpeg", "image/png", "image/webp", "image/gif"]),
});

const EMBEDDINGS: Members = Object.freeze({
  id: "text-embedding-3-small",
  name: "Embedding V3 small",
  object: "model",
  vendor: "Azure OpenAI",
  version: "text-embedding-3-small",
  preview: false,
  model_picker_enabled: false,
  capabilities: Object.freeze({
    type: "embeddings",
    object: "model_capabilities",
    family: "text-embedding-3-small",
    tokenizer: "cl100k_base",
    limits: Object.freeze({ max_inputs: 512 }),
    supports: Object.freeze({ dimensions: true }),
  }),
});
