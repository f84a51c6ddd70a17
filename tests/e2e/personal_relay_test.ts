/**
 * The personal relay as its owner lives with it: `init`, `login`, `serve`, and the official SDK with the relay token, each
 * command a process of its own in front of the sandbox.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import OpenAI, { toFile } from "openai";
import type { ProviderId } from "../../src/provider/provider.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { type Project, withProject } from "../cli/spawned_relay.ts";

/** Signs the owner in on the command line, and approves as a person in a browser does. */
async function login({ start }: Project, sandbox: Sandbox, provider: ProviderId): Promise<void> {
  const command = start("serve", ["login", provider], sandbox.settings);
  const [, code = ""] = await command.output(/2\. (?:Enter|Compare) +(\S+)/);
  assert.deepEqual(sandbox.control.approve(code, "ada"), { kind: "done" });
  const ended = await command.ended;
  assert.equal(ended.code, 0, ended.stdout + ended.stderr);
}

Deno.test("init, login, serve, and the OpenAI SDK works with the relay token: text, tools, a file", async (test) => {
  await using sandbox = await disposableSandbox();
  await withProject(async (project) => {
    const init = await project.start("serve", ["init"]).ended;
    assert.equal(init.code, 0, init.stderr);
    const relayToken = (await Deno.readTextFile(join(project.dataDir, "relay_token"))).trim();
    await Promise.all((["openai", "xai"] as const).map((id) => login(project, sandbox, id)));

    const relay = project.start("serve", ["serve", "--port=0"], sandbox.settings);
    const [, origin = ""] = await relay.output(/listens +(http:\S+)/);
    const client = new OpenAI({ baseURL: `${origin}/v1`, apiKey: relayToken, maxRetries: 0 });
    const model = "gpt-5.5";

    await test.step("the models of both logins are one list", async () => {
      const { data } = await client.models.list();
      const ids = data.map(({ id }) => id);
      assert.ok(ids.includes(model), ids.join());
      assert.ok(ids.includes("grok-4.5"), ids.join());
    });
    await test.step("text, in one piece and streamed, from the provider of each model", async () => {
      for (const asked of [model, "grok-4.5", "xai/grok-4.5"]) {
        const answer = await client.responses.create({ model: asked, input: "Say hello" });
        assert.ok(answer.output_text.length > 0, asked);
        let streamed = "";
        for await (
          const chunk of await client.chat.completions.create({
            model: asked,
            messages: [{ role: "user", content: "Say hello" }],
            stream: true,
          })
        ) streamed += chunk.choices[0]?.delta.content ?? "";
        assert.ok(streamed.length > 0, asked);
      }
    });
    await test.step("a tool is called, and refused below /no-tools", async () => {
      const tools: OpenAI.Chat.ChatCompletionTool[] = [{
        type: "function",
        function: {
          name: "get_weather",
          parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
        },
      }];
      const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [
        { role: "user", content: "Call get_weather for Berlin" },
      ];
      const { choices } = await client.chat.completions.create({ model, messages, tools });
      assert.equal(choices[0]?.finish_reason, "tool_calls");
      const guarded = new OpenAI({ baseURL: `${origin}/no-tools/v1`, apiKey: relayToken, maxRetries: 0 });
      await assert.rejects(
        guarded.chat.completions.create({ model, messages, tools }),
        (error) => error instanceof OpenAI.BadRequestError && error.code === "tools_disabled",
      );
    });
    await test.step("a file is uploaded, listed, used and deleted", async () => {
      const file = await client.files.create({
        file: await toFile(new TextEncoder().encode("The word is canary-file."), "word.txt"),
        purpose: "user_data",
      });
      assert.equal(file.purpose, "user_data");
      assert.deepEqual((await client.files.list()).data.map(({ id }) => id), [file.id]);
      const answer = await client.responses.create({
        model,
        input: [{
          role: "user",
          content: [{ type: "input_file", file_id: file.id }, { type: "input_text", text: "Read it" }],
        }],
      });
      assert.equal(answer.status, "completed");
      const sent = sandbox.control.requests({ upstream: "chatgpt", on: "call" }).at(-1)?.body;
      assert.ok(sent?.includes("canary-file"), sent);
      assert.equal((await client.files.delete(file.id)).deleted, true);
    });
    await test.step("the status knows of it, without the token", async () => {
      const response = await fetch(`${origin}/v1/relay/status`, {
        headers: { authorization: `Bearer ${relayToken}` },
      });
      const text = await response.text();
      assert.ok(!text.includes(relayToken));
      const status = JSON.parse(text);
      assert.deepEqual(status.ready.providers, { openai: true, xai: true, github: false });
      assert.equal(status.security.client.ip, "127.0.0.1");
      assert.equal(status.security.rate_limit_per_minute, 120);
      assert.deepEqual(status.storage, { file_count: 0, total_bytes: 0 });
    });
    await test.step("sign-in over HTTP is not there", async () => {
      const response = await fetch(`${origin}/auth/providers`);
      assert.equal(response.status, 404);
      await response.body?.cancel();
    });
    await test.step("logout on the command line counts at once for the running relay", async () => {
      const ended = await project.start("serve", ["logout", "openai"], sandbox.settings).ended;
      assert.equal(ended.code, 0, ended.stderr);
      await assert.rejects(
        client.responses.create({ model: "openai/gpt-5.5", input: "Hi" }),
        (error) => error instanceof OpenAI.APIError && error.code === "upstream_auth_missing",
      );
    });
    relay.signal("SIGTERM");
    assert.equal((await relay.ended).code, 0);
    await test.step("the traffic log has it all, without the token and the file", async () => {
      const log = await readLog(join(project.dataDir, "logs"));
      for (const kind of ["started", "request", "upstream_request", "answer_ended", "response", "stopped"]) {
        assert.ok(log.includes(`"${kind}"`), kind);
      }
      for (const secret of [relayToken, "canary-file", "Say hello"]) assert.ok(!log.includes(secret), secret);
    });
  });
});

/** All files of a traffic log, `YYYY/MM/DD-HH.jsonl`. */
async function readLog(path: string): Promise<string> {
  let text = "";
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    const inner = join(path, name);
    text += isDirectory ? await readLog(inner) : await Deno.readTextFile(inner);
  }
  return text;
}

async function disposableSandbox(): Promise<Sandbox & AsyncDisposable> {
  const sandbox = await startSandbox({ port: 0, pollIntervalSeconds: 1 });
  return { ...sandbox, [Symbol.asyncDispose]: () => sandbox.shutdown() };
}
