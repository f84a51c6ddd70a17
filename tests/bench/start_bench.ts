/**
 * Start-up time and idle memory of a relay as its operator runs it, against their limits and beside a bare server. Exits
 * with 1 when a limit is missed. Run it with `deno task bench`; nothing else should be busy on the machine.
 *
 * @module
 */
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { machine, median, print, printTable } from "./report.ts";
import { type ServerProcess, startServer } from "./server_process.ts";

/** The limits; memory in 10^6 bytes. */
const limits = { firstAnswerMs: 150, idleMemoryMB: 80 } as const;

/** Measured starts of each server; odd, so that the median is one of them. One start before them warms the caches. */
const runs = 9;

/** Ready is more than alive: the stores have been opened and asked. */
const firstPath = "/readyz";

const root = new URL("../../", import.meta.url);

const dataDir = await Deno.makeTempDir({ prefix: "relay-bench-" });
const sandbox = await startSandbox({ autoApprove: "ada", pollIntervalSeconds: 1 });
try {
  const missed = await measure();
  if (missed.length > 0) print(`\nMissed: ${missed.join(", ")}.`);
  Deno.exitCode = missed.length > 0 ? 1 : 0;
} finally {
  await sandbox.shutdown();
  await Deno.remove(dataDir, { recursive: true });
}

/** Measures and prints everything; returns the names of the limits that were missed. */
async function measure(): Promise<string[]> {
  print(await machine());
  await prepareSecrets();
  const relayMs: number[] = [];
  const bareMs: number[] = [];
  // In turns, so that a busy moment of the machine hits both.
  for (let run = 0; run <= runs; run++) {
    await using relay = await startRelay();
    await using bare = await startBare();
    if (run === 0) continue;
    relayMs.push(relay.firstAnswerMs);
    bareMs.push(bare.firstAnswerMs);
  }
  const memory = await measureMemory();

  const firstAnswer = { relay: median(relayMs), bare: median(bareMs) };
  const missed: string[] = [];
  const verdict = (name: string, value: number, limit: number, unit: string) => {
    if (value > limit) missed.push(name);
    return `${value > limit ? "MISSED" : "kept"}, limit ${limit} ${unit}`;
  };
  printTable([
    ["", "relay", "Deno.serve + Hono", "ratio", ""],
    [
      `start to first answer, median of ${runs}`,
      `${firstAnswer.relay.toFixed(0)} ms`,
      `${firstAnswer.bare.toFixed(0)} ms`,
      (firstAnswer.relay / firstAnswer.bare).toFixed(1),
      verdict("start to first answer", firstAnswer.relay, limits.firstAnswerMs, "ms"),
    ],
    ["  fastest to slowest", range(relayMs, "ms"), range(bareMs, "ms"), "", ""],
    [
      "memory, first request answered",
      `${memory.relay.toFixed(1)} MB`,
      `${memory.bare.toFixed(1)} MB`,
      (memory.relay / memory.bare).toFixed(1),
      verdict("memory after the first request", memory.relay, limits.idleMemoryMB, "MB"),
    ],
    [
      "memory, idle after a sign-in and an answer",
      `${memory.used.toFixed(1)} MB`,
      "",
      (memory.used / memory.bare).toFixed(1),
      verdict("idle memory after use", memory.used, limits.idleMemoryMB, "MB"),
    ],
  ]);
  return missed;
}

async function measureMemory(): Promise<
  { readonly relay: number; readonly used: number; readonly bare: number }
> {
  await using bare = await startBare();
  await using relay = await startRelay();
  const settled = async (server: ServerProcess) => await server.settledMemoryBytes() / 1e6;
  const [bareMB, relayMB] = [await settled(bare), await settled(relay)];
  await use(relay.origin);
  return { bare: bareMB, relay: relayMB, used: await settled(relay) };
}

/** What the first user does: opens the page, signs in and streams an answer. */
async function use(origin: string): Promise<void> {
  for (const path of ["/sign-in", "/sign-in/client.js", "/sign-in/style.css", "/auth/providers"]) {
    await expectOk(await fetch(`${origin}${path}`));
  }
  const started = JSON.parse(await expectOk(await fetch(`${origin}/auth/start`, { method: "POST" })));
  const jwt = await pollToTheEnd(`${origin}/auth/poll/${started.sessionId}`, started.pollIntervalMs);
  const authorization = `Bearer ${jwt}`;
  const models = JSON.parse(
    await expectOk(await fetch(`${origin}/v1/models`, { headers: { authorization } })),
  );
  const answer = await fetch(`${origin}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({
      model: models.data[0].id,
      messages: [{ role: "user", content: "Say hello" }],
      stream: true,
    }),
  });
  const text = await expectOk(answer);
  if (!text.endsWith("data: [DONE]\n\n")) throw new Error(`The answer has no end:\n${text}`);
}

async function pollToTheEnd(url: string, intervalMs: number): Promise<string> {
  while (true) {
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
    const answer = JSON.parse(await expectOk(await fetch(url)));
    if (answer.status === "complete") return answer.jwt;
    if (answer.status !== "pending") throw new Error(`The sign-in ended: ${JSON.stringify(answer)}`);
  }
}

async function expectOk(response: Response): Promise<string> {
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text}`);
  return text;
}

/** The command of `deno task start`, with a data directory of its own. */
function startRelay(): Promise<ServerProcess> {
  return startServer({
    args: [...relayArgs("serve"), "--port=0"],
    cwd: root,
    env: sandbox.settings,
    path: firstPath,
  });
}

function startBare(): Promise<ServerProcess> {
  return startServer({
    args: ["run", "-q", "--no-prompt", "-P=serve", "tests/bench/bare_server.ts"],
    cwd: root,
    env: {},
    path: firstPath,
  });
}

async function prepareSecrets(): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: relayArgs("init"),
    cwd: root,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function relayArgs(command: string): string[] {
  return [
    ...["run", "-q", "--no-prompt", "-P=serve", `--allow-read=${dataDir}`, `--allow-write=${dataDir}`],
    ...["src/main.ts", command, `--data-dir=${dataDir}`],
  ];
}

function range(values: readonly number[], unit: string): string {
  return `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)} ${unit}`;
}
