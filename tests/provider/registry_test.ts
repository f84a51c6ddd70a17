import assert from "node:assert/strict";
import { chatGptDefaults } from "../../src/provider/chatgpt_settings.ts";
import { copilotDefaults } from "../../src/provider/copilot_settings.ts";
import { grokDefaults } from "../../src/provider/grok_settings.ts";
import type { ProviderId } from "../../src/provider/provider.ts";
import { createProviders, type ProviderSettings } from "../../src/provider/registry.ts";
import { runtimeWithFetch } from "./stub_upstream.ts";

const settings: ProviderSettings = {
  originator: "My App",
  openai: chatGptDefaults,
  xai: grokDefaults,
  github: copilotDefaults,
};
const silent = runtimeWithFetch(() => Promise.reject(new Error("Nothing is to be sent.")));

Deno.test("createProviders() offers the enabled providers in the order of the contract", () => {
  const cases: readonly (readonly [readonly ProviderId[] | undefined, readonly string[]])[] = [
    [undefined, ["openai ChatGPT", "xai Grok", "github GitHub Copilot"]],
    [["github", "openai"], ["openai ChatGPT", "github GitHub Copilot"]],
    [[], []],
  ];
  for (const [enabled, expected] of cases) {
    const providers = createProviders(enabled === undefined ? settings : { ...settings, enabled }, silent);
    assert.deepEqual(providers.map(({ id, displayName }) => `${id} ${displayName}`), expected);
  }
});

Deno.test("the defaults cannot be changed by accident", () => {
  for (const defaults of [chatGptDefaults, grokDefaults, copilotDefaults]) {
    assert.ok(Object.isFrozen(defaults));
    for (const [name, value] of Object.entries(defaults)) {
      if (name.endsWith("Url") && value !== null) assert.doesNotMatch(String(value), /\/$/);
    }
  }
});
