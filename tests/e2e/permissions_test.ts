/**
 * What the relay touches of the machine, by the runtime's own log of every access, allowed or not.
 */
import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { type Project, withProject } from "../cli/spawned_relay.ts";
import { pollInterval, providerCases, providerIds, startRelay } from "./relay_process.ts";
import { identitySecret, jwtSecret } from "./rig.ts";

/** One line of the log (`DENO_AUDIT_PERMISSIONS`). */
interface Access {
  readonly permission: string;
  /** What was asked for; null stands for everything of that kind. */
  readonly value: string | null;
}

Deno.test("a sign-in, a call, a refresh and a revoke touch the data directory, the network and AUTH_AI_ names only", async () => {
  const sandbox = await startSandbox({ pollIntervalSeconds: 1, autoApprove: "ada" });
  try {
    await withProject(async (project) => {
      const log = join(project.dir, "accesses.jsonl");
      const relay = await startRelay(project, sandbox, { DENO_AUDIT_PERMISSIONS: log });
      const signIns = await Promise.all(providerIds.map((provider) => relay.start(provider)));
      await pollInterval(Math.max(...signIns.map(({ pollIntervalMs }) => pollIntervalMs)));
      for (const signIn of signIns) {
        const { jwt = "" } = await relay.pollToEnd(signIn);
        const { upstream, model } = providerCases[signIn.provider];
        sandbox.control.addFault({ upstream, on: "call", kind: { type: "status", status: 401 } });
        assert.match(await relay.chat(jwt, model), /^Hello/);
        assert.equal(
          sandbox.control.requests({ upstream, on: "refresh" }).length,
          1,
          "nothing was refreshed",
        );
        assert.equal((await fetch(`${relay.origin}/sign-in`)).status, 200);
        const headers = { authorization: `Bearer ${jwt}` };
        assert.equal((await fetch(`${relay.origin}/v1/models`, { headers })).status, 200);
        assert.equal(
          (await fetch(`${relay.origin}/auth/revoke`, { method: "POST", headers })).status,
          204,
        );
      }
      const { code, stderr } = await relay.stop();
      assert.equal(code, 0, stderr);

      const accesses = await readLog(log);
      const kinds = new Set(accesses.map(({ permission }) => permission));
      assert.deepEqual([...kinds].sort(), ["env", "net", "read", "write"]);
      assert.deepEqual(accesses.filter((access) => !isExpected(access, project, sandbox.origin)), []);
    });
  } finally {
    await sandbox.shutdown();
  }
});

Deno.test("the log of accesses would show what the relay must not touch", async () => {
  await withProject(async (project) => {
    const log = join(project.dir, "accesses.jsonl");
    await Deno.writeTextFile(
      join(project.dir, "curious.ts"),
      `for (const look of [
        () => Deno.readTextFileSync("/etc/hostname"),
        () => Deno.writeTextFileSync("../beside", ""),
        () => Deno.hostname(),
        () => Deno.env.get("HOME"),
        () => Deno.dlopen("/lib/none.so", {}),
      ]) try { look(); } catch { /* refused */ }`,
    );
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "--no-check", "--no-prompt", "-P=serve", "curious.ts"],
      cwd: project.dir,
      env: { DENO_AUDIT_PERMISSIONS: log },
      stdout: "null",
      stderr: "null",
    }).output();
    assert.ok(success);
    const unexpected = (await readLog(log)).filter((access) => !isExpected(access, project, "http://none"));
    // Deno 2.9 does not log a refused program to run; the set refuses it all the same.
    assert.deepEqual(unexpected.map(({ permission }) => permission).sort(), [
      "env",
      "ffi",
      "read",
      "sys",
      "write",
    ]);
  });
});

Deno.test("serve says which permission is missing for a data directory elsewhere, and ends", async () => {
  const elsewhere = await Deno.makeTempDir();
  const sandbox = await startSandbox();
  try {
    await withProject(async (project) => {
      const { code, stdout, stderr } = await project.start("serve", ["serve"], {
        ...sandbox.settings,
        AUTH_AI_JWT_SECRET: jwtSecret,
        AUTH_AI_IDENTITY_SECRET: identitySecret,
        AUTH_AI_ORIGINATOR: "e2e",
        AUTH_AI_PORT: "0",
        AUTH_AI_DATA_DIR: elsewhere,
      }).ended;
      assert.notEqual(code, 0);
      assert.equal(stdout, "");
      assert.match(stderr, /^error {2}.*cannot be .*--allow-read/);
      assert.ok(stderr.includes(elsewhere));
      assert.doesNotMatch(stderr, /\bat (file|ext|async)|Uncaught/);
    });
    assert.deepEqual(await Array.fromAsync(Deno.readDir(elsewhere)), []);
  } finally {
    await sandbox.shutdown();
    await Deno.remove(elsewhere, { recursive: true });
  }
});

/** True for what the relay is there to do. */
function isExpected({ permission, value }: Access, { dir, dataDir }: Project, upstream: string): boolean {
  switch (permission) {
    case "net":
      // Calls go over connections of our own, sign-ins by fetch, which asks for the whole URL.
      return value === "127.0.0.1:0" || value === new URL(upstream).host ||
        (value ?? "").startsWith(`${upstream}/`);
    case "env":
      // null asks for the whole environment, of which the permission set shows the names that it allows.
      return value === null || value.startsWith("AUTH_AI_");
    case "read":
    case "write": {
      const path = resolve(dir, value ?? "/");
      return path === dataDir || path.startsWith(`${dataDir}/`);
    }
    default:
      return false;
  }
}

async function readLog(path: string): Promise<readonly Access[]> {
  const lines = (await Deno.readTextFile(path)).split("\n").filter((line) => line !== "");
  return lines.map((line): Access => JSON.parse(line));
}
