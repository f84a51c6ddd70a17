import assert from "node:assert/strict";
import { chatGptQuotaHeaders, readChatGptQuota } from "../../src/provider/chatgpt_quota.ts";
import { nowMs } from "./stub_upstream.ts";

const nowS = nowMs / 1000;

/** As a client gets it: members that nobody told are not there. */
function read(document: unknown): unknown {
  const quota = readChatGptQuota(JSON.stringify(document), nowMs);
  return quota === undefined ? undefined : JSON.parse(JSON.stringify(quota));
}

const fiveHours = {
  used_percent: 15,
  limit_window_seconds: 18_000,
  reset_after_seconds: 9000,
  reset_at: nowS + 9000,
};
const week = {
  used_percent: 5,
  limit_window_seconds: 604_800,
  reset_after_seconds: 300_000,
  reset_at: nowS + 300_000,
};
const fiveHoursRead = {
  label: "5h",
  usedPercent: 15,
  windowSeconds: 18_000,
  resetsAtMs: nowMs + 9_000_000,
};
const weekRead = {
  label: "weekly",
  usedPercent: 5,
  windowSeconds: 604_800,
  resetsAtMs: nowMs + 300_000_000,
};

Deno.test("readChatGptQuota() reads a whole document", () => {
  const document = {
    plan_type: "plus",
    rate_limit: {
      allowed: true,
      limit_reached: false,
      primary_window: fiveHours,
      secondary_window: week,
    },
    code_review_rate_limit: { allowed: true, limit_reached: false, primary_window: week },
    additional_rate_limits: [
      { limit_name: "codex_other", metered_feature: "codex_bengalfox", rate_limit: null },
      {
        limit_name: "GPT-5.3-Codex-Spark",
        metered_feature: "codex_bengalfox",
        rate_limit: {
          allowed: false,
          limit_reached: true,
          primary_window: { ...fiveHours, used_percent: 100 },
        },
      },
      { metered_feature: "codex_unnamed", rate_limit: { allowed: true, primary_window: week } },
    ],
    credits: { has_credits: true, unlimited: false, balance: "12.5", approx_local_messages: [0, 0] },
    spend_control: {
      reached: false,
      individual_limit: { limit: "50", used: "10", remaining: "40", used_percent: 20, reset_at: nowS + 60 },
    },
    rate_limit_reached_type: { type: "rate_limit_reached" },
    rate_limit_reset_credits: { available_count: 0 },
    promo: null,
  };
  assert.deepEqual(read(document), {
    plan: "plus",
    main: { name: "codex", allowed: true, reached: false, windows: [fiveHoursRead, weekRead] },
    additional: [
      { name: "code_review", allowed: true, reached: false, windows: [weekRead] },
      {
        name: "GPT-5.3-Codex-Spark",
        allowed: false,
        reached: true,
        windows: [{ ...fiveHoursRead, usedPercent: 100 }],
      },
      { name: "codex_unnamed", allowed: true, windows: [weekRead] },
      { name: "spend_control", reached: false, windows: [{ usedPercent: 20, resetsAtMs: nowMs + 60_000 }] },
    ],
    reachedType: "rate_limit_reached",
    credits: { unit: "credits", balance: 12.5, unlimited: false },
  });
});

Deno.test("readChatGptQuota() knows windows by their length and not by their slot", () => {
  const month = { used_percent: 3, limit_window_seconds: 2_592_000, reset_at: nowS + 60 };
  const cases: readonly (readonly [unknown, unknown, readonly string[]])[] = [
    [week, null, ["weekly"]],
    [week, fiveHours, ["5h", "weekly"]],
    [month, undefined, ["30d"]],
    [null, fiveHours, ["5h"]],
    [{ used_percent: 1, limit_window_seconds: 900 }, {}, ["15m"]],
  ];
  for (const [primary_window, secondary_window, labels] of cases) {
    const quota = readChatGptQuota(
      JSON.stringify({ rate_limit: { primary_window, secondary_window } }),
      nowMs,
    );
    assert.deepEqual(quota?.main?.windows.map(({ label }) => label), labels);
  }
});

Deno.test("readChatGptQuota() leaves out what was not told, and invents nothing", () => {
  const nothing = { additional: [] };
  const cases: readonly (readonly [unknown, unknown])[] = [
    [{}, nothing],
    [{ plan_type: null, rate_limit: null, credits: null, spend_control: null }, nothing],
    [
      { plan_type: "", rate_limit: {}, credits: {}, spend_control: {}, additional_rate_limits: null },
      nothing,
    ],
    [{ additional_rate_limits: [null, 7, {}, { limit_name: "x" }, { rate_limit: {} }] }, nothing],
    [{ plan_type: "a_plan_of_2027" }, { plan: "a_plan_of_2027", additional: [] }],
    [{ rate_limit_reached_type: null }, nothing],
    [
      { rate_limit: { allowed: false, primary_window: null, secondary_window: null } },
      { main: { name: "codex", allowed: false, windows: [] }, additional: [] },
    ],
    // An empty slot, as it is sent.
    [
      {
        rate_limit: {
          allowed: true,
          primary_window: week,
          secondary_window: {
            used_percent: 0,
            limit_window_seconds: 0,
            reset_after_seconds: 0,
            reset_at: 0,
          },
        },
      },
      { main: { name: "codex", allowed: true, windows: [weekRead] }, additional: [] },
    ],
    // Numbers as strings, no absolute reset.
    [
      {
        rate_limit: {
          primary_window: { used_percent: "15", limit_window_seconds: "18000", reset_after_seconds: "9000" },
        },
      },
      { main: { name: "codex", windows: [fiveHoursRead] }, additional: [] },
    ],
    [
      { rate_limit: { primary_window: { limit_window_seconds: 18_000 } } },
      { main: { name: "codex", windows: [{ label: "5h", windowSeconds: 18_000 }] }, additional: [] },
    ],
    [
      { rate_limit: { primary_window: { used_percent: 130.5, limit_window_seconds: 18_000 } } },
      {
        main: { name: "codex", windows: [{ label: "5h", windowSeconds: 18_000, usedPercent: 100 }] },
        additional: [],
      },
    ],
    [{ credits: { balance: 7 } }, { additional: [], credits: { unit: "credits", balance: 7 } }],
    [{ credits: { balance: "" } }, nothing],
    [
      { spend_control: { reached: true, individual_limit: null } },
      { additional: [{ name: "spend_control", reached: true, windows: [] }] },
    ],
    [
      { spend_control: { individual_limit: { remaining_percent: "25" } } },
      { additional: [{ name: "spend_control", windows: [{ usedPercent: 75 }] }] },
    ],
  ];
  for (const [document, expected] of cases) {
    assert.deepEqual(read(document), expected, JSON.stringify(document));
  }
});

Deno.test("readChatGptQuota() refuses what is no such document", () => {
  for (const text of ["", "<html>", "[]", "null", '{"detail":"Unauthorized"}', '{"error":{"message":"x"}}']) {
    assert.equal(readChatGptQuota(text, nowMs), undefined, text);
  }
});

const both = {
  "x-codex-active-limit": "codex",
  "x-codex-primary-used-percent": "12.0",
  "x-codex-primary-window-minutes": "300",
  "x-codex-primary-reset-at": String(nowS + 360),
  "x-codex-secondary-used-percent": "40.5",
  "x-codex-secondary-window-minutes": "10080",
  "x-codex-secondary-reset-at": String(nowS + 90_061),
};

Deno.test("chatGptQuotaHeaders() tells the tightest window in percent", () => {
  const cases:
    readonly (readonly [Record<string, string>, readonly [string, string | undefined] | undefined])[] = [
      [both, ["60", "25h1m1s"]],
      [{ ...both, "x-codex-primary-used-percent": "100.0" }, ["0", "6m0s"]],
      // As tight as each other: the later reset is the one that lasts.
      [{ ...both, "x-codex-primary-used-percent": "100", "x-codex-secondary-used-percent": "100" }, [
        "0",
        "25h1m1s",
      ]],
      [{ "x-codex-secondary-used-percent": "5", "x-codex-secondary-reset-after-seconds": "59" }, [
        "95",
        "59s",
      ]],
      [{ "x-codex-primary-used-percent": "5", "x-codex-primary-window-minutes": "300" }, ["95", undefined]],
      // A reset that has passed.
      [{ "x-codex-primary-used-percent": "5", "x-codex-primary-reset-at": String(nowS - 5) }, ["95", "0s"]],
      // An empty slot.
      [{
        "x-codex-primary-used-percent": "0",
        "x-codex-primary-window-minutes": "0",
        "x-codex-primary-reset-at": "0",
      }, undefined],
      [{ "x-codex-primary-used-percent": "much" }, undefined],
      [{ "x-codex-plan-type": "plus" }, undefined],
      // The limit of the model that was called, where it has its own.
      [{
        ...both,
        "x-codex-active-limit": "codex_bengalfox",
        "x-codex-bengalfox-primary-used-percent": "75",
        "x-codex-bengalfox-primary-reset-at": String(nowS + 1),
      }, ["25", "1s"]],
      [{ ...both, "x-codex-active-limit": "premium" }, ["60", "25h1m1s"]],
      [{ ...both, "x-codex-active-limit": "no: header" }, ["60", "25h1m1s"]],
    ];
  for (const [headers, expected] of cases) {
    const [remaining, reset] = expected ?? [];
    assert.deepEqual(
      chatGptQuotaHeaders(new Headers(headers), nowMs),
      expected === undefined ? {} : {
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": remaining,
        ...(reset === undefined ? {} : { "x-ratelimit-reset-requests": reset }),
      },
      JSON.stringify(headers),
    );
  }
});
