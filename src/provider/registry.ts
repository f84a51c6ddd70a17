/**
 * The providers of a relay, in the order in which they are offered.
 *
 * @module
 */
import { createChatGpt } from "./chatgpt.ts";
import type { ChatGptSettings } from "./chatgpt_settings.ts";
import { createCopilot } from "./copilot.ts";
import type { CopilotSettings } from "./copilot_settings.ts";
import { createGrok } from "./grok.ts";
import type { GrokSettings } from "./grok_settings.ts";
import type { Provider, ProviderId } from "./provider.ts";
import type { ProviderRuntime } from "./runtime.ts";

/** The name that providers are told where there is no app. */
export const unnamedOriginator = "authai-relay";

/** Settings of all providers: plain data. The real upstreams are `chatGptDefaults`, `grokDefaults`, `copilotDefaults`. */
export interface ProviderSettings {
  /** The app's name, told to providers that show or count it. */
  readonly originator: string;
  /** ChatGPT. */
  readonly openai: ChatGptSettings;
  /** Grok. */
  readonly xai: GrokSettings;
  /** GitHub Copilot. */
  readonly github: CopilotSettings;
  /** The providers on offer; all three when absent. The order here does not matter. */
  readonly enabled?: readonly ProviderId[];
}

/** Creates the enabled providers, always in the order openai, xai, github. Sends nothing. */
export function createProviders(settings: ProviderSettings, runtime: ProviderRuntime): readonly Provider[] {
  const all = [
    createChatGpt({ ...settings.openai, originator: settings.originator }, runtime),
    createGrok(settings.xai, runtime),
    createCopilot(settings.github, runtime),
  ];
  const { enabled } = settings;
  return Object.freeze(enabled === undefined ? all : all.filter(({ id }) => enabled.includes(id)));
}
