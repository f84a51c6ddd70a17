/**
 * Which provider a model of the relay's owner belongs to. An app's user is signed in at one provider and needs none of this;
 * an owner has up to three logins behind one token, and only the model's id to choose by.
 *
 * @module
 */
import type { ProviderId } from "../provider/provider.ts";

/** A model id that begins with its provider. */
export interface NamedModel {
  readonly provider: ProviderId;
  /** The id without the provider: what the upstream is asked for. */
  readonly model: string;
}

/** The providers by the names that people may use: the ids of the contract, and what the products are called. */
export const providerNames: Readonly<Record<string, ProviderId>> = Object.freeze({
  openai: "openai",
  chatgpt: "openai",
  xai: "xai",
  grok: "xai",
  github: "github",
  copilot: "github",
});

/**
 * Reads `provider/model`; undefined when the id does not begin with a provider. Only the first slash counts, and the case of
 * the provider does not.
 */
export function namedModel(id: string): NamedModel | undefined {
  const slash = id.indexOf("/");
  if (slash < 1 || slash === id.length - 1) return undefined;
  const prefix = id.slice(0, slash).toLowerCase();
  const provider = Object.hasOwn(providerNames, prefix) ? providerNames[prefix] : undefined;
  return provider === undefined ? undefined : { provider, model: id.slice(slash + 1) };
}

/** The provider that a model's name speaks for. GitHub Copilot resells everybody's models, so it has what nobody else claims. */
export function usualProvider(model: string): ProviderId {
  if (/^(?:gpt-|o\d|codex|chatgpt)/i.test(model)) return "openai";
  return /^grok-/i.test(model) ? "xai" : "github";
}

/**
 * The provider for a model without a prefix. The usual one, unless it is known to lack the model, or nobody is signed in
 * there, and another one of `signedIn` is known to have it. May be one that nobody is signed in at.
 *
 * @param offers Whether the account at a provider has the model; undefined when its list cannot be read now. Asked no more
 * than the choice needs.
 */
export async function routeModel(
  model: string,
  signedIn: readonly ProviderId[],
  offers: (provider: ProviderId) => Promise<boolean | undefined>,
): Promise<ProviderId> {
  const usual = usualProvider(model);
  const others = signedIn.filter((provider) => provider !== usual);
  if (others.length === 0) return usual;
  if (signedIn.includes(usual) && await offers(usual) !== false) return usual;
  const answers = await Promise.all(others.map(offers));
  return others[answers.indexOf(true)] ?? usual;
}
