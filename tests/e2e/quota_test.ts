/**
 * Quota in sight: as headers of every answer, and as a document of the caller's subscription.
 */
import assert from "node:assert/strict";
import type { ProviderId } from "../../src/provider/provider.ts";
import { type Rig, startRig } from "./rig.ts";

async function readStatus(rig: Rig, jwt: string, path = "/v1/subscription/status"): Promise<unknown> {
  const response = await fetch(rig.origin + path, { headers: { authorization: `Bearer ${jwt}` } });
  assert.equal(response.status, 200, await response.clone().text());
  assert.equal(response.headers.get("cache-control"), "no-store");
  return await response.json();
}

function call(rig: Rig, jwt: string, model: string, stream = false): Promise<Response> {
  return fetch(`${rig.origin}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${jwt}`, "content-type": "application/json" },
    body: JSON.stringify({ model, stream, messages: [{ role: "user", content: "Hello" }] }),
  });
}

async function limitsOf(response: Response): Promise<Record<string, string>> {
  await response.body?.cancel();
  const limits = [...response.headers].filter(([name]) => name.startsWith("x-ratelimit-"));
  return Object.fromEntries(limits.map(([name, value]) => [name.slice("x-ratelimit-".length), value]));
}

// The rig's clock stands at Sunday 2026-11-22 and moves 5 s with the sign-in.
const capturedAt = Date.UTC(2026, 10, 22, 0, 0, 5) / 1000;
const monday = Date.UTC(2026, 10, 23) / 1000;
const december = Date.UTC(2026, 11, 1) / 1000;

Deno.test("the status of a ChatGPT plan has its windows by length", async () => {
  await using rig = await startRig();
  const jwt = await rig.signIn("openai");
  const status = await readStatus(rig, jwt);
  const fiveHours = Math.ceil(capturedAt / 18_000) * 18_000;
  const week = Math.ceil(capturedAt / 604_800) * 604_800;
  assert.deepEqual(status, {
    object: "subscription_status",
    captured_at: capturedAt,
    provider: "openai",
    plan: "plus",
    rate_limits: {
      default: {
        name: "codex",
        allowed: true,
        limit_reached: false,
        windows: [
          {
            window_label: "5h",
            window_seconds: 18_000,
            used_percent: 12,
            remaining_percent: 88,
            reset_at: fiveHours,
            reset_after_seconds: fiveHours - capturedAt,
          },
          {
            window_label: "weekly",
            window_seconds: 604_800,
            used_percent: 5,
            remaining_percent: 95,
            reset_at: week,
            reset_after_seconds: week - capturedAt,
          },
        ],
      },
      additional: [],
    },
    credits: { unit: "credits", balance: 0, unlimited: false },
  });
  assert.deepEqual(await readStatus(rig, jwt, "/v1/account/rate_limits"), status);
});

Deno.test("the status of a Grok plan has the pool of the week", async () => {
  await using rig = await startRig();
  assert.deepEqual(await readStatus(rig, await rig.signIn("xai")), {
    object: "subscription_status",
    captured_at: capturedAt,
    provider: "xai",
    plan: "supergrok",
    rate_limits: {
      default: {
        name: "subscription",
        limit_reached: false,
        windows: [{
          window_label: "weekly",
          window_seconds: 604_800,
          used_percent: 4,
          remaining_percent: 96,
          reset_at: monday,
          reset_after_seconds: monday - capturedAt,
        }],
      },
      additional: [],
    },
    credits: { unit: "usd_cents", balance: 0, on_demand_limit: 0, on_demand_used: 0 },
  });
  const free = await readStatus(rig, await rig.signIn("xai", "dave"));
  assert.equal((free as { plan: string }).plan, "free");
});

Deno.test("the status of a Copilot seat counts premium requests, that of a free one chats", async () => {
  await using rig = await startRig();
  const jwt = await rig.signIn("github");
  const spend = await call(rig, jwt, "claude-sonnet-4.6");
  assert.equal(spend.status, 200, await spend.text());
  const window = { window_label: "monthly", reset_at: december };
  assert.deepEqual(await readStatus(rig, jwt), {
    object: "subscription_status",
    captured_at: capturedAt,
    provider: "github",
    plan: "individual",
    rate_limits: {
      default: {
        name: "premium_interactions",
        limit_reached: false,
        overage_permitted: false,
        windows: [{
          ...window,
          used_percent: 0.33,
          remaining_percent: 99.67,
          request_limit: 300,
          requests_remaining: 299,
          reset_after_seconds: december - capturedAt,
        }],
      },
      additional: [
        { name: "chat", unlimited: true, windows: [] },
        { name: "completions", unlimited: true, windows: [] },
      ],
    },
  });
  const free = await readStatus(rig, await rig.signIn("github", "frank")) as {
    plan: string;
    rate_limits: { default: { name: string; windows: { requests_remaining: number }[] } };
  };
  assert.equal(free.plan, "free");
  assert.equal(free.rate_limits.default.name, "chat");
  assert.equal(free.rate_limits.default.windows[0]?.requests_remaining, 50);
});

Deno.test("the status tells an upstream's refusal as every route does, and renews a token that it refuses", async () => {
  await using rig = await startRig();
  const upstreams = { openai: "chatgpt", xai: "grok", github: "copilot" } as const;
  for (const provider of ["openai", "xai", "github"] as const) {
    const jwt = await rig.signIn(provider);
    const answerTo = async (status: number): Promise<Response> => {
      const upstream = upstreams[provider];
      rig.sandbox.control.addFault({ upstream, on: "user", kind: { type: "status", status } });
      return await fetch(`${rig.origin}/v1/subscription/status`, {
        headers: { authorization: `Bearer ${jwt}` },
      });
    };
    const unavailable = await answerTo(503);
    assert.equal(unavailable.status, 503, provider);
    const { error } = await unavailable.json();
    assert.equal(typeof error.message, "string");
    assert.equal(error.type, "server_error");
    const renewed = await answerTo(401);
    assert.equal(renewed.status, 200, `${provider}: ${await renewed.text()}`);
  }
});

Deno.test("every answer to a call carries the limits, streams and documents alike", async () => {
  const grok = {
    "limit-requests": "8300",
    "limit-tokens": "53000000",
    "remaining-requests": "8300",
    "remaining-tokens": "53000000",
  };
  const untilDecember = "215h59m55s";
  const cases: readonly (readonly [ProviderId, string, string, Record<string, string>])[] = [
    ["openai", "ada", "gpt-5.5", {
      "limit-requests": "100",
      "remaining-requests": "88",
      "reset-requests": "3h59m55s",
    }],
    ["xai", "ada", "grok-4.5", grok],
    ["github", "ada", "gpt-4.1", {
      "limit-requests": "300",
      "remaining-requests": "300",
      "reset-requests": untilDecember,
    }],
  ];
  for (const [provider, user, model, expected] of cases) {
    await using rig = await startRig();
    const jwt = await rig.signIn(provider, user);
    for (const stream of [false, true]) {
      const response = await call(rig, jwt, model, stream);
      assert.equal(response.status, 200);
      assert.deepEqual(await limitsOf(response), expected, `${provider} ${stream}`);
    }
  }
});

Deno.test("refusals carry the limits too, and browsers may read them", async () => {
  const cases: readonly (readonly [ProviderId, string, string, string])[] = [
    ["openai", "gpt-5.5", "0", "3h59m55s"],
    ["github", "gpt-4.1", "0", "215h59m55s"],
  ];
  for (const [provider, model, remaining, reset] of cases) {
    await using rig = await startRig();
    const jwt = await rig.signIn(provider, "erin");
    for (const stream of [false, true]) {
      const response = await call(rig, jwt, model, stream);
      assert.ok([402, 429].includes(response.status), String(response.status));
      const exposed = response.headers.get("access-control-expose-headers")?.split(",") ?? [];
      const limits = await limitsOf(response);
      assert.equal(limits["remaining-requests"], remaining);
      assert.equal(limits["reset-requests"], reset);
      for (const name of Object.keys(limits)) assert.ok(exposed.includes(`x-ratelimit-${name}`), name);
    }
  }
});
