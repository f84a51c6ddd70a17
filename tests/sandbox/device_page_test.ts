import assert from "node:assert/strict";
import { askUserCode, CLIENT_ID, poll, postJson, readDocument, withSandbox } from "./chatgpt_client.ts";

function decide(page: string, fields: Record<string, string>): Promise<Response> {
  return fetch(page, { method: "POST", body: new URLSearchParams(fields) });
}

Deno.test("answerDevicePage() asks for a code, then for the person, and approves", () =>
  withSandbox(async (sandbox) => {
    const page = `${sandbox.origin}/openai/auth/codex/device`;
    const { id, userCode } = await askUserCode(sandbox);
    const empty = await (await fetch(page)).text();
    assert.match(empty, /<form method="get">[\s\S]*name="user_code" value=""/);
    assert.match(empty, /Simulation/);

    const response = await fetch(`${page}?user_code=${userCode.toLowerCase()}`);
    assert.match(response.headers.get("content-security-policy") ?? "", /default-src 'none'/);
    const consent = await response.text();
    assert.ok(consent.includes(userCode));
    for (const user of sandbox.control.users) assert.ok(consent.includes(`value="${user.name}"`));
    assert.match(consent, /value="approve">Approve<[\s\S]*value="deny">Deny</);

    const done = await decide(page, { user_code: userCode, user: "carol", decision: "approve" });
    assert.equal(done.status, 200);
    assert.match(await done.text(), /Carol Example/);
    assert.equal((await poll(sandbox, id, userCode)).status, 200);
    const [record] = sandbox.control.requests({ on: "page" });
    assert.equal(record?.upstream, "chatgpt");
  }));

Deno.test("answerDevicePage() denies", () =>
  withSandbox(async (sandbox) => {
    const page = `${sandbox.origin}/openai/auth/codex/device`;
    const { id, userCode } = await askUserCode(sandbox);
    const denied = await decide(page, { user_code: userCode, user: "ada", decision: "deny" });
    assert.match(await denied.text(), /was refused/);
    assert.equal((await poll(sandbox, id, userCode)).status, 401);
    const late = await decide(page, { user_code: userCode, user: "ada", decision: "approve" });
    assert.equal(late.status, 404);
    assert.match(await late.text(), /role="alert"/);
  }));

Deno.test("answerDevicePage() takes no answer without a known person", () =>
  withSandbox(async (sandbox) => {
    const page = `${sandbox.origin}/openai/auth/codex/device`;
    const { userCode } = await askUserCode(sandbox);
    const refused = await decide(page, { user_code: userCode, user: "mallory", decision: "approve" });
    assert.equal(refused.status, 400);
    assert.equal(sandbox.control.approvals()[0]?.state, "waiting");
    assert.equal((await fetch(page, { method: "PUT" })).status, 405);
  }));

Deno.test("answerDevicePage() does not take a code of another upstream", () =>
  withSandbox(async (sandbox) => {
    const { userCode } = await askUserCode(sandbox);
    const foreign = await fetch(`${sandbox.origin}/github/login/device?user_code=${userCode}`);
    assert.equal(foreign.status, 404);
    await foreign.body?.cancel();
  }));

Deno.test("answerDevicePage() escapes what comes from outside", () =>
  withSandbox(async (sandbox) => {
    const page = `${sandbox.origin}/openai/auth/codex/device`;
    const evil = `"><script>alert(1)</script>`;
    assert.ok(
      !(await (await fetch(`${page}?user_code=${encodeURIComponent(evil)}`)).text()).includes("<script"),
    );
    const url = `${sandbox.origin}/openai/auth/api/accounts/deviceauth/usercode`;
    const started = await postJson(url, { client_id: CLIENT_ID }, { originator: "<img src=x>&'\"" });
    const { user_code: userCode } = await readDocument(started);
    const consent = await (await fetch(`${page}?user_code=${String(userCode)}`)).text();
    assert.ok(!consent.includes("<img"));
    assert.ok(consent.includes("&#60;img src=x&#62;&#38;&#39;&#34;"));
  }));
