import assert from "node:assert/strict";
import { openOwnerSessions, ownerSessionsPath } from "../../src/credential/owner_sessions.ts";
import { type OwnerRig, startOwnerRig } from "./owner_rig.ts";

async function loginOf(rig: OwnerRig, provider: "openai" | "xai" | "github"): Promise<string | undefined> {
  return (await openOwnerSessions(rig.dataDir).read()).sessions.get(provider);
}

for (
  const [word, id, name] of [
    [undefined, "openai", "ChatGPT"],
    ["chatgpt", "openai", "ChatGPT"],
    ["grok", "xai", "Grok"],
    ["github", "github", "GitHub Copilot"],
  ] as const
) {
  Deno.test(`login ${word ?? ""} signs in to ${name} and keeps the login in a private file`, async () => {
    await using rig = await startOwnerRig();
    const { code, out, err } = await rig.run(word === undefined ? ["login"] : ["login", word]);
    assert.deepEqual([code, err], [0, ""], err);
    assert.match(
      out,
      new RegExp(`^Sign in to ${name}\n\n  1\\. Open +http\\S+\n  2\\. (Enter|Compare) +\\S+\n`),
    );
    assert.match(out, new RegExp(`You are signed in to ${name}\\.\n\nNext step\n  authai-relay serve$`));
    const jwt = await loginOf(rig, id);
    assert.ok(jwt !== undefined);
    assert.ok(!out.includes(jwt), "the terminal shows the session");
    assert.equal(((await Deno.stat(ownerSessionsPath(rig.dataDir))).mode ?? 0) & 0o777, 0o600);
    const { fileKey } = await openOwnerSessions(rig.dataDir).read();
    assert.equal(fileKey?.length, 32);
  });
}

Deno.test("login counts down second by second and draws a QR code where a person watches", async () => {
  await using rig = await startOwnerRig();
  const { code, out, process } = await rig.run(["login"], { colors: true });
  assert.equal(code, 0);
  assert.deepEqual(process.statuses.slice(0, 4), [
    "  Waiting for your approval, 15:00 left. Ctrl+C cancels.",
    "  Waiting for your approval, 14:59 left. Ctrl+C cancels.",
    "  Waiting for your approval, 14:58 left. Ctrl+C cancels.",
    "  Waiting for your approval, 14:57 left. Ctrl+C cancels.",
  ]);
  assert.match(out, /\u2580/);
});

Deno.test("login draws no QR code and writes no escape sequence where nobody watches", async () => {
  await using rig = await startOwnerRig();
  const { out } = await rig.run(["login"]);
  assert.doesNotMatch(out, /[\u2580\u2584\u2588]|(?!\n)\p{Cc}/u);
});

Deno.test("login waits through trouble at the provider, and says so", async () => {
  await using rig = await startOwnerRig();
  rig.sandbox.control.addFault({ upstream: "chatgpt", on: "poll", kind: { type: "drop" } });
  const { code, process } = await rig.run(["login"], { colors: true });
  assert.equal(code, 0);
  assert.ok(
    process.statuses.some((text) =>
      text.startsWith("  ChatGPT is in trouble (network_error), trying again, ")
    ),
  );
});

Deno.test("login ends cleanly with Ctrl+C: exit code 130, nothing kept", async () => {
  await using rig = await startOwnerRig();
  const { code, err } = await rig.run(["login"], {}, (_, process) => process.signal("SIGINT"));
  assert.deepEqual([code, err], [130, "error  The sign-in was cancelled. Nothing was changed."]);
  assert.equal(await loginOf(rig, "openai"), undefined);
});

Deno.test("login keeps nothing of a sign-in that was approved while Ctrl+C was pressed", async () => {
  await using rig = await startOwnerRig();
  const { control } = rig.sandbox;
  control.addFault({ upstream: "chatgpt", on: "exchange", kind: { type: "hang" } });
  const { code, err } = await rig.run(["login"], {}, (userCode, process) => {
    rig.approve(userCode);
    void (async () => {
      await control.waitForRequests({ upstream: "chatgpt", on: "exchange" }, 1);
      process.signal("SIGINT");
      control.release();
    })();
  });
  assert.deepEqual([code, err], [130, "error  The sign-in was cancelled. Nothing was changed."]);
  assert.equal(await loginOf(rig, "openai"), undefined);
  assert.equal(control.requests({ upstream: "chatgpt", on: "revoke" }).length, 1);
});

for (
  const [what, decide, sentence] of [
    [
      "is denied",
      (rig: OwnerRig, userCode: string) => void rig.sandbox.control.deny(userCode),
      "The sign-in was refused on the provider's page. Nothing was changed.",
    ],
    ["is not approved in time", () => {}, "The code was not approved in time. Nothing was changed."],
  ] as const
) {
  Deno.test(`login fails with the next command when it ${what}`, async () => {
    await using rig = await startOwnerRig();
    const { code, err } = await rig.run(["login", "xai"], {}, (userCode) => decide(rig, userCode));
    assert.deepEqual([code, err], [1, `error  ${sentence}\nhint   authai-relay login xai`]);
    assert.equal(await loginOf(rig, "xai"), undefined);
  });
}

Deno.test("login fails with the next command when the provider cannot be reached", async () => {
  await using rig = await startOwnerRig();
  await rig.sandbox.shutdown();
  const { code, err } = await rig.run(["login"]);
  assert.equal(code, 1);
  assert.equal(
    err,
    "error  ChatGPT did not start the sign-in (network_error). Try again in a moment.\nhint   authai-relay doctor",
  );
});

Deno.test("a second login asks, and a no leaves the first one as it is", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login"]);
  const first = await loginOf(rig, "openai");
  const { code, out, process } = await rig.run(["login"], { answer: false });
  assert.deepEqual([code, out], [0, "Nothing was changed."]);
  assert.deepEqual(process.questions, [
    "You are signed in to ChatGPT already. Sign in again in its place?",
  ]);
  assert.equal(await loginOf(rig, "openai"), first);
});

Deno.test("a second login refuses with the flag's name where nobody can answer", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login"]);
  const { code, err } = await rig.run(["login"]);
  assert.equal(code, 2);
  assert.match(err, /nobody is here to ask\.\nhint {3}authai-relay login openai --replace$/);
});

for (
  const [how, args, person] of [
    ["--replace", ["login", "--replace"], {}],
    ["a yes", ["login"], { answer: true }],
  ] as const
) {
  Deno.test(`a second login with ${how} takes the place of the first, whose record is gone`, async () => {
    await using rig = await startOwnerRig();
    await rig.run(["login"]);
    const first = await loginOf(rig, "openai");
    const { code } = await rig.run(args, person, (userCode) => rig.approve(userCode, "bob"));
    assert.equal(code, 0);
    const second = await loginOf(rig, "openai");
    assert.notEqual(second, first);
    assert.ok(first !== undefined && second !== undefined);
    await openOwnerSessions(rig.dataDir).change(({ sessions }) => sessions.set("openai", first));
    assert.equal(await stateOf(rig, "openai"), "ended");
    await openOwnerSessions(rig.dataDir).change(({ sessions }) => sessions.set("openai", second));
    assert.equal(await stateOf(rig, "openai"), "signed_in");
  });
}

async function stateOf(rig: OwnerRig, provider: string): Promise<string> {
  const { out } = await rig.run(["status", "--json"]);
  const { logins } = JSON.parse(out);
  return logins.find((login: { provider: string }) => login.provider === provider).state;
}

Deno.test("logout revokes the only login here and at the provider, and forgets it", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login", "xai"]);
  const { code, out } = await rig.run(["logout"]);
  assert.deepEqual([code, out], [0, "You are signed out of Grok."]);
  assert.equal(await loginOf(rig, "xai"), undefined);
  assert.equal(rig.sandbox.control.requests({ upstream: "grok", on: "revoke" }).length, 1);
});

Deno.test("logout revokes a login that has expired too", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login", "xai"]);
  rig.clock.nowMs += 15 * 24 * 60 * 60_000;
  assert.equal(await stateOf(rig, "xai"), "ended");
  assert.equal((await rig.run(["logout"])).code, 0);
  assert.equal(rig.sandbox.control.requests({ upstream: "grok", on: "revoke" }).length, 1);
});

Deno.test("logout asks which login is meant when there are several; --all ends all", async () => {
  await using rig = await startOwnerRig();
  await rig.run(["login", "openai"]);
  await rig.run(["login", "github"]);
  const unclear = await rig.run(["logout"]);
  assert.equal(unclear.code, 2);
  assert.equal(
    unclear.err,
    "error  You are signed in to ChatGPT and GitHub Copilot. Say which login to end, or --all.\n" +
      "hint   authai-relay logout openai",
  );
  assert.equal((await rig.run(["logout", "copilot"])).out, "You are signed out of GitHub Copilot.");
  await rig.run(["login", "github"]);
  assert.equal(
    (await rig.run(["logout", "--all"])).out,
    "You are signed out of ChatGPT.\nYou are signed out of GitHub Copilot.",
  );
  assert.equal((await rig.run(["logout"])).out, "You are not signed in.");
});
