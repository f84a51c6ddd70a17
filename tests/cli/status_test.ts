import assert from "node:assert/strict";
import { openOwnerSessions } from "../../src/credential/owner_sessions.ts";
import { startOwnerRig } from "./owner_rig.ts";

Deno.test("status shows where nobody is signed in and nothing runs, and what comes first", async () => {
  await using rig = await startOwnerRig();
  delete rig.environment["AUTH_AI_BEARER_TOKEN"];
  const { code, out, err } = await rig.run(["status"]);
  assert.deepEqual([code, err], [0, ""]);
  assert.equal(
    out.replace(/^.*\n/, ""),
    [
      `  relay            not running at http://127.0.0.1:${rig.port}`,
      `  data             ${rig.dataDir}`,
      "  token            missing",
      "",
      "Logins",
      "  ChatGPT          not signed in",
      "  Grok             not signed in",
      "  GitHub Copilot   not signed in",
      "",
      "Next steps",
      "  authai-relay init",
      "  authai-relay login",
    ].join("\n"),
  );
});

Deno.test("status shows a relay that runs and a login that lives, and asks no provider", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login", "github"]);
  const before = rig.sandbox.control.requests({}).length;
  const { out } = await rig.beside(() => rig.run(["status"]));
  assert.match(
    out,
    new RegExp(`\n  relay +running at http://127\\.0\\.0\\.1:${rig.port}, \\d+ requests? since it started\n`),
  );
  assert.match(out, /\n {2}token +AUTH_AI_BEARER_TOKEN in the environment \([0-9a-f]{12}\)\n/);
  assert.match(out, /\n {2}GitHub Copilot +signed in until \d{4}-\d\d-\d\d \(14 days\)$/);
  assert.equal(rig.sandbox.control.requests({}).length, before);
});

Deno.test("status asks nothing of a relay that is for an app's users alone", async () => {
  await using rig = await startOwnerRig();
  delete rig.environment["AUTH_AI_BEARER_TOKEN"];
  rig.environment["AUTH_AI_ORIGINATOR"] = "Test App";
  const { out } = await rig.beside(() => rig.run(["status"]));
  assert.match(
    out,
    new RegExp(`\n  relay +running at http://127\\.0\\.0\\.1:${rig.port}\n  app +Test App\n`),
  );
  assert.match(out, /\n {2}token +none\n/);
  assert.doesNotMatch(out, /Next step/);
  assert.match((await rig.run(["status"])).out, /\n\nNext step\n {2}authai-relay serve$/);
});

Deno.test("status tells when the relay that runs asks for no token, though the settings do", async () => {
  await using rig = await startOwnerRig();
  rig.environment["AUTH_AI_REQUIRE_BEARER_AUTH"] = "false";
  const { out } = await rig.beside(() => {
    delete rig.environment["AUTH_AI_REQUIRE_BEARER_AUTH"];
    return rig.run(["status"]);
  });
  assert.match(out, /\n {2}relay +running at .*; it was started without asking for the token\n/);
});

Deno.test("commands that are run again and again do not repeat the warnings of serve and doctor", async () => {
  await using rig = await startOwnerRig();
  rig.environment["AIRELAYS_BROWSER_OPEN"] = "true";
  for (
    const args of [["status"], ["login"], ["models"], ["logs", "-n", "0"], ["logout"], ["token", "show"]]
  ) {
    assert.doesNotMatch((await rig.run(args)).err, /no effect/, args.join(" "));
  }
  assert.match(
    (await rig.run(["init"])).err,
    /^warning {2}AIRELAYS_BROWSER_OPEN in the environment has no effect/,
  );
});

Deno.test("status --json prints one document that holds no secret", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login"]);
  const { out, err } = await rig.beside(() => rig.run(["status", "--json"]));
  assert.equal(err, "");
  const { relay, data_dir, relay_token, logins, next_steps } = JSON.parse(out);
  assert.equal(relay.state, "running");
  assert.equal(relay.origin, `http://127.0.0.1:${rig.port}`);
  assert.equal(relay.status.object, "relay.status");
  assert.equal(data_dir, rig.dataDir);
  assert.deepEqual(
    [relay_token.required, relay_token.source, relay_token.fingerprint.length],
    [true, "environment", 12],
  );
  assert.deepEqual(logins[0], {
    provider: "openai",
    display_name: "ChatGPT",
    state: "signed_in",
    reason: null,
    expires: logins[0].expires,
  });
  assert.deepEqual(next_steps, []);
  const { sessions } = await openOwnerSessions(rig.dataDir).read();
  for (const secret of ["canary", ...sessions.values()]) assert.ok(!out.includes(secret));
});

Deno.test("a login beside a relay that runs says that the relay uses it", async () => {
  await using rig = await startOwnerRig();
  const { out } = await rig.beside(() => rig.run(["login"]));
  assert.match(out, new RegExp(`\nThe relay at http://127\\.0\\.0\\.1:${rig.port} uses it from now on\\.$`));
});

Deno.test("a running relay answers with a login as soon as it is there, and refuses after the logout", async () => {
  await using rig = await startOwnerRig();
  await rig.beside(async () => {
    const ask = async () => {
      const response = await fetch(`http://127.0.0.1:${rig.port}/v1/chat/completions`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${rig.environment["AUTH_AI_BEARER_TOKEN"]}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ model: "gpt-5.5", messages: [{ role: "user", content: "Say hello." }] }),
      });
      return { status: response.status, text: await response.text() };
    };
    assert.equal((await ask()).status, 503);
    assert.equal((await rig.run(["login"])).code, 0);
    const answer = await ask();
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await rig.run(["logout"])).code, 0);
    const refused = await ask();
    assert.equal(refused.status, 503);
    assert.match(refused.text, /authai-relay login openai/);
  });
});

Deno.test("models lists what each login offers, under the ids that clients use", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login", "openai"]);
  await rig.run(["login", "github"]);
  const { code, out, err, process } = await rig.run(["models"]);
  assert.deepEqual([code, err], [0, ""]);
  assert.match(out, /^ChatGPT {2}\d+ models\n {2}gpt-\S+ +272k context +effort low to \w+ +text image\n/);
  assert.match(out, /\n\nGitHub Copilot {2}\d+ models\n/);
  assert.match(out, /\n {2}gpt-4\.1 +GPT-4\.1 +128k context +text image\n/);
  assert.match(
    out,
    new RegExp(`\nUse them at http://127\\.0\\.0\\.1:${rig.port}/v1 with the relay token as API key`),
  );
  assert.deepEqual(process.statuses, ["Asking the providers ..."]);
});

Deno.test("models --json prints what the relay answers to GET /v1/models, and nothing else", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login", "openai"]);
  await rig.run(["login", "xai"]);
  const [printed, answered] = await rig.beside(async () => {
    const response = await fetch(`http://127.0.0.1:${rig.port}/v1/models`, {
      headers: { authorization: `Bearer ${rig.environment["AUTH_AI_BEARER_TOKEN"]}` },
    });
    return [await rig.run(["models", "--json"]), await response.json()];
  });
  assert.deepEqual([printed.err, printed.process.statuses], ["", []]);
  assert.deepEqual(JSON.parse(printed.out), answered);
});

Deno.test("models warns of a provider that does not tell its list, and shows the others", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login", "openai"]);
  await rig.run(["login", "xai"]);
  rig.sandbox.control.addFault({
    upstream: "grok",
    on: "models",
    kind: { type: "status", status: 503 },
    times: 10,
  });
  const { code, out, err } = await rig.run(["models"]);
  assert.deepEqual([code, err], [0, "warning  Grok did not tell its models."]);
  assert.match(out, /^ChatGPT/);
  assert.match(out, /\n\nNext step\n {2}authai-relay doctor$/);
});

Deno.test("models names the next command when nobody is signed in", async () => {
  await using rig = await startOwnerRig();
  const { code, out, err } = await rig.run(["models", "--json"]);
  assert.deepEqual([code, out, err], [
    1,
    "",
    "error  You are not signed in anywhere.\nhint   authai-relay login openai",
  ]);
});
