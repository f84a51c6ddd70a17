import assert from "node:assert/strict";
import { createCopilot } from "../../src/provider/copilot.ts";
import { exchangeCopilotToken, judgeExchange } from "../../src/provider/copilot_exchange.ts";
import { copilotDefaults } from "../../src/provider/copilot_settings.ts";
import { judgeUser } from "../../src/provider/copilot_sign_in.ts";
import type { Grant } from "../../src/provider/provider.ts";
import { challengePage, json, noAbort, nowMs, runtime, withUpstream } from "./stub_upstream.ts";

const identity = { githubToken: "ghu_canary0123456789", accountId: "42" };
const token =
  "tid=canary;exp=1;sku=yearly_subscriber;proxy-ep=proxy.business.githubcopilot.com;chat=1:abcdef";
const grant: Grant = {
  accessToken: token,
  accessExpiresAtMs: 1,
  refreshToken: identity.githubToken,
  accountId: "42",
  attributes: { apiUrl: "https://api.individual.githubcopilot.com" },
};

Deno.test("judgeUser() keeps the numeric id and nothing else", async () => {
  const { githubToken } = identity;
  assert.deepEqual(
    await judgeUser(json(200, { id: 42, login: "ada", email: "a@b.test" }), githubToken, nowMs),
    {
      kind: "advanced",
      flow: { githubToken, accountId: "42" },
    },
  );
  const cases: readonly (readonly [Response, string, string])[] = [
    [json(401, { message: "Bad credentials" }), "failed", "bad_credentials"],
    [json(404, { message: "Not Found" }), "failed", "http_404"],
    [json(403, { message: "API rate limit exceeded" }), "unavailable", "http_403"],
    [json(500, {}), "unavailable", "http_500"],
    [json(200, { id: "42" }), "unavailable", "http_200"],
    [challengePage(), "unavailable", "http_403"],
  ];
  for (const [response, kind, reason] of cases) {
    const outcome = await judgeUser(response, githubToken, nowMs);
    assert.deepEqual([outcome.kind, "reason" in outcome && outcome.reason], [kind, reason]);
    assert.ok(!JSON.stringify(outcome).includes("canary"));
  }
});

Deno.test("judgeExchange() takes the API host from the answer, then from the token, then the common one", async () => {
  const cases: readonly (readonly [Record<string, unknown>, string])[] = [
    [
      { token, endpoints: { api: "https://api.enterprise.githubcopilot.com/" } },
      "https://api.enterprise.githubcopilot.com",
    ],
    [{ token, endpoints: { api: "http://127.0.0.1:4100/capi" } }, "http://127.0.0.1:4100/capi"],
    [{ token, endpoints: { api: "http://evil.test" } }, "https://api.business.githubcopilot.com"],
    [{ token, endpoints: { api: "https://u@evil.test" } }, "https://api.business.githubcopilot.com"],
    [{ token }, "https://api.business.githubcopilot.com"],
    [{ token: "tid=1;exp=2:mac" }, "https://api.githubcopilot.com"],
    [{ token: "tid=1;proxy-ep=evil.test/x:mac" }, "https://api.githubcopilot.com"],
  ];
  for (const [body, apiUrl] of cases) {
    const outcome = await judgeExchange(json(200, { ...body, expires_at: 1_800_000_000 }), identity, nowMs);
    assert.deepEqual(outcome, {
      kind: "granted",
      grant: {
        accessToken: body["token"],
        accessExpiresAtMs: 1_800_000_000_000,
        refreshToken: identity.githubToken,
        accountId: "42",
        attributes: { apiUrl },
      },
    });
  }
});

Deno.test("judgeExchange() takes a short life for a token that names none", async () => {
  const outcome = await judgeExchange(json(200, { token }), identity, nowMs);
  assert.equal(outcome.kind === "granted" && outcome.grant.accessExpiresAtMs, nowMs + 20 * 60 * 1000);
});

Deno.test("judgeExchange() uses the token of an OAuth App directly", async () => {
  const app = { githubToken: "gho_canary0123456789", accountId: "42" };
  const outcome = await judgeExchange(json(404, { message: "Not Found" }), app, nowMs);
  assert.deepEqual(outcome, {
    kind: "granted",
    grant: {
      accessToken: app.githubToken,
      accessExpiresAtMs: nowMs + 365 * 24 * 3600 * 1000,
      refreshToken: app.githubToken,
      accountId: "42",
      attributes: { apiUrl: "https://api.githubcopilot.com", direct: "true" },
    },
  });
});

Deno.test("exchangeCopilotToken() asks for the account's own host when the token is used directly", async () => {
  const app = { githubToken: "gho_canary0123456789", accountId: "42" };
  const own = "https://api.business.githubcopilot.com";
  const common = "https://api.githubcopilot.com";
  const cases: readonly (readonly [Response, string | undefined, string | undefined])[] = [
    [json(200, { endpoints: { api: `${own}/` } }), own, undefined],
    [json(200, { endpoints: { api: "http://evil.test" } }), common, undefined],
    [json(200, { copilot_plan: "business" }), common, undefined],
    [json(403, { message: "no" }), common, undefined],
    [challengePage(), common, undefined],
    [json(503, {}), undefined, "http_503"],
  ];
  for (const [response, apiUrl, reason] of cases) {
    const answer = ({ path }: { path: string }) =>
      path === "/copilot_internal/user" ? response : json(404, { message: "Not Found" });
    await withUpstream(answer, async (origin, received) => {
      const settings = { ...copilotDefaults, githubApiUrl: origin };
      const outcome = await exchangeCopilotToken(app, settings, runtime, noAbort());
      assert.equal(outcome.kind === "granted" ? outcome.grant.attributes["apiUrl"] : undefined, apiUrl);
      assert.equal(outcome.kind === "unavailable" ? outcome.reason : undefined, reason);
      assert.deepEqual(received.map(({ path, headers }) => [path, headers["authorization"]]), [
        ["/copilot_internal/v2/token", `token ${app.githubToken}`],
        ["/copilot_internal/user", `token ${app.githubToken}`],
      ]);
    });
  }
});

Deno.test("judgeExchange() tells a missing seat from a dead token and from a hiccup", async () => {
  const noAccess = {
    error_details: { message: "No access to GitHub Copilot found.", notification_id: "no_copilot_access" },
    message: "Resource not accessible by integration",
  };
  const cases: readonly (readonly [Response, string, string | undefined])[] = [
    [json(401, { message: "Bad credentials" }), "bad_credentials", undefined],
    [json(403, noAccess), "no_access", "no_copilot_access"],
    [
      json(403, { error_details: { message: "Contact Support. You are currently logged in as X" } }),
      "no_access",
      "suspended",
    ],
    [
      json(403, { message: "Resource not accessible by personal access token" }),
      "no_access",
      "no_copilot_access",
    ],
    [
      json(403, { message: "SAML" }, { "x-github-sso": "required; url=https://x.test" }),
      "no_access",
      "saml_enforcement",
    ],
    [json(404, { message: "Not Found" }), "no_access", "exchange_not_found"],
    [json(403, { message: "API rate limit exceeded for user ID 1" }), "unavailable", "http_403"],
    [json(403, { error_details: { notification_id: "server_error" } }), "unavailable", "http_403"],
    [json(502, {}), "unavailable", "http_502"],
    [challengePage(), "unavailable", "http_403"],
    [json(200, {}), "unavailable", "http_200"],
  ];
  for (const [response, kind, reason] of cases) {
    const outcome = await judgeExchange(response, identity, nowMs);
    assert.deepEqual([outcome.kind, "reason" in outcome ? outcome.reason : undefined], [kind, reason]);
    if (outcome.kind === "no_access") assert.match(outcome.message, /^[A-Z].*\.$/);
    assert.ok(!JSON.stringify(outcome).includes("canary"));
  }
});

Deno.test("Copilot's sign-in goes from device code over user and seat to grant", async () => {
  let polls = 0;
  const answers: Record<string, () => Response> = {
    "/login/device/code": () =>
      json(200, {
        device_code: "canary-device",
        user_code: "ABCD-1234",
        verification_uri: "https://github.com/login/device",
        expires_in: 900,
        interval: 5,
      }),
    "/login/oauth/access_token": () =>
      ++polls === 1
        ? json(200, { error: "slow_down", interval: 10 })
        : json(200, { access_token: identity.githubToken, token_type: "bearer", scope: "read:user" }),
    "/api/user": () => json(200, { id: 42, login: "ada" }),
    "/api/copilot_internal/v2/token": () => json(200, { token, expires_at: 1_800_000_000 }),
  };
  await withUpstream(({ path }) => answers[path]?.() ?? json(404, {}), async (origin, received) => {
    const settings = { ...copilotDefaults, githubUrl: origin, githubApiUrl: `${origin}/api` };
    const { signIn } = createCopilot(settings, runtime);
    const start = await signIn.start(noAbort());
    assert.ok(start.kind === "started");
    assert.equal(start.signIn.verificationUrl, "https://github.com/login/device");
    const { flow } = start.signIn;
    assert.deepEqual(await signIn.advance(flow, noAbort()), { kind: "slow_down", intervalMs: 10_000 });
    const steps = [flow];
    while (true) {
      // What the caller keeps between two steps is JSON.
      const outcome = await signIn.advance(JSON.parse(JSON.stringify(steps.at(-1))), noAbort());
      if (outcome.kind === "advanced") steps.push(outcome.flow);
      else {
        assert.ok(outcome.kind === "granted");
        assert.deepEqual(outcome.grant, {
          accessToken: token,
          accessExpiresAtMs: 1_800_000_000_000,
          refreshToken: identity.githubToken,
          accountId: "42",
          attributes: { apiUrl: "https://api.business.githubcopilot.com" },
        });
        break;
      }
    }
    assert.deepEqual(steps, [
      { deviceCode: "canary-device" },
      { githubToken: identity.githubToken },
      { githubToken: identity.githubToken, accountId: "42" },
    ]);
    assert.deepEqual(received.map(({ method, path }) => `${method} ${path}`), [
      "POST /login/device/code",
      "POST /login/oauth/access_token",
      "POST /login/oauth/access_token",
      "GET /api/user",
      "GET /api/copilot_internal/v2/token",
    ]);
    assert.equal(received[0]?.body, "client_id=Iv1.b507a08c87ecfe98&scope=read%3Auser");
    const expected = {
      authorization: `token ${identity.githubToken}`,
      accept: "application/json",
      "editor-version": "vscode/1.107.0",
      "editor-plugin-version": "copilot-chat/0.35.0",
      "copilot-integration-id": "vscode-chat",
      "user-agent": "GitHubCopilotChat/0.35.0",
      "x-github-api-version": "2025-04-01",
    };
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(received[4]?.headers[name], value, name);
    }
  });
});

Deno.test("Copilot's sign-in fails with a clear sentence when the account has no seat", async () => {
  const body = {
    error_details: { notification_id: "no_copilot_access" },
    message: "Resource not accessible",
  };
  await withUpstream(() => json(403, body), async (origin) => {
    const { signIn } = createCopilot({ ...copilotDefaults, githubApiUrl: origin }, runtime);
    assert.deepEqual(await signIn.advance(identity, noAbort()), {
      kind: "failed",
      message:
        "This GitHub account has no active Copilot subscription. Get one, or sign in with another account.",
      reason: "no_copilot_access",
    });
  });
});

Deno.test("refresh() ends the grant only when GitHub refuses the GitHub token", async () => {
  const cases: readonly (readonly [Response, unknown])[] = [
    [
      json(200, {
        token: "tid=2",
        expires_at: 1_800_000_000,
        endpoints: { api: "https://api.business.githubcopilot.com" },
      }),
      {
        kind: "refreshed",
        grant: {
          ...grant,
          accessToken: "tid=2",
          accessExpiresAtMs: 1_800_000_000_000,
          attributes: { apiUrl: "https://api.business.githubcopilot.com" },
        },
      },
    ],
    [json(401, { message: "Bad credentials" }), { kind: "ended", reason: "bad_credentials" }],
    [json(403, { message: "Resource not accessible by integration" }), {
      kind: "unavailable",
      reason: "no_copilot_access",
    }],
    [json(500, {}), { kind: "unavailable", reason: "http_500" }],
  ];
  for (const [response, expected] of cases) {
    await withUpstream(() => response, async (origin, received) => {
      const copilot = createCopilot({ ...copilotDefaults, githubApiUrl: origin }, runtime);
      assert.deepEqual(await copilot.refresh(grant, noAbort()), expected);
      assert.deepEqual(received.map(({ method, path }) => `${method} ${path}`), [
        "GET /copilot_internal/v2/token",
      ]);
    });
  }
});
