/**
 * The traffic log of a relay that is a process of its own, through every way in which such a process ends.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fingerprint } from "../../src/crypto/secret.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { type Project, withProject } from "../cli/spawned_relay.ts";
import { namesBelow } from "../traffic/log_bench.ts";
import { pollInterval, type RelayProcess, startRelay } from "./relay_process.ts";

/** Runs `test` with a project and a sandbox. */
async function withSandbox(test: (project: Project, sandbox: Sandbox) => Promise<void>): Promise<void> {
  const sandbox = await startSandbox({});
  try {
    await withProject((project) => test(project, sandbox));
  } finally {
    await sandbox.shutdown();
  }
}

/** The lines of the log that are whole, from all files. */
async function readLog({ dataDir }: Project): Promise<Record<string, unknown>[]> {
  const dir = join(dataDir, "logs");
  const names = await namesBelow(dir).catch(() => []);
  const texts = await Promise.all(names.map((name) => Deno.readTextFile(join(dir, name))));
  return texts.flatMap((text) =>
    text.split("\n").filter((line) => line.endsWith("}")).map((line) => JSON.parse(line))
  );
}

/** Sends a request that is refused, and gives its id. */
async function askInVain({ origin }: RelayProcess): Promise<string> {
  const response = await fetch(`${origin}/v1/models`);
  await response.body?.cancel();
  assert.equal(response.status, 401);
  return response.headers.get("x-request-id") ?? "";
}

const kindsOf = (lines: readonly Record<string, unknown>[], requestId: string) =>
  lines.filter((line) => line["request_id"] === requestId).map(({ kind }) => kind);

const ownerToken = "the-token-of-an-owner-0123456789abcdef";

const complete = ["request", "authentication_failed", "response"];

Deno.test("kill -9 loses no line that had a second, and the next relay goes on in the same log", async () => {
  await withSandbox(async (project, sandbox) => {
    const first = await startRelay(project, sandbox);
    const before = await askInVain(first);
    // The line of this moment is written by the relay itself; nothing asks for it.
    while (kindsOf(await readLog(project), before).length < 3) await pollInterval(20);
    await askInVain(first);
    await first.kill();
    const second = await startRelay(project, sandbox);
    const after = await askInVain(second);
    await second.stop();
    const lines = await readLog(project);
    assert.deepEqual(kindsOf(lines, before), complete);
    assert.deepEqual(kindsOf(lines, after), complete);
    const ofProcesses = lines.map(({ kind }) => kind).filter((kind) =>
      kind === "started" || kind === "stopped"
    );
    assert.deepEqual(ofProcesses, ["started", "started", "stopped"]);
    for (const name of await namesBelow(join(project.dataDir, "logs"))) {
      const { mode } = await Deno.stat(join(project.dataDir, "logs", name));
      assert.equal((mode ?? 0) & 0o777, 0o600);
    }
  });
});

Deno.test("a relay that is stopped, also at once, has every line in its log", async () => {
  await withSandbox(async (project, sandbox) => {
    const patient = await startRelay(project, sandbox, { AUTH_AI_BEARER_TOKEN: ownerToken });
    const id = await askInVain(patient);
    await patient.stop();
    const lines = await readLog(project);
    assert.deepEqual(kindsOf(lines, id), complete);
    const [started, token] = lines;
    assert.deepEqual([started?.["kind"], started?.["origin"]], ["started", patient.origin]);
    const { kind, source, fingerprint: digits } = token ?? {};
    assert.deepEqual({ kind, source, digits }, {
      kind: "relay_token",
      source: "environment",
      digits: await fingerprint(ownerToken),
    });
    assert.deepEqual([lines.at(-1)?.["kind"], lines.at(-1)?.["finished"]], ["stopped", true]);

    const hurried = await startRelay(project, sandbox);
    // A body that does not end keeps the relay from stopping.
    const body = new ReadableStream({ pull: () => new Promise(() => {}) });
    const hanging = fetch(`${hurried.origin}/auth/start`, { method: "POST", body }).catch(() => undefined);
    const last = await askInVain(hurried);
    hurried.process.signal("SIGTERM");
    await hurried.process.errors(/Stopping/);
    // Another one: the same within a second would be taken for an echo.
    hurried.process.signal("SIGINT");
    const { code } = await hurried.process.ended;
    await hanging;
    assert.equal(code, 130);
    assert.deepEqual(kindsOf(await readLog(project), last), complete);
  });
});

Deno.test("a relay whose log cannot be written warns once and answers as usual", async () => {
  await withSandbox(async (project, sandbox) => {
    await Deno.mkdir(project.dataDir);
    await Deno.writeTextFile(join(project.dataDir, "logs"), "A file where the folder should be.");
    const relay = await startRelay(project, sandbox);
    await askInVain(relay);
    await relay.process.errors(/The traffic log cannot be written/);
    for (let count = 0; count < 3; count++) await askInVain(relay);
    const { code, stderr } = await relay.stop();
    assert.equal(code, 0);
    assert.equal(stderr.match(/The traffic log cannot be written/g)?.length, 1);
  });
});
