import assert from "node:assert/strict";
import { createGrok } from "../../src/provider/grok.ts";
import { grokQuotaHeaders, readGrokPlan, readGrokQuota } from "../../src/provider/grok_quota.ts";
import { grokDefaults } from "../../src/provider/grok_settings.ts";
import type { Grant, QuotaOutcome } from "../../src/provider/provider.ts";
import { json, noAbort, runtime, withUpstream } from "./stub_upstream.ts";

/** As a client gets it: members that nobody told are not there. */
function read(document: unknown): unknown {
  const quota = readGrokQuota(JSON.stringify(document));
  return quota === undefined ? undefined : JSON.parse(JSON.stringify(quota));
}

const start = "2026-11-16T00:00:00Z";
const end = "2026-11-23T00:00:00Z";
const resetsAtMs = Date.parse(end);

Deno.test("readGrokQuota() reads the pool of the week, and leaves out what was not told", () => {
  const cases: readonly (readonly [unknown, unknown])[] = [
    [
      {
        config: {
          currentPeriod: { type: "USAGE_PERIOD_TYPE_WEEKLY", start, end },
          creditUsagePercent: 4.5,
          onDemandCap: { val: 2000 },
          onDemandUsed: {},
          productUsage: [{ product: "GrokBuild", usagePercent: 4.5 }, {
            product: "GrokChat",
            usagePercent: null,
          }],
          prepaidBalance: { val: "150" },
        },
        subscriptionTier: "SuperGrokPro",
      },
      {
        plan: "supergrok_heavy",
        main: {
          name: "subscription",
          reached: false,
          windows: [{ label: "weekly", usedPercent: 4.5, windowSeconds: 604_800, resetsAtMs }],
        },
        additional: [],
        credits: { unit: "usd_cents", balance: 150, onDemandLimit: 2000, onDemandUsed: 0 },
      },
    ],
    // Some accounts get no percentage.
    [
      { config: { currentPeriod: { start, end } } },
      {
        main: { name: "subscription", windows: [{ label: "weekly", windowSeconds: 604_800, resetsAtMs }] },
        additional: [],
      },
    ],
    [
      { config: { billingPeriodStart: start, billingPeriodEnd: end, creditUsagePercent: "100" } },
      {
        main: {
          name: "subscription",
          reached: true,
          windows: [{ label: "weekly", usedPercent: 100, windowSeconds: 604_800, resetsAtMs }],
        },
        additional: [],
      },
    ],
    [
      { config: { creditUsagePercent: 4, currentPeriod: { end: "soon" } } },
      { main: { name: "subscription", reached: false, windows: [{ usedPercent: 4 }] }, additional: [] },
    ],
    [{ config: null }, { additional: [] }],
    [{ config: { prepaidBalance: null, productUsage: null, currentPeriod: null } }, { additional: [] }],
    [{}, { additional: [] }],
    [{ subscriptionTier: "GrokOfTomorrow" }, { plan: "GrokOfTomorrow", additional: [] }],
  ];
  for (const [document, expected] of cases) {
    assert.deepEqual(read(document), expected, JSON.stringify(document));
  }
  for (const text of ["", "<html>", "[]", '{"code":"permission-denied","error":"no"}']) {
    assert.equal(readGrokQuota(text), undefined, text);
  }
});

Deno.test("readGrokPlan() takes an account without a tier for a free one", () => {
  assert.equal(readGrokPlan('{"subscriptionTier":"GrokPro"}'), "supergrok");
  assert.equal(readGrokPlan('{"subscriptionTier":null}'), "free");
  assert.equal(readGrokPlan("{}"), "free");
  assert.equal(readGrokPlan('{"error":"no"}'), undefined);
  assert.equal(readGrokPlan("<html>"), undefined);
});

Deno.test("grokQuotaHeaders() passes on the six headers of OpenAI, and nothing else", () => {
  assert.deepEqual(
    grokQuotaHeaders(
      new Headers({
        "x-ratelimit-limit-requests": "8300",
        "x-ratelimit-remaining-requests": "8299",
        "x-ratelimit-limit-tokens": "53000000",
        "x-ratelimit-remaining-tokens": " 53000000 ",
        "x-ratelimit-reset-tokens": "1m30.5s",
        "x-ratelimit-reset-requests": "<b>soon</b>",
        "x-ratelimit-limit": "5",
        "x-request-id": "r",
      }),
    ),
    {
      "x-ratelimit-limit-requests": "8300",
      "x-ratelimit-limit-tokens": "53000000",
      "x-ratelimit-remaining-requests": "8299",
      "x-ratelimit-remaining-tokens": "53000000",
      "x-ratelimit-reset-tokens": "1m30.5s",
    },
  );
  assert.deepEqual(grokQuotaHeaders(new Headers()), {});
});

const grant: Grant = {
  accessToken: "canary-access-token",
  accessExpiresAtMs: 1,
  refreshToken: "canary-refresh-token",
  accountId: "sub-ada",
  attributes: {},
};

Deno.test("readQuota() asks for the plan only where the pool does not tell it", async () => {
  const pool = { config: { creditUsagePercent: 4 } };
  const cases: readonly (readonly [Record<string, Response>, string | undefined, readonly string[]])[] = [
    [{ "/billing?format=credits": json(200, { ...pool, subscriptionTier: "GrokPro" }) }, "supergrok", [
      "/billing?format=credits",
    ]],
    [
      {
        "/billing?format=credits": json(200, pool),
        "/user?include=subscription": json(200, { subscriptionTier: null }),
      },
      "free",
      ["/billing?format=credits", "/user?include=subscription"],
    ],
    // The pool is worth telling without the plan.
    [
      { "/billing?format=credits": json(200, pool), "/user?include=subscription": json(500, {}) },
      undefined,
      ["/billing?format=credits", "/user?include=subscription"],
    ],
  ];
  for (const [answers, plan, paths] of cases) {
    await withUpstream(({ path }) => answers[path] ?? json(404, {}), async (origin, received) => {
      const outcome = await createGrok({ ...grokDefaults, apiUrl: origin }, runtime).readQuota(
        grant,
        noAbort(),
      );
      assert.ok(outcome.kind === "quota");
      assert.equal(outcome.quota.plan, plan);
      assert.equal(outcome.quota.main?.windows[0]?.usedPercent, 4);
      assert.deepEqual(received.map(({ path }) => path), paths);
      for (const { headers } of received) assert.equal(headers["x-xai-token-auth"], "xai-grok-cli");
    });
  }
});

Deno.test("readQuota() tells nothing where the rail knows no subscription, and passes refusals on", async () => {
  const readAt = async (answer: Response): Promise<QuotaOutcome> => {
    let outcome: QuotaOutcome | undefined;
    await withUpstream(() => answer, async (origin) => {
      outcome = await createGrok({ ...grokDefaults, apiUrl: origin }, runtime).readQuota(grant, noAbort());
    });
    assert.ok(outcome !== undefined);
    return outcome;
  };
  assert.deepEqual(await readAt(json(404, { error: "not found" })), {
    kind: "quota",
    quota: { additional: [] },
  });
  const refused = await readAt(json(401, { error: "Invalid or expired credentials (auth_kind=bearer)" }));
  assert.ok(refused.kind === "refused" && refused.error.accessRejected);
  const unreadable = await readAt(new Response("<html>"));
  assert.ok(unreadable.kind === "refused" && unreadable.error.status === 502);
});
