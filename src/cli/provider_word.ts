/**
 * The word by which a command is told a provider.
 *
 * @module
 */
import { providerNames } from "../app/route_model.ts";
import type { Provider, ProviderId } from "../provider/provider.ts";
import type { WordSpec } from "./command.ts";

/** The word, for commands that can also do without. */
export const providerWord: WordSpec = Object.freeze<WordSpec>({
  placeholder: "openai|xai|github",
  choices: Object.keys(providerNames),
  required: false,
});

/** The provider that `word` means, or the sentence that it is not on offer. */
export function providerOf(
  word: string,
  providers: ReadonlyMap<ProviderId, Provider>,
): Provider | string {
  const id = providerNames[word];
  const provider = id === undefined ? undefined : providers.get(id);
  return provider ?? `${word} is not on offer here: the setting AUTH_AI_PROVIDERS leaves it out.`;
}
