import assert from "node:assert/strict";
import { asksForTools } from "../../src/app/no_tools.ts";
import { startRig } from "../e2e/rig.ts";

const tool = { type: "function", name: "now", parameters: {} };

Deno.test("asksForTools() finds tools under every name, and takes nothing for something", () => {
  const asking = [
    { tools: [tool] },
    { functions: [tool] },
    { tools: "not a list" },
    { tool_choice: "auto" },
    { tool_choice: { type: "function", name: "now" } },
    { function_call: { name: "now" } },
    { web_search_options: {} },
    { search_parameters: { mode: "auto" } },
    { Tools: [tool] },
    { TOOL_CHOICE: "auto" },
  ];
  const free = [
    {},
    { tools: [] },
    { tools: null },
    { functions: [] },
    { tool_choice: "none", function_call: "none" },
    { tool_choice: null, web_search_options: null },
    { messages: [{ role: "user", content: "tools" }] },
    JSON.parse('{"__proto__":{"tools":[1]},"constructor":1}'),
  ];
  for (const body of asking) assert.equal(asksForTools(body), true, JSON.stringify(body));
  for (const body of free) assert.equal(asksForTools(body), false, JSON.stringify(body));
});

Deno.test("/no-tools/v1 refuses tools with tools_disabled, sends nothing, and is /v1 otherwise", async () => {
  await using rig = await startRig();
  const authorization = `Bearer ${await rig.signIn("openai")}`;
  const post = (path: string, body: object) =>
    fetch(rig.origin + path, { method: "POST", headers: { authorization }, body: JSON.stringify(body) });
  const calls: [string, object, object][] = [
    ["/chat/completions", { messages: [{ role: "user", content: "Hi" }] }, {
      tools: [{ type: "function", function: { name: "now", parameters: {} } }],
    }],
    ["/responses", { input: "Hi" }, { tools: [tool] }],
    ["/completions", { prompt: "Hi" }, { tools: [tool] }],
  ];
  for (const [path, body, tools] of calls) {
    const plain = { model: "gpt-5.5", ...body };
    const before = rig.sandbox.control.requests().length;
    const refused = await post(`/no-tools/v1${path}`, { ...plain, ...tools });
    assert.equal(refused.status, 400, path);
    const { error } = await refused.json();
    assert.equal(error.code, "tools_disabled", path);
    assert.equal(error.type, "invalid_request_error", path);
    assert.equal(rig.sandbox.control.requests().length, before, `${path} reached the upstream`);
    const answered = await post(`/no-tools/v1${path}`, plain);
    assert.equal(answered.status, 200, `${path}: ${await answered.text()}`);
  }
  const list = async (root: string) =>
    await (await fetch(`${rig.origin}${root}/models`, { headers: { authorization } })).json();
  assert.deepEqual(await list("/no-tools/v1"), await list("/v1"));
  const unknown = await fetch(`${rig.origin}/no-tools/v1/embeddings`, { headers: { authorization } });
  assert.equal(unknown.status, 400);
  assert.equal((await unknown.json()).error.type, "unsupported_endpoint");
});

Deno.test("/no-tools/v1 sends what it has judged when the body names a member twice", async () => {
  await using rig = await startRig();
  const authorization = `Bearer ${await rig.signIn("github")}`;
  const before = rig.sandbox.control.requests().length;
  const response = await fetch(`${rig.origin}/no-tools/v1/chat/completions`, {
    method: "POST",
    headers: { authorization },
    body: `{"model":"gpt-4.1","messages":[{"role":"user","content":"Hi"}],"tools":[${
      JSON.stringify(tool)
    }],"tools":null}`,
  });
  assert.equal(response.status, 200, await response.text());
  const sent = rig.sandbox.control.requests().slice(before).filter(({ method }) => method === "POST");
  assert.equal(sent.length, 1);
  assert.equal(JSON.stringify(sent).includes('"now'), false);
});
