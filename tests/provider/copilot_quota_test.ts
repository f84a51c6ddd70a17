import assert from "node:assert/strict";
import { createCopilot } from "../../src/provider/copilot.ts";
import { copilotQuotaHeaders, readCopilotQuota } from "../../src/provider/copilot_quota.ts";
import { copilotDefaults } from "../../src/provider/copilot_settings.ts";
import { json, noAbort, nowMs, runtime, withUpstream } from "./stub_upstream.ts";

/** As a client gets it: members that nobody told are not there. */
function read(document: unknown): unknown {
  const quota = readCopilotQuota(JSON.stringify(document));
  return quota === undefined ? undefined : JSON.parse(JSON.stringify(quota));
}

const resetsAtMs = Date.UTC(2026, 11, 1);
const unlimited = { entitlement: -1, remaining: -1, percent_remaining: 100, unlimited: true };

Deno.test("readCopilotQuota() reads the snapshots of a paid plan", () => {
  const document = {
    copilot_plan: "individual",
    quota_reset_date: "2026-12-01",
    quota_reset_date_utc: "2026-12-01T00:00:00.000Z",
    quota_snapshots: {
      chat: { quota_id: "chat", ...unlimited },
      completions: { entitlement: -1 },
      premium_interactions: {
        entitlement: 300,
        remaining: 237,
        quota_remaining: 236.67,
        percent_remaining: 78.89,
        unlimited: false,
        overage_count: 0,
        overage_permitted: true,
      },
    },
  };
  assert.deepEqual(read(document), {
    plan: "individual",
    main: {
      name: "premium_interactions",
      reached: false,
      overagePermitted: true,
      windows: [{
        label: "monthly",
        usedPercent: 100 - 78.89,
        resetsAtMs,
        requestLimit: 300,
        requestsRemaining: 236.67,
      }],
    },
    additional: [
      { name: "chat", unlimited: true, windows: [] },
      { name: "completions", unlimited: true, windows: [] },
    ],
  });
});

Deno.test("readCopilotQuota() reads the two lists of the free plan, numbers or strings", () => {
  assert.deepEqual(
    read({
      copilot_plan: "free",
      monthly_quotas: { chat: "50", completions: 4000 },
      limited_user_quotas: { chat: 10, completions: "4000", other: 3 },
      limited_user_reset_date: "2026-12-01",
    }),
    {
      plan: "free",
      main: {
        name: "chat",
        reached: false,
        windows: [{
          label: "monthly",
          usedPercent: 80,
          resetsAtMs,
          requestLimit: 50,
          requestsRemaining: 10,
        }],
      },
      additional: [{
        name: "completions",
        reached: false,
        windows: [{
          label: "monthly",
          usedPercent: 0,
          resetsAtMs,
          requestLimit: 4000,
          requestsRemaining: 4000,
        }],
      }],
    },
  );
});

Deno.test("readCopilotQuota() does not take placeholders and gaps for used-up quotas", () => {
  const premium = (snapshot: unknown) => ({ quota_snapshots: { premium_interactions: snapshot } });
  const window = (members: object) => ({
    main: { name: "premium_interactions", reached: false, windows: [{ label: "monthly", ...members }] },
    additional: [],
  });
  const cases: readonly (readonly [unknown, unknown])[] = [
    // Seats that are billed by tokens.
    [premium({ entitlement: 0, remaining: 0, percent_remaining: 100, unlimited: false }), { additional: [] }],
    [premium({ entitlement: "0", remaining: 0, quota_remaining: 0 }), { additional: [] }],
    [premium({}), { additional: [] }],
    [premium(null), { additional: [] }],
    [premium({ entitlement: 300 }), { additional: [] }],
    [premium({ percent_remaining: "25" }), window({ usedPercent: 75 })],
    [
      premium({ entitlement: 300, remaining: 150 }),
      window({ usedPercent: 50, requestLimit: 300, requestsRemaining: 150 }),
    ],
    // Overdrawn.
    [
      premium({ entitlement: 300, remaining: -1, percent_remaining: -0.33, overage_permitted: false }),
      {
        main: {
          name: "premium_interactions",
          reached: true,
          overagePermitted: false,
          windows: [{ label: "monthly", usedPercent: 100, requestLimit: 300, requestsRemaining: 0 }],
        },
        additional: [],
      },
    ],
    [{ quota_reset_date: "", ...premium({ percent_remaining: 100 }) }, window({ usedPercent: 0 })],
    [{ copilot_plan: "business", quota_snapshots: null }, { plan: "business", additional: [] }],
    [{ limited_user_quotas: { chat: 5 } }, { additional: [] }],
    [{ monthly_quotas: { chat: 0 }, limited_user_quotas: { chat: 0 } }, { additional: [] }],
    [{}, { additional: [] }],
  ];
  for (const [document, expected] of cases) {
    assert.deepEqual(read(document), expected, JSON.stringify(document));
  }
  for (const text of ["", "[]", "<html>", '{"error":"x"}']) assert.equal(readCopilotQuota(text), undefined);
});

Deno.test("copilotQuotaHeaders() tells the first limited snapshot in requests", () => {
  const paid = "ent=300&ov=0.0&ovPerm=false&rem=79.0&rst=2026-12-01T00%3A00%3A00Z";
  const limited = (limit: string, remaining: string, reset?: string) => ({
    "x-ratelimit-limit-requests": limit,
    "x-ratelimit-remaining-requests": remaining,
    ...(reset === undefined ? {} : { "x-ratelimit-reset-requests": reset }),
  });
  const cases: readonly (readonly [Record<string, string>, Record<string, string>])[] = [
    [
      { "x-quota-snapshot-chat": "ent=-1&rem=100.0", "x-quota-snapshot-premium_interactions": paid },
      limited("300", "237", "216h0m0s"),
    ],
    [{ "x-quota-snapshot-premium_models": "ent=1500&rem=33.4" }, limited("1500", "501")],
    [{ "x-quota-snapshot-chat": "ent=50&rem=98.0&rst=never" }, limited("50", "49")],
    [{ "x-quota-snapshot-premium_interactions": "ent=300&rem=-0.3" }, limited("300", "0")],
    [{ "x-quota-snapshot-premium_interactions": "ent=0&rem=0" }, {}],
    [{ "x-quota-snapshot-premium_interactions": "ent=-1&rem=100" }, {}],
    [{ "x-quota-snapshot-premium_interactions": "ent=300" }, {}],
    [{ "x-quota-snapshot-premium_interactions": "%%%" }, {}],
    // GitHub's own REST limits are about something else.
    [{ "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4999" }, {}],
  ];
  for (const [headers, expected] of cases) {
    assert.deepEqual(copilotQuotaHeaders(new Headers(headers), nowMs), expected, JSON.stringify(headers));
  }
});

Deno.test("readQuota() asks GitHub with GitHub's token and not with the exchanged one", async () => {
  const grant = {
    accessToken: "canary-copilot-token",
    accessExpiresAtMs: 1,
    refreshToken: "ghu_canarygithubtoken",
    accountId: "1001",
    attributes: {},
  };
  const answer = () => json(200, { copilot_plan: "business" });
  await withUpstream(answer, async (origin, received) => {
    const copilot = createCopilot({ ...copilotDefaults, githubApiUrl: origin }, runtime);
    assert.equal((await copilot.readQuota(grant, noAbort())).kind, "quota");
    const [request] = received;
    assert.equal(request?.path, "/copilot_internal/user");
    assert.equal(request?.headers["authorization"], "token ghu_canarygithubtoken");
    assert.equal(request?.headers["x-github-api-version"], "2025-04-01");
  });
});
