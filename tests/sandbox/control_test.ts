import assert from "node:assert/strict";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import {
  apiHeaders,
  askUserCode,
  poll,
  postJson,
  readDocument,
  signIn,
  withSandbox,
} from "./chatgpt_client.ts";

Deno.test("startSandbox() tells its settings and mounts every upstream under them", () =>
  withSandbox(async (sandbox) => {
    assert.match(sandbox.origin, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.deepEqual(Object.keys(sandbox.settings), [
      "AUTH_AI_OPENAI_ISSUER_URL",
      "AUTH_AI_OPENAI_API_URL",
      "AUTH_AI_XAI_ISSUER_URL",
      "AUTH_AI_XAI_API_URL",
      "AUTH_AI_GITHUB_URL",
      "AUTH_AI_GITHUB_API_URL",
    ]);
    const seen = [];
    for (const url of [...Object.values(sandbox.settings), `${sandbox.origin}/copilot/individual`]) {
      await (await fetch(`${url}/nothing-here`)).body?.cancel();
      seen.push(sandbox.control.requests().at(-1)?.upstream);
    }
    assert.deepEqual(seen, ["chatgpt", "chatgpt", "grok", "grok", "copilot", "copilot", "copilot"]);
    const longest = await fetch(`${sandbox.settings["AUTH_AI_GITHUB_API_URL"]}/user`);
    assert.equal(longest.status, 401, "/github/api is not a path of /github");
    await longest.body?.cancel();
    const root = await readDocument(await fetch(`${sandbox.origin}/`));
    assert.equal(root["ok"], true);
  }));

Deno.test("GET /_sandbox/settings tells a shell the settings, and is no request to an upstream", () =>
  withSandbox(async (sandbox) => {
    const lines = (await (await fetch(`${sandbox.origin}/_sandbox/settings`)).text()).trimEnd().split("\n");
    assert.deepEqual(Object.fromEntries(lines.map((line) => line.split("="))), { ...sandbox.settings });
    assert.deepEqual(sandbox.control.requests(), []);
  }));

Deno.test("startSandbox() approves every sign-in at once when told to", () =>
  withSandbox(async (sandbox) => {
    const { id, userCode } = await askUserCode(sandbox);
    const response = await poll(sandbox, id, userCode);
    assert.equal(response.status, 200);
    await response.body?.cancel();
  }, { autoApprove: "bob" }));

Deno.test("startSandbox() names the people when autoApprove names nobody", async () => {
  await assert.rejects(startSandbox({ autoApprove: "mallory" }), /no person 'mallory'.*ada, bob, carol/);
});

Deno.test("startSandbox() rejects when its port is taken", () =>
  withSandbox(async (sandbox) => {
    await assert.rejects(startSandbox({ port: Number(new URL(sandbox.origin).port) }));
  }));

Deno.test("two sandboxes hand out the same tokens in the same order", async () => {
  const codes: string[] = [];
  for (let run = 0; run < 2; run++) {
    await withSandbox(async (sandbox) => {
      codes.push((await askUserCode(sandbox)).userCode, (await askUserCode(sandbox)).userCode);
    });
  }
  assert.equal(codes[0], codes[2]);
  assert.equal(codes[1], codes[3]);
  assert.notEqual(codes[0], codes[1]);
});

Deno.test("approve() and deny() say why a code leads nowhere", () =>
  withSandbox(async ({ control, ...sandbox }) => {
    const { userCode } = await askUserCode({ control, ...sandbox });
    assert.deepEqual(control.approve("ZZZZ-ZZZZ", "ada").kind, "refused");
    assert.match(JSON.stringify(control.approve(userCode, "mallory")), /no person 'mallory'/);
    assert.equal(control.deny(userCode.toLowerCase().replace("-", " ")).kind, "done");
    assert.match(JSON.stringify(control.approve(userCode, "ada")), /already used/);
  }));

Deno.test("the record of a request keeps method, path, headers, body, step and end", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    const path = "/openai/backend-api/codex/models";
    const response = await fetch(`${sandbox.origin}${path}?client_version=1.0.0`, {
      headers: apiHeaders(person),
    });
    await response.body?.cancel();
    await sandbox.control.waitForRequests({ on: "models", end: "sent" });
    const [record] = sandbox.control.requests({ upstream: "chatgpt", path });
    assert.equal(record?.method, "GET");
    assert.equal(record.path, `${path}?client_version=1.0.0`);
    assert.equal(record.headers["chatgpt-account-id"], person.accountId);
    const [exchange] = sandbox.control.requests({ on: "exchange" });
    assert.match(exchange?.body ?? "", /^grant_type=authorization_code&code=ac_/);
  }));

Deno.test("the controls work over HTTP", () =>
  withSandbox(async (sandbox) => {
    const base = `${sandbox.origin}/_sandbox`;
    const state = async (query = "") => await readDocument(await fetch(`${base}/state${query}`));
    const command = async (name: string, body: unknown) =>
      await readDocument(await postJson(`${base}/${name}`, body));

    const first = await askUserCode(sandbox);
    assert.match(JSON.stringify((await state())["approvals"]), new RegExp(first.userCode));
    assert.deepEqual(await command("approve", { userCode: first.userCode, user: "carol" }), { ok: true });
    assert.equal((await poll(sandbox, first.id, first.userCode)).status, 200);
    const second = await askUserCode(sandbox);
    assert.deepEqual(await command("deny", { userCode: second.userCode }), { ok: true });
    assert.equal((await poll(sandbox, second.id, second.userCode)).status, 401);

    assert.deepEqual(
      await command("faults", [{ upstream: "chatgpt", on: "device", kind: { type: "status", status: 503 } }]),
      { ok: true },
    );
    assert.match(JSON.stringify((await state())["faults"]), /503/);
    const url = `${sandbox.origin}/openai/auth/api/accounts/deviceauth/usercode`;
    assert.equal((await postJson(url, {})).status, 503);

    assert.deepEqual(await command("switches", { chatgpt: { pendingStatus: 404 } }), { ok: true });
    assert.equal(sandbox.control.switches().chatgpt.pendingStatus, 404);

    const filtered = await state("?upstream=chatgpt&on=poll");
    assert.ok(Array.isArray(filtered["requests"]));
    assert.equal(filtered["requests"].length, 2);
    assert.equal(Object.keys(Object(filtered["counters"])).includes("chatgpt.refreshes"), true);
    const waited = await readDocument(await fetch(`${base}/requests?on=device&end=sent&count=3`));
    assert.ok(Array.isArray(waited["requests"]));
    assert.equal(waited["requests"].length, 3);

    assert.deepEqual(await command("release", {}), { released: 0 });
    assert.deepEqual(await command("revoke-grant", { upstream: "chatgpt", user: "carol" }), { ok: true });
    assert.deepEqual(await command("reset", {}), { ok: true });
    const after = await state();
    assert.deepEqual([after["requests"], after["approvals"], after["faults"]], [[], [], []]);
    assert.equal(sandbox.control.switches().chatgpt.pendingStatus, 403);
  }));

const BAD_COMMANDS: readonly (readonly [string, unknown])[] = [
  ["approve", { userCode: "ZZZZ-ZZZZ", user: "ada" }],
  ["approve", "text"],
  ["faults", { upstream: "nobody", on: "call", kind: { type: "drop" } }],
  ["faults", { upstream: "grok", on: "call", kind: { type: "stream_cut" } }],
  ["faults", { upstream: "grok", on: "call", kind: { type: "status", status: 99 } }],
  ["faults", { upstream: "grok", on: "call", kind: { type: "drop" }, times: 0 }],
  ["switches", { chatgpt: { pendingStatus: 500 } }],
  ["switches", { chatgpt: { unknown: true } }],
  ["switches", { openai: {} }],
  ["revoke-grant", { upstream: "chatgpt", user: "mallory" }],
  ["revoke-grant", { upstream: "openai", user: "ada" }],
];

for (const [name, body] of BAD_COMMANDS) {
  Deno.test(`the control route ${name} refuses ${JSON.stringify(body)}`, () =>
    withSandbox(async (sandbox) => {
      const response = await postJson(`${sandbox.origin}/_sandbox/${name}`, body);
      assert.equal(response.status, 400);
      assert.match(String((await readDocument(response))["error"]), /^[A-Z].*\.$/);
    }));
}

Deno.test("the controls take no form, so that a foreign page cannot post one", () =>
  withSandbox(async (sandbox) => {
    const body = new URLSearchParams({ userCode: "x", user: "ada" });
    assert.equal((await fetch(`${sandbox.origin}/_sandbox/approve`, { method: "POST", body })).status, 415);
  }));

Deno.test("reset() signs everybody out and lets hanging requests go on", () =>
  withSandbox(async (sandbox) => {
    const person = await signIn(sandbox);
    sandbox.control.addFault({ upstream: "chatgpt", on: "user", kind: { type: "hang" } });
    const usage = () =>
      fetch(`${sandbox.origin}/openai/backend-api/wham/usage`, { headers: apiHeaders(person) });
    const hanging = usage();
    await sandbox.control.waitForRequests({ on: "user" });
    sandbox.control.reset();
    await (await hanging).body?.cancel();
    const after = await usage();
    assert.equal(after.status, 401);
    await after.body?.cancel();
  }));
