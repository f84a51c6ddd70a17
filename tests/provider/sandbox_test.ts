/**
 * The three adapters against the simulated upstreams, over real sockets: what the adapters take for true and what the
 * sandbox takes for true was written from the same facts by different hands.
 *
 * @module
 */
import assert from "node:assert/strict";
import { chatGptDefaults } from "../../src/provider/chatgpt_settings.ts";
import { copilotDefaults } from "../../src/provider/copilot_settings.ts";
import { grokDefaults } from "../../src/provider/grok_settings.ts";
import type { AdvanceOutcome, Grant, Provider, ProviderId } from "../../src/provider/provider.ts";
import { sendByFetch } from "../../src/provider/http_sender.ts";
import { createProviders } from "../../src/provider/registry.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import type { JsonObject } from "../../src/wire/json.ts";
import { bodyText, noAbort, nowMs } from "./stub_upstream.ts";
import type { Dialect } from "../../src/wire/dialect.ts";

/** Secrets in a grant, by which the rest of the tests recognises them in places where they must not be. */
function secretsOf(grant: Grant): readonly string[] {
  return grant.refreshToken === undefined ? [grant.accessToken] : [grant.accessToken, grant.refreshToken];
}

interface Bed {
  readonly sandbox: Sandbox;
  readonly provider: (id: ProviderId) => Provider;
  /** Moves the clock that sandbox and adapters share. */
  readonly pass: (ms: number) => void;
}

async function withSandbox(test: (bed: Bed) => Promise<void>): Promise<void> {
  let now = nowMs;
  const clock = (): number => now;
  const sandbox = await startSandbox({ now: clock, pollIntervalSeconds: 0, accessTokenSeconds: 600 });
  const { origin } = sandbox;
  const providers = createProviders({
    originator: "Test App",
    openai: {
      ...chatGptDefaults,
      issuerUrl: `${origin}/openai/auth`,
      apiUrl: `${origin}/openai/backend-api`,
    },
    xai: { ...grokDefaults, issuerUrl: `${origin}/xai/auth`, apiUrl: `${origin}/xai/v1` },
    github: { ...copilotDefaults, githubUrl: `${origin}/github`, githubApiUrl: `${origin}/github/api` },
  }, {
    send: sendByFetch(fetch),
    fetch: (url, init) => fetch(url, init),
    now: clock,
    randomUuid: () => crypto.randomUUID(),
  });
  const provider = (id: ProviderId): Provider => {
    const found = providers.find((one) => one.id === id);
    assert.ok(found !== undefined);
    return found;
  };
  try {
    await test({ sandbox, provider, pass: (ms) => now += ms });
  } finally {
    await sandbox.shutdown();
  }
}

/** Starts a sign-in; `decide` acts for the person. Returns how it ended. */
async function signIn(
  { sign, decide }: { sign: Provider["signIn"]; decide: (userCode: string) => { readonly kind: string } },
): Promise<AdvanceOutcome> {
  const start = await sign.start(noAbort());
  assert.ok(start.kind === "started", JSON.stringify(start));
  let flow = start.signIn.flow;
  assert.deepEqual(await sign.advance(flow, noAbort()), { kind: "pending" });
  assert.equal(decide(start.signIn.userCode).kind, "done");
  while (true) {
    const outcome = await sign.advance(JSON.parse(JSON.stringify(flow)), noAbort());
    if (outcome.kind !== "advanced") return outcome;
    flow = outcome.flow;
  }
}

async function grantFor({ sandbox, provider }: Bed, id: ProviderId, user: string): Promise<Grant> {
  const decide = (code: string) => sandbox.control.approve(code, user);
  const outcome = await signIn({ sign: provider(id).signIn, decide });
  assert.ok(outcome.kind === "granted", JSON.stringify(outcome));
  return outcome.grant;
}

/** One call, prepared and sent as the relay does it; the text of what came back. */
async function ask(provider: Provider, grant: Grant, dialect: Dialect, body: JsonObject): Promise<string> {
  const prepared = provider.prepare(dialect, body);
  assert.ok(prepared.kind === "ready", JSON.stringify(prepared));
  const call = { dialect, model: String(body["model"]), body: prepared.body };
  const reply = await provider.send(call, grant, noAbort());
  assert.ok(reply.kind !== "refused", JSON.stringify(reply));
  return await bodyText(reply.body);
}

const ids: readonly ProviderId[] = ["openai", "xai", "github"];

for (const id of ids) {
  Deno.test(`${id}: sign-in, models, call, refresh and revoke work against the sandbox`, async () => {
    await withSandbox(async (bed) => {
      const provider = bed.provider(id);
      const grant = await grantFor(bed, id, "ada");
      const outcome = await provider.listModels(grant, noAbort());
      assert.ok(outcome.kind === "models", JSON.stringify(outcome));
      assert.ok(outcome.models.length > 0);
      for (const model of outcome.models) {
        const dialect = await provider.dialectFor("responses", model.id, grant, noAbort());
        // Copilot also lists entries that tell nothing about the model; those it may refuse to run.
        if (model.contextWindowTokens === undefined) continue;
        assert.ok(model.dialects.includes(dialect), model.id);
        const body = dialect === "chat"
          ? { model: model.id, stream: true, messages: [{ role: "user", content: "Hello" }] }
          : { model: model.id, stream: true, input: "Hello" };
        const text = await ask(provider, grant, dialect, body);
        assert.match(text, dialect === "chat" ? /\[DONE\]/ : /"type":\s*"response\.completed"/, model.id);
      }

      bed.pass(1000);
      const refreshed = await provider.refresh(grant, noAbort());
      assert.ok(refreshed.kind === "refreshed", JSON.stringify(refreshed));
      assert.equal(refreshed.grant.accountId, grant.accountId);
      assert.notEqual(refreshed.grant.accessToken, grant.accessToken);
      assert.ok(refreshed.grant.accessExpiresAtMs > nowMs);
      assert.equal((await provider.listModels(refreshed.grant, noAbort())).kind, "models");
      await provider.revoke(refreshed.grant, noAbort());
    });
  });

  Deno.test(`${id}: a refusal by the person ends the sign-in as denied`, async () => {
    await withSandbox(async ({ sandbox, provider }) => {
      const decide = (code: string) => sandbox.control.deny(code);
      assert.deepEqual(await signIn({ sign: provider(id).signIn, decide }), { kind: "denied" });
    });
  });

  Deno.test(`${id}: an expired access token is known as one that a refresh replaces`, async () => {
    await withSandbox(async (bed) => {
      const provider = bed.provider(id);
      const grant = await grantFor(bed, id, "ada");
      bed.pass(3 * 3600 * 1000);
      const outcome = await provider.listModels(grant, noAbort());
      assert.ok(outcome.kind === "refused", JSON.stringify(outcome));
      assert.equal(outcome.error.accessRejected, true, JSON.stringify(outcome.error));
      for (const secret of secretsOf(grant)) assert.ok(!JSON.stringify(outcome).includes(secret));
      assert.equal((await provider.refresh(grant, noAbort())).kind, "refreshed");
    });
  });

  Deno.test(`${id}: a grant that was ended at the provider cannot be refreshed`, async () => {
    await withSandbox(async (bed) => {
      const upstream = ({ openai: "chatgpt", xai: "grok", github: "copilot" } as const)[id];
      const grant = await grantFor(bed, id, "ada");
      assert.equal(bed.sandbox.control.revokeGrants(upstream, "ada").kind, "done");
      const outcome = await bed.provider(id).refresh(grant, noAbort());
      assert.equal(outcome.kind, "ended", JSON.stringify(outcome));
    });
  });

  Deno.test(`${id}: hiccups of the poll decide nothing`, async () => {
    await withSandbox(async ({ sandbox, provider, pass }) => {
      const upstream = ({ openai: "chatgpt", xai: "grok", github: "copilot" } as const)[id];
      const { signIn: sign } = provider(id);
      const start = await sign.start(noAbort());
      assert.ok(start.kind === "started");
      const kinds = [
        { type: "status", status: 503 },
        { type: "status", status: 429 },
        { type: "challenge" },
        { type: "drop" },
        { type: "slow_down" },
      ] as const;
      const seen: string[] = [];
      for (const kind of kinds) {
        sandbox.control.addFault({ upstream, on: "poll", kind });
        seen.push((await sign.advance(start.signIn.flow, noAbort())).kind);
      }
      assert.deepEqual(seen, ["unavailable", "unavailable", "unavailable", "unavailable", "slow_down"]);
      pass(60_000);
      sandbox.control.approve(start.signIn.userCode, "ada");
      const outcome = await sign.advance(start.signIn.flow, noAbort());
      assert.ok(outcome.kind === "advanced" || outcome.kind === "granted", JSON.stringify(outcome));
    });
  });

  Deno.test(`${id}: scripted failures of a call reach the client as what they are`, async () => {
    await withSandbox(async (bed) => {
      const upstream = ({ openai: "chatgpt", xai: "grok", github: "copilot" } as const)[id];
      const provider = bed.provider(id);
      const grant = await grantFor(bed, id, "ada");
      const models = await provider.listModels(grant, noAbort());
      assert.ok(models.kind === "models");
      const [model] = models.models;
      assert.ok(model !== undefined);
      const dialect = await provider.dialectFor("chat", model.id, grant, noAbort());
      const body = dialect === "chat"
        ? { model: model.id, stream: true, messages: [{ role: "user", content: "Hello" }] }
        : { model: model.id, stream: true, input: "Hello" };
      const prepared = provider.prepare(dialect, body);
      assert.ok(prepared.kind === "ready");
      const cases = [
        [{ type: "status", status: 429 }, 429],
        [{ type: "status", status: 503 }, 503],
        [{ type: "challenge" }, 503],
        [{ type: "drop" }, 502],
      ] as const;
      // A dropped call is sent once more by fetch itself when its connection was a used one: both are dropped.
      for (const [kind, status] of cases) {
        bed.sandbox.control.addFault({ upstream, on: "call", kind, times: kind.type === "drop" ? 2 : 1 });
        const reply = await provider.send(
          { dialect, model: model.id, body: prepared.body },
          grant,
          noAbort(),
        );
        assert.ok(reply.kind === "refused", kind.type);
        assert.equal(reply.error.status, status, JSON.stringify(reply.error));
        for (const secret of secretsOf(grant)) assert.ok(!JSON.stringify(reply.error).includes(secret));
      }
      bed.sandbox.control.addFault({ upstream, on: "call", kind: { type: "json_error_in_200" } });
      const reply = await provider.send({ dialect, model: model.id, body: prepared.body }, grant, noAbort());
      assert.ok(reply.kind === "refused" && reply.error.status >= 400, JSON.stringify(reply));
    });
  });
}

Deno.test("openai: colleagues of one workspace are two people who share a workspace", async () => {
  await withSandbox(async (bed) => {
    const bob = await grantFor(bed, "openai", "bob");
    const carol = await grantFor(bed, "openai", "carol");
    assert.notEqual(bob.accountId, carol.accountId);
    assert.equal(bob.attributes["workspaceId"], carol.attributes["workspaceId"]);
  });
});

Deno.test("openai: the second use of a refresh token ends the grant", async () => {
  await withSandbox(async (bed) => {
    const grant = await grantFor(bed, "openai", "ada");
    assert.equal((await bed.provider("openai").refresh(grant, noAbort())).kind, "refreshed");
    assert.deepEqual(await bed.provider("openai").refresh(grant, noAbort()), {
      kind: "ended",
      reason: "refresh_token_reused",
    });
  });
});

Deno.test("openai: every parameter of the public API is dropped or refused before the backend sees it", async () => {
  await withSandbox(async (bed) => {
    const grant = await grantFor(bed, "openai", "ada");
    const text = await ask(bed.provider("openai"), grant, "responses", {
      model: "gpt-5.5",
      input: [{ role: "system", content: "Be brief." }, { role: "user", content: "Hello" }],
      stream: false,
      temperature: 0.5,
      top_p: 0.5,
      max_output_tokens: 100,
      truncation: "auto",
      user: "u",
      metadata: { a: "b" },
      safety_identifier: "s",
      prompt_cache_retention: "24h",
      service_tier: "flex",
      stream_options: { include_obfuscation: false },
    });
    assert.match(text, /response\.completed/);
  });
});

Deno.test("github: an account without a seat fails with a sentence, and business seats go to their own host", async () => {
  await withSandbox(async (bed) => {
    const { sandbox, provider } = bed;
    const decide = (code: string) => sandbox.control.approve(code, "dave");
    const outcome = await signIn({ sign: provider("github").signIn, decide });
    assert.equal(outcome.kind === "failed" && outcome.reason, "no_copilot_access", JSON.stringify(outcome));
    const bob = await grantFor(bed, "github", "bob");
    assert.equal(bob.attributes["apiUrl"], `${sandbox.origin}/copilot/business`);
    assert.equal((await provider("github").listModels(bob, noAbort())).kind, "models");
  });
});
