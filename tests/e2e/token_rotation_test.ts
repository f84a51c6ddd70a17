/**
 * The relay token is replaced by another process while the owner's tools are at work.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type Project, withProject } from "../cli/spawned_relay.ts";

/** Rotates as the owner does; the new token. */
async function rotate({ start }: Project, graceSeconds: number): Promise<string> {
  const { code, stdout, stderr } = await start("serve", [
    "token",
    "rotate",
    "--json",
    `--grace-seconds=${graceSeconds}`,
  ]).ended;
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout).token;
}

Deno.test("token rotate under load: no request with the new token fails, and the old one ends after its grace", () =>
  withProject(async (project) => {
    const { start, dataDir } = project;
    assert.equal((await start("serve", ["init"]).ended).code, 0);
    const relay = start("serve", ["--port=0"], { AUTH_AI_EXEMPT_ADDRESSES: "127.0.0.1" });
    const [, origin] = await relay.output(/listens +(http:\S+)/);
    const ask = async (token: string) => {
      const response = await fetch(`${origin}/v1/relay/status`, {
        headers: { authorization: `Bearer ${token}` },
      });
      await response.body?.cancel();
      return response.status;
    };

    const first = (await Deno.readTextFile(join(dataDir, "relay_token"))).trim();
    const tokens = [first];
    const answers = new Map<string, number[]>();
    let working = true;
    const tools = Array.from({ length: 8 }, async () => {
      while (working) {
        const token = tokens.at(-1) ?? first;
        const status = await ask(token);
        answers.set(token, [...answers.get(token) ?? [], status]);
      }
    });
    for (let rotation = 0; rotation < 4; rotation++) {
      const token = await rotate(project, 600);
      tokens.push(token);
      assert.equal(await ask(token), 200, "the first request with a new token");
    }
    working = false;
    await Promise.all(tools);
    for (const [token, statuses] of answers) {
      assert.deepEqual([...new Set(statuses)], [200], `token ${tokens.indexOf(token)}`);
    }
    assert.ok((answers.get(first)?.length ?? 0) > 8, "the tools were not at work");
    for (const token of tokens) assert.equal(await ask(token), 200, "a token within its grace");

    const last = await rotate(project, 1);
    const giveUp = AbortSignal.timeout(20_000);
    for (const token of tokens) {
      let status = await ask(token);
      while (status === 200 && !giveUp.aborted) status = await ask(token);
      assert.equal(status, 401, "a token after its grace");
    }
    assert.equal(await ask(last), 200);
  }));
