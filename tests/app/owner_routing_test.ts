/**
 * The relay's owner: one token, up to three logins, and the model's id to choose by.
 */
import assert from "node:assert/strict";
import type { ProviderId } from "../../src/provider/provider.ts";
import { type PersonalRig, startPersonalRig } from "../e2e/personal_rig.ts";

type Upstream = "chatgpt" | "grok" | "copilot";

/** The upstream that got the latest model call, and the model that it was asked for. */
function reached(rig: PersonalRig): { readonly upstream: Upstream; readonly model: unknown } {
  const call = rig.sandbox.control.requests().findLast(({ path }) => /responses|completions/.test(path));
  assert.ok(call !== undefined, "No upstream was called.");
  const body: unknown = JSON.parse(call.body);
  assert.ok(typeof body === "object" && body !== null && "model" in body);
  return { upstream: call.upstream, model: body.model };
}

Deno.test("the owner's model ids choose the provider, and the upstream sees no prefix", async () => {
  await using rig = await startPersonalRig();
  for (const provider of ["openai", "xai", "github"] as const) await rig.login(provider);
  const cases: [string, Upstream, string][] = [
    ["gpt-5.5", "chatgpt", "gpt-5.5"],
    ["grok-4.5", "grok", "grok-4.5"],
    ["claude-sonnet-4.6", "copilot", "claude-sonnet-4.6"],
    ["openai/gpt-5.5", "chatgpt", "gpt-5.5"],
    ["chatgpt/gpt-5.5", "chatgpt", "gpt-5.5"],
    ["grok/grok-4.5", "grok", "grok-4.5"],
    ["github/gpt-5-mini", "copilot", "gpt-5-mini"],
    // Its name speaks for ChatGPT, whose list lacks it.
    ["gpt-4.1", "copilot", "gpt-4.1"],
  ];
  for (const [model, upstream, asked] of cases) {
    const response = await rig.chat(model);
    assert.equal(response.status, 200, `${model}: ${await response.text()}`);
    assert.deepEqual(reached(rig), { upstream, model: asked }, model);
  }
});

Deno.test("a prefix is cut off in every dialect, streamed too", async () => {
  await using rig = await startPersonalRig();
  await rig.login("openai");
  const bodies: [string, object][] = [
    ["/v1/chat/completions", { messages: [{ role: "user", content: "Hi" }] }],
    ["/v1/responses", { input: "Hi" }],
    ["/v1/completions", { prompt: "Hi" }],
  ];
  for (const [path, body] of bodies) {
    for (const stream of [false, true]) {
      const response = await rig.asOwner(path, { body: { model: "openai/gpt-5.5", stream, ...body } });
      const text = await response.text();
      assert.equal(response.status, 200, text);
      assert.deepEqual(reached(rig), { upstream: "chatgpt", model: "gpt-5.5" }, path);
      assert.ok(!text.includes("openai/gpt-5.5"), `${path} tells another model than it used`);
    }
  }
});

Deno.test("the lists that calls are routed by are read once in five minutes", async () => {
  await using rig = await startPersonalRig();
  for (const provider of ["openai", "github"] as const) await rig.login(provider);
  const lists = () => rig.sandbox.control.requests().filter(({ path }) => path.includes("/models")).length;
  await (await rig.chat("gpt-4.1")).text();
  const once = lists();
  assert.ok(once >= 2, String(once));
  await Promise.all([1, 2, 3].map(async () => await (await rig.chat("gpt-4.1")).text()));
  assert.equal(lists(), once);
  rig.clock.nowMs += 300_000;
  await (await rig.chat("gpt-4.1")).text();
  assert.ok(lists() > once);
});

Deno.test("a provider whose list cannot be read keeps the models that its name speaks for", async () => {
  await using rig = await startPersonalRig();
  for (const provider of ["openai", "github"] as const) await rig.login(provider);
  rig.sandbox.control.addFault({
    upstream: "chatgpt",
    on: "models",
    kind: { type: "status", status: 503 },
    times: 3,
  });
  const response = await rig.chat("gpt-5.5");
  assert.equal(response.status, 200, await response.text());
  assert.equal(reached(rig).upstream, "chatgpt");
});

Deno.test("no login at the model's provider is 503 and names the command that mends it", async () => {
  await using rig = await startPersonalRig();
  const expect = async (model: string, provider: ProviderId, name: string) => {
    const response = await rig.chat(model);
    assert.equal(response.status, 503, model);
    const { error } = await response.json();
    assert.equal(error.type, "authentication_error");
    assert.equal(error.code, "upstream_auth_missing");
    assert.ok(error.message.includes(name), error.message);
    assert.ok(error.message.includes(`authai-relay login ${provider}`), error.message);
  };
  await expect("gpt-5.5", "openai", "ChatGPT");
  await rig.login("openai");
  await expect("grok-4.5", "xai", "Grok");
  await expect("github/gpt-4.1", "github", "GitHub Copilot");
  const models = await rig.asOwner("/v1/models");
  assert.equal(models.status, 200);
});

Deno.test("an owner without any login is told so by the list of models and by the quota", async () => {
  await using rig = await startPersonalRig();
  for (const path of ["/v1/models", "/v1/models/gpt-5.5", "/v1/subscription/status"]) {
    const response = await rig.asOwner(path);
    assert.equal(response.status, 503, path);
    assert.equal((await response.json()).error.code, "upstream_auth_missing", path);
  }
});

Deno.test("a login that its provider has ended is 503 for the owner, and never a 401 that blames the token", async () => {
  await using rig = await startPersonalRig();
  await rig.login("xai");
  rig.sandbox.control.revokeGrants("grok", "ada");
  const ended = await rig.chat("grok-4.5");
  assert.equal(ended.status, 503);
  const { error } = await ended.json();
  assert.equal(error.code, "upstream_auth_rejected");
  assert.ok(error.message.includes("authai-relay login xai"), error.message);
  const after = await rig.chat("grok-4.5");
  assert.equal((await after.json()).error.code, "upstream_auth_missing");
});

Deno.test("GET /v1/models joins the lists of all logins, and each of its ids reaches its provider", async () => {
  await using rig = await startPersonalRig();
  for (const provider of ["openai", "xai", "github"] as const) await rig.login(provider);
  const response = await rig.asOwner("/v1/models");
  const list: { data: { id: string; authai: { provider: ProviderId } }[] } = await response.json();
  const ids = list.data.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, "an id is there twice");
  for (const provider of ["openai", "xai", "github"] as const) {
    assert.ok(list.data.some(({ authai }) => authai.provider === provider), provider);
  }
  const upstreams: Record<ProviderId, Upstream> = { openai: "chatgpt", xai: "grok", github: "copilot" };
  // One of each provider, and one that only a prefix can reach.
  const chosen = new Map(list.data.map((model) => [model.authai.provider, model]));
  for (const { id, authai } of chosen.values()) {
    const one = await rig.asOwner(`/v1/models/${id}`);
    assert.equal((await one.json()).id, id);
    await (await rig.asOwner("/v1/responses", { body: { model: id, input: "Hi" } })).text();
    assert.equal(reached(rig).upstream, upstreams[authai.provider], id);
  }
});

Deno.test("a model that two providers have is listed under both its ids", async () => {
  const body = JSON.stringify({ data: [{ id: "gpt-5.5", object: "model", name: "Twin" }] });
  await using rig = await startPersonalRig();
  for (const provider of ["openai", "xai"] as const) await rig.login(provider);
  rig.sandbox.control.addFault({
    upstream: "grok",
    on: "models",
    kind: { type: "status", status: 200, body, headers: { "content-type": "application/json" } },
    times: 1,
  });
  const list: { data: { id: string }[] } = await (await rig.asOwner("/v1/models")).json();
  const ids = list.data.map(({ id }) => id).filter((id) => id.includes("gpt-5.5"));
  assert.deepEqual(ids.sort(), ["gpt-5.5", "xai/gpt-5.5"]);
});

Deno.test("a list that one provider does not tell leaves the others', and says whose is missing", async () => {
  await using rig = await startPersonalRig();
  for (const provider of ["openai", "xai"] as const) await rig.login(provider);
  rig.sandbox.control.addFault({
    upstream: "grok",
    on: "models",
    kind: { type: "status", status: 503 },
    times: 5,
  });
  const response = await rig.asOwner("/v1/models");
  assert.equal(response.status, 200);
  const list = await response.json();
  assert.deepEqual(list.authai, { missing_providers: ["xai"] });
  assert.ok(list.data.length > 0);
});

Deno.test("the owner's quota is that of the first login, or of the one that is named", async () => {
  await using rig = await startPersonalRig();
  for (const provider of ["openai", "github"] as const) await rig.login(provider);
  const provider = async (query: string) =>
    (await (await rig.asOwner(`/v1/subscription/status${query}`)).json()).provider;
  assert.equal(await provider(""), "openai");
  assert.equal(await provider("?provider=github"), "github");
  const unknown = await rig.asOwner("/v1/subscription/status?provider=xai");
  assert.equal(unknown.status, 400);
  assert.equal((await unknown.json()).error.param, "provider");
});
