import assert from "node:assert/strict";
import { grantOfTokens, grantWithTokens, readChatGptAccount } from "../../src/provider/chatgpt_account.ts";
import type { Grant } from "../../src/provider/provider.ts";
import { jwt, nowMs } from "./stub_upstream.ts";

const space = "https://api.openai.com/auth";
const ada = { chatgpt_user_id: "user-ada", chatgpt_account_id: "ws-1", chatgpt_plan_type: "team" };

Deno.test("readChatGptAccount() tells the person from the workspace", () => {
  const cases: readonly (readonly [string, unknown, unknown, unknown])[] = [
    ["both tokens", { sub: "s", [space]: ada }, { [space]: ada }, ["user-ada", "s"]],
    ["access token only", undefined, { sub: "s", [space]: ada }, ["user-ada", "s"]],
    ["fallback names", { [space]: { user_id: "u", chatgpt_account_user_id: "au" }, sub: "s" }, {}, [
      "u",
      "au",
      "s",
    ]],
    ["best name wins over the first token", { [space]: { user_id: "u" } }, { [space]: ada }, [
      "user-ada",
      "u",
    ]],
    ["sub at last", {}, { sub: "s" }, ["s"]],
    ["nobody", {}, {}, []],
  ];
  for (const [name, id, access, expected] of cases) {
    const account = readChatGptAccount({
      accessToken: jwt(access),
      ...(id === undefined ? {} : { idToken: jwt(id) }),
    });
    assert.deepEqual(account.personIds, expected, name);
  }
});

Deno.test("readChatGptAccount() finds the workspace in its three places", () => {
  for (
    const claims of [
      { [space]: { chatgpt_account_id: "ws-1" } },
      { chatgpt_account_id: "ws-1" },
      { [space]: { organizations: [{ id: "ws-1", is_default: true }] } },
    ]
  ) assert.equal(readChatGptAccount({ accessToken: jwt(claims) }).workspaceId, "ws-1");
});

Deno.test("grantOfTokens() keeps what calls need, and no address of the person", () => {
  const claims = {
    email: "ada@example.test",
    exp: 1_800_000_000,
    [space]: { ...ada, chatgpt_account_is_fedramp: true },
  };
  const grant = grantOfTokens({ accessToken: jwt(claims), idToken: jwt(claims), refreshToken: "r" }, nowMs);
  assert.deepEqual(grant, {
    accessToken: jwt(claims),
    accessExpiresAtMs: 1_800_000_000_000,
    refreshToken: "r",
    accountId: "user-ada",
    attributes: { workspaceId: "ws-1", plan: "team", fedramp: "true" },
  });
});

Deno.test("grantOfTokens() takes the life from the token, then from the answer, then one hour", () => {
  const claims = { [space]: ada };
  const ends = [
    grantOfTokens({ accessToken: jwt({ ...claims, exp: 2_000_000_000 }), expiresInSeconds: 5 }, nowMs),
    grantOfTokens({ accessToken: jwt(claims), expiresInSeconds: 900 }, nowMs),
    grantOfTokens({ accessToken: jwt(claims) }, nowMs),
  ].map((grant) => grant?.accessExpiresAtMs);
  assert.deepEqual(ends, [2_000_000_000_000, nowMs + 900_000, nowMs + 3_600_000]);
});

Deno.test("grantOfTokens() refuses tokens without a person or a workspace", () => {
  assert.equal(
    grantOfTokens({ accessToken: jwt({ [space]: { chatgpt_account_id: "ws-1" } }) }, nowMs),
    undefined,
  );
  assert.equal(grantOfTokens({ accessToken: jwt({ [space]: { chatgpt_user_id: "u" } }) }, nowMs), undefined);
  assert.equal(grantOfTokens({ idToken: jwt({ [space]: ada }) }, nowMs), undefined);
  assert.equal(grantOfTokens({ accessToken: "opaque" }, nowMs), undefined);
});

Deno.test("grantWithTokens() keeps what a refresh leaves out and refuses another account", () => {
  const grant: Grant = {
    accessToken: "old",
    accessExpiresAtMs: 1,
    refreshToken: "r1",
    accountId: "user-ada",
    attributes: { workspaceId: "ws-1", plan: "team" },
  };
  const renewed = jwt({ exp: 1_800_000_000, [space]: { ...ada, chatgpt_plan_type: "pro" } });
  assert.deepEqual(grantWithTokens(grant, { accessToken: renewed, refreshToken: "r2" }, nowMs), {
    accessToken: renewed,
    accessExpiresAtMs: 1_800_000_000_000,
    refreshToken: "r2",
    accountId: "user-ada",
    attributes: { workspaceId: "ws-1", plan: "pro" },
  });
  assert.deepEqual(grantWithTokens(grant, { refreshToken: "r2" }, nowMs), { ...grant, refreshToken: "r2" });
  assert.equal(grantWithTokens(grant, { accessToken: "opaque" }, nowMs)?.refreshToken, "r1");
  for (const other of [{ ...ada, chatgpt_user_id: "user-bob" }, { ...ada, chatgpt_account_id: "ws-2" }]) {
    assert.equal(grantWithTokens(grant, { accessToken: jwt({ [space]: other }) }, nowMs), undefined);
  }
  // Signed in when the token only had a sub: a better id that appears later is still the same person.
  const bySub = { ...grant, accountId: "auth0|ada" };
  const later = jwt({ sub: "auth0|ada", [space]: ada });
  assert.equal(grantWithTokens(bySub, { accessToken: later }, nowMs)?.accountId, "auth0|ada");
});
