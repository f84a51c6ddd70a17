import assert from "node:assert/strict";
import { namedModel, routeModel, usualProvider } from "../../src/app/route_model.ts";
import type { ProviderId } from "../../src/provider/provider.ts";

Deno.test("namedModel() reads a provider before the first slash, under both of its names", () => {
  const cases: [string, ReturnType<typeof namedModel>][] = [
    ["openai/gpt-5.5", { provider: "openai", model: "gpt-5.5" }],
    ["chatgpt/gpt-5.5", { provider: "openai", model: "gpt-5.5" }],
    ["xai/grok-4.5", { provider: "xai", model: "grok-4.5" }],
    ["grok/grok-4.5", { provider: "xai", model: "grok-4.5" }],
    ["github/claude-sonnet", { provider: "github", model: "claude-sonnet" }],
    ["Copilot/a/b", { provider: "github", model: "a/b" }],
    ["anthropic/claude", undefined],
    ["gpt-5.5", undefined],
    ["/gpt-5.5", undefined],
    ["openai/", undefined],
    ["constructor/x", undefined],
  ];
  for (const [id, expected] of cases) assert.deepEqual(namedModel(id), expected, id);
});

Deno.test("usualProvider() goes by the name, and gives GitHub Copilot what nobody claims", () => {
  const cases: Record<ProviderId, string[]> = {
    openai: ["gpt-5.5", "GPT-5", "o3", "o4-mini", "codex-mini-latest", "chatgpt-4o-latest"],
    xai: ["grok-4.5", "grok-code-fast-1"],
    github: ["claude-sonnet-4.5", "gemini-3-pro", "omni", "grok", "my-gpt-5"],
  };
  for (const [provider, models] of Object.entries(cases)) {
    for (const model of models) assert.equal(usualProvider(model), provider, model);
  }
});

Deno.test("routeModel() prefers the usual provider, then one that is known to have the model", async () => {
  /** What each provider says of the model; undefined: its list cannot be read. */
  type Offers = Partial<Record<ProviderId, boolean | undefined>>;
  const cases: [string, string, Offers, ProviderId][] = [
    ["the usual one has it", "gpt-5.5", { openai: true, github: true }, "openai"],
    ["the usual one lacks it and another has it", "gpt-4.1", { openai: false, github: true }, "github"],
    ["nobody has it", "gpt-9", { openai: false, xai: false, github: false }, "openai"],
    ["the usual one does not tell", "gpt-5.5", { openai: undefined, github: true }, "openai"],
    ["only another one is signed in and has it", "gpt-4.1", { github: true }, "github"],
    ["only another one is signed in and lacks it", "grok-4.5", { github: false }, "xai"],
    ["only another one is signed in and does not tell", "grok-4.5", { github: undefined }, "xai"],
    ["of two others the one that has it", "claude", { openai: false, xai: true }, "xai"],
    ["nobody is signed in", "gpt-5.5", {}, "openai"],
  ];
  for (const [title, model, offers, expected] of cases) {
    const signedIn: ProviderId[] = (["openai", "xai", "github"] as const).filter((id) => id in offers);
    assert.equal(await routeModel(model, signedIn, (id) => Promise.resolve(offers[id])), expected, title);
  }
});

Deno.test("routeModel() reads no list when there is nothing to choose", async () => {
  const never = () => assert.fail("A list was read.");
  assert.equal(await routeModel("gpt-5.5", ["openai"], never), "openai");
  assert.equal(await routeModel("gpt-5.5", [], never), "openai");
});
