import assert from "node:assert/strict";
import { join } from "node:path";
import { ownerSessionsPath } from "../../src/credential/owner_sessions.ts";
import { type OwnerRig, startOwnerRig } from "./owner_rig.ts";

interface Report {
  readonly ok: boolean;
  readonly summary: Readonly<Record<"passed" | "warnings" | "failed" | "skipped", number>>;
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly next_steps: readonly string[];
  }[];
  readonly next_steps: readonly string[];
}

async function doctor(rig: OwnerRig, ...flags: string[]): Promise<Report & { readonly code: number }> {
  const { code, out, err } = await rig.run(["doctor", "--json", ...flags]);
  assert.equal(err, "");
  return { code, ...JSON.parse(out) };
}

function statuses({ checks }: Report): Record<string, string> {
  return Object.fromEntries(checks.map(({ name, status }) => [name, status]));
}

/** The checks that failed, with their words and what helps. */
function failures({ checks }: Report): [string, string, readonly string[]][] {
  return checks.filter(({ status }) => status === "fail").map((check) => [
    check.name,
    check.message,
    check.next_steps,
  ]);
}

Deno.test("doctor finds a healthy set-up healthy, with a relay that runs", async () => {
  await using rig = await startOwnerRig();
  for (const provider of ["openai", "xai", "github"]) await rig.run(["login", provider]);
  const report = await rig.beside(() => doctor(rig));
  assert.deepEqual(statuses(report), {
    config: "pass",
    relay_token: "pass",
    storage: "pass",
    openai_auth: "pass",
    openai_models: "pass",
    openai_response: "pass",
    xai_auth: "pass",
    xai_models: "pass",
    xai_response: "pass",
    github_auth: "pass",
    github_models: "pass",
    github_response: "pass",
    relay: "pass",
  });
  const { code, ok, summary, next_steps } = report;
  assert.deepEqual({ code, ok, summary, next_steps }, {
    code: 0,
    ok: true,
    summary: { passed: 13, warnings: 0, failed: 0, skipped: 0 },
    next_steps: [],
  });
});

Deno.test("doctor asks no model with --skip-response, and a relay that does not run is no failure", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login"]);
  const report = await doctor(rig, "--skip-response");
  assert.deepEqual(statuses(report), {
    config: "pass",
    relay_token: "pass",
    storage: "pass",
    openai_auth: "pass",
    openai_models: "pass",
    openai_response: "skip",
    xai_auth: "skip",
    github_auth: "skip",
    relay: "skip",
  });
  assert.deepEqual([report.code, report.next_steps], [0, ["authai-relay serve"]]);
  assert.equal(rig.sandbox.control.requests({ on: "call" }).length, 0);
});

Deno.test("doctor names the login commands when nobody is signed in", async () => {
  await using rig = await startOwnerRig();
  const report = await doctor(rig);
  assert.equal(report.code, 1);
  assert.deepEqual(failures(report), [[
    "upstream_auth",
    "You are not signed in anywhere, so that every model call would be refused.",
    ["authai-relay login"],
  ]]);
});

Deno.test("doctor names the login that has expired", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login", "xai"]);
  rig.clock.nowMs += 15 * 24 * 60 * 60_000;
  const report = await doctor(rig);
  assert.equal(report.code, 1);
  assert.deepEqual(failures(report), [[
    "xai_auth",
    "The login at Grok has expired.",
    ["authai-relay login xai"],
  ]]);
});

Deno.test("doctor names the login that its provider has ended", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login"]);
  rig.clock.nowMs += 2 * 60 * 60_000;
  rig.sandbox.control.addFault({
    upstream: "chatgpt",
    on: "refresh",
    kind: { type: "status", status: 400, body: '{"error":"invalid_grant"}' },
  });
  const report = await doctor(rig);
  assert.equal(report.code, 1);
  assert.deepEqual(failures(report), [[
    "openai_auth",
    "ChatGPT has ended this login.",
    ["authai-relay login openai"],
  ]]);
});

for (const laterMs of [0, 2 * 60 * 60_000]) {
  Deno.test(`doctor tells that a provider cannot be reached, ${laterMs / 60_000} minutes after the login`, async () => {
    await using rig = await startOwnerRig();
    await rig.run(["login"]);
    rig.clock.nowMs += laterMs;
    await rig.sandbox.shutdown();
    const report = await doctor(rig);
    assert.equal(report.code, 1);
    const [[name, message, steps] = ["", "", []]] = failures(report);
    assert.equal(name, "openai_models");
    assert.match(
      message,
      /^ChatGPT cannot be reached: this machine is offline, a proxy or firewall is in the way, or ChatGPT is down\.$/,
    );
    assert.deepEqual(steps, ["Check the network, then: authai-relay doctor"]);
    // Being offline signs nobody out.
    assert.equal(statuses(report)["openai_auth"], "pass");
  });
}

Deno.test("doctor passes on what a provider says to a refused call", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login"]);
  rig.sandbox.control.addFault({
    upstream: "chatgpt",
    on: "call",
    kind: { type: "status", status: 403, body: '{"detail":"Your plan ended."}' },
  });
  const [failure] = failures(await doctor(rig));
  assert.equal(failure?.[0], "openai_response");
  assert.match(failure?.[1] ?? "", /^ChatGPT refuses with status 403.*Your plan ended\./);
});

/** A way to misconfigure a rig, and the one check that has to fail. */
const misconfigured: readonly (readonly [
  what: string,
  spoil: (rig: OwnerRig) => unknown,
  name: string,
  message: RegExp,
  steps: readonly (string | RegExp)[],
])[] = [
  [
    "a bad value",
    (rig) => rig.environment["AUTH_AI_PORT"] = "canary-port",
    "config",
    /^AUTH_AI_PORT in the environment must be /,
    ["authai-relay help serve"],
  ],
  [
    "an unknown setting",
    (rig) => rig.environment["AUTH_AI_PROT"] = "1",
    "config",
    /^AUTH_AI_PROT in the environment is not a setting\. Did you mean AUTH_AI_PORT\?$/,
    ["authai-relay help serve"],
  ],
  [
    "no secrets",
    (rig) => delete rig.environment["AUTH_AI_JWT_SECRET"],
    "config",
    /^AUTH_AI_JWT_SECRET is not set, and nothing works without\.$/,
    ["authai-relay init"],
  ],
  [
    "no relay token",
    (rig) => delete rig.environment["AUTH_AI_BEARER_TOKEN"],
    "relay_token",
    /relay_token does not exist, so that no local tool is let in\.$/,
    ["authai-relay init"],
  ],
  [
    "a database that is none",
    async (rig) => {
      for await (const { name } of Deno.readDir(rig.dataDir)) {
        if (name.startsWith("relay.db")) await Deno.remove(join(rig.dataDir, name));
      }
      await Deno.writeTextFile(join(rig.dataDir, "relay.db"), "canary ".repeat(1000));
    },
    "storage",
    /relay\.db" is not a database/,
    ["authai-relay doctor --data-dir <directory>"],
  ],
  [
    "logins that others may read",
    (rig) => Deno.chmod(ownerSessionsPath(rig.dataDir), 0o644),
    "upstream_auth",
    /owner\.json holds the owner's logins and is open to other users of this machine\. What helps: chmod 600 /,
    [/^chmod 600 .*owner\.json$/],
  ],
  [
    "another JWT secret",
    (rig) => rig.environment["AUTH_AI_JWT_SECRET"] = "e5".repeat(16) + "f6".repeat(16),
    "openai_auth",
    /made with another JWT secret than the one that is set now\.$/,
    ["authai-relay login openai"],
  ],
];

for (const [what, spoil, name, message, steps] of misconfigured) {
  Deno.test(`doctor names the cause and the next command for ${what}`, async () => {
    await using rig = await startOwnerRig();
    await rig.run(["login"]);
    await spoil(rig);
    const report = await doctor(rig, "--skip-response");
    assert.equal(report.code, 1);
    const [failure, ...more] = failures(report);
    assert.deepEqual(more, []);
    assert.equal(failure?.[0], name);
    assert.match(failure?.[1] ?? "", message);
    steps.forEach((step, at) => {
      const told = failure?.[2][at] ?? "";
      if (typeof step === "string") assert.equal(told, step);
      else assert.match(told, step);
    });
    assert.ok(!JSON.stringify(report).includes("canary"));
  });
}

Deno.test("doctor has a line for each problem and for each warning of the settings", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login"]);
  rig.environment["AIRELAYS_BROWSER_OPEN"] = "true";
  rig.environment["AIRELAYS_OPENAI_BALANCE"] = "ordered";
  const warned = await doctor(rig, "--skip-response");
  assert.deepEqual(
    warned.checks.filter(({ name }) => name === "config").map(({ status, message }) => [
      status,
      message.split(" in ", 1)[0],
    ]),
    [["warn", "AIRELAYS_BROWSER_OPEN"], ["warn", "AIRELAYS_OPENAI_BALANCE"]],
  );
  assert.equal(warned.code, 0);
  Object.assign(rig.environment, { AUTH_AI_PORT: "x", AUTH_AI_HOST: "a b" });
  assert.deepEqual(failures(await doctor(rig)).map(([name]) => name), ["config", "config"]);
});

Deno.test("doctor misses neither a token nor a login where a relay is for an app's users alone", async () => {
  await using rig = await startOwnerRig();
  delete rig.environment["AUTH_AI_BEARER_TOKEN"];
  rig.environment["AUTH_AI_ORIGINATOR"] = "Test App";
  const report = await doctor(rig);
  assert.deepEqual(statuses(report), {
    config: "pass",
    relay_token: "skip",
    storage: "pass",
    openai_auth: "skip",
    xai_auth: "skip",
    github_auth: "skip",
    relay: "skip",
  });
  assert.deepEqual([report.code, report.next_steps], [0, ["authai-relay serve"]]);
});

Deno.test("doctor names the program that has the relay's port", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login"]);
  await using _server = Deno.serve(
    { hostname: "127.0.0.1", port: rig.port, onListen: () => {} },
    () => new Response("hello"),
  );
  const [failure] = failures(await doctor(rig, "--skip-response"));
  assert.deepEqual(failure, [
    "relay",
    `Another program answers at http://127.0.0.1:${rig.port}, so that a relay cannot listen there.`,
    ["authai-relay serve --port <number>"],
  ]);
});

for (
  const [what, answer, status, message] of [
    ["has another version", Response.json({}), "warn", /has version 9\.9\.9, this command /],
    [
      "has blocked this machine",
      Response.json({}, { status: 429, headers: { "retry-after": "900" } }),
      "warn",
      /takes no more requests from this machine for 900 s\.$/,
    ],
    [
      "fails",
      Response.json({}, { status: 500 }),
      "fail",
      /does not tell its status \(it answers 500\)\.$/,
    ],
  ] as const
) {
  Deno.test(`doctor tells when the relay that runs ${what}`, async () => {
    await using rig = await startOwnerRig();
    await using _server = Deno.serve(
      { hostname: "127.0.0.1", port: rig.port, onListen: () => {} },
      ({ url }) =>
        url.endsWith("/healthz")
          ? Response.json({ ok: true, service: "authai-relay", version: "9.9.9" })
          : answer,
    );
    const { checks } = await doctor(rig, "--skip-response");
    const check = checks.find(({ name }) => name === "relay");
    assert.equal(check?.status, status);
    assert.match(check?.message ?? "", message);
    assert.equal(check?.next_steps.length, 1);
  });
}

Deno.test("doctor tells when the relay that runs takes another token", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login"]);
  const report = await rig.beside(() => {
    rig.environment["AUTH_AI_BEARER_TOKEN"] = "another-canary-token-0123456789";
    return doctor(rig, "--skip-response");
  });
  const [failure] = failures(report);
  assert.equal(failure?.[0], "relay");
  assert.match(failure?.[1] ?? "", /does not take this relay token: it was started with other settings\.$/);
  assert.ok(!JSON.stringify(report).includes("canary"));
});

Deno.test("doctor prints for people what it finds as it finds it, and the next step at the end", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login"]);
  await Deno.chmod(join(rig.dataDir, "owner.json"), 0o600);
  const { code, out, process } = await rig.run(["doctor", "--skip-response"]);
  assert.equal(code, 0);
  assert.match(out, /^ok {4}Settings {16}Complete\./);
  assert.match(out, /\nok {4}ChatGPT models {10}\d+ models, such as gpt-/);
  assert.match(out, /\nskip {2}Grok login {14}Not signed in\./);
  assert.match(out, /\n\n5 passed, 4 skipped\.\n\nNext step\n {2}authai-relay serve$/);
  assert.ok(process.statuses.includes("Checking ..."));
});
