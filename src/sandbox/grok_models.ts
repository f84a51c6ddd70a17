/**
 * The models of the simulated xAI and what each refuses.
 *
 * Source: facts page xai-grok, sections 6, 8 and 10.
 *
 * @module
 */
import type { Members } from "./members.ts";

/** A model and its habits. */
export interface GrokModel {
  readonly id: string;
  readonly name: string;
  readonly aliases: readonly string[];
  /** Unix seconds. */
  readonly created: number;
  readonly contextWindowTokens: number;
  readonly maxOutputTokens: number;
  /** Efforts that the model takes; none: it refuses the parameter. */
  readonly efforts: readonly string[];
  readonly defaultEffort: string | undefined;
  /** Reasoning models think by default and refuse penalties and `stop`. */
  readonly reasons: boolean;
  /** True: reasoning is visible in chat answers. */
  readonly showsReasoning: boolean;
}

/** Every model that both rails list. */
export const GROK_MODELS: readonly GrokModel[] = Object.freeze([
  {
    id: "grok-4.6",
    name: "Grok 4.6",
    aliases: ["grok-4.6-build"],
    created: 1_784_505_600,
    contextWindowTokens: 500_000,
    maxOutputTokens: 65_536,
    efforts: ["low", "medium", "high", "xhigh"],
    defaultEffort: "high",
    reasons: true,
    showsReasoning: false,
  },
  {
    id: "grok-4.5",
    name: "Grok 4.5",
    aliases: [],
    created: 1_778_025_600,
    contextWindowTokens: 500_000,
    maxOutputTokens: 65_536,
    efforts: ["low", "medium", "high"],
    defaultEffort: "high",
    reasons: true,
    showsReasoning: false,
  },
  {
    id: "grok-4.3",
    name: "Grok 4.3",
    aliases: ["grok-4", "grok-latest"],
    created: 1_776_211_200,
    contextWindowTokens: 1_000_000,
    maxOutputTokens: 65_536,
    efforts: ["none", "low", "medium", "high"],
    defaultEffort: "low",
    reasons: true,
    showsReasoning: false,
  },
  {
    id: "grok-4.20-0309-non-reasoning",
    name: "Grok 4.20 (non-reasoning)",
    aliases: ["grok-4.20-non-reasoning"],
    created: 1_773_014_400,
    contextWindowTokens: 2_000_000,
    maxOutputTokens: 65_536,
    efforts: [],
    defaultEffort: undefined,
    reasons: false,
    showsReasoning: false,
  },
  {
    id: "grok-build-0.1",
    name: "Grok Build",
    aliases: [],
    created: 1_779_235_200,
    contextWindowTokens: 256_000,
    maxOutputTokens: 65_536,
    efforts: [],
    defaultEffort: undefined,
    reasons: true,
    showsReasoning: false,
  },
  {
    id: "grok-3-mini",
    name: "Grok 3 mini",
    aliases: ["grok-3-mini-fast"],
    created: 1_743_724_800,
    contextWindowTokens: 131_072,
    maxOutputTokens: 32_768,
    efforts: ["low", "medium", "high"],
    defaultEffort: "low",
    reasons: true,
    showsReasoning: true,
  },
]);

/** The model of that id or alias. */
export function findGrokModel(id: unknown): GrokModel | undefined {
  return GROK_MODELS.find((model) => model.id === id || model.aliases.some((alias) => alias === id));
}

/** `GET /models` of the CLI proxy: camelCase, with what the CLI wants to know. */
export function proxyModelList(): Members {
  return {
    object: "list",
    data: GROK_MODELS.map((model) => ({
      id: model.id,
      object: "model",
      created: model.created,
      owned_by: "xai",
      model: model.id,
      name: model.name,
      description: `${model.name}, simulated`,
      contextWindow: model.contextWindowTokens,
      apiBackend: "responses",
      supportsReasoningEffort: model.efforts.length > 0,
      ...(model.defaultEffort === undefined ? {} : { reasoningEffort: model.defaultEffort }),
      reasoningEfforts: model.efforts.map((value) => ({
        value,
        label: value,
        description: `Reasoning effort ${value}`,
        default: value === model.defaultEffort,
      })),
      supportsBackendSearch: false,
      maxCompletionTokens: model.maxOutputTokens,
      streamToolCalls: false,
      supportedInApi: true,
      hidden: false,
      _meta: { agentType: "grok-build" },
    })),
  };
}

/** `GET /models` of api.x.ai: OpenAI's shape and nothing more. */
export function apiModelList(): Members {
  return { object: "list", data: GROK_MODELS.map(apiModel) };
}

/** `GET /models/{id}` of api.x.ai. */
export function apiModel(model: GrokModel): Members {
  return { id: model.id, created: model.created, object: "model", owned_by: "xai" };
}
