/**
 * The package as somebody else gets it: exactly the files that would be published, in a directory of their own, without this
 * repository's lock file, its other files or its working directory.
 */
import assert from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { version } from "../../src/version.ts";
import { relayClient } from "./relay_process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

Deno.test("the published files are a program and a library", async (test) => {
  const dir = await Deno.makeTempDir();
  const sandbox = await startSandbox();
  try {
    const published = await copyPublished(join(dir, "package"));
    const main = join(dir, "package", "src", "main.ts");
    const elsewhere = join(dir, "elsewhere");
    await Deno.mkdir(elsewhere);

    await test.step("nothing is published that only the project needs", () => {
      const needless = published.filter((path) =>
        !/^(src\/.+\.ts|deno\.json|LICENSE|README\.md)$/.test(path)
      );
      assert.deepEqual(needless, []);
      assert.deepEqual(published.filter((path) => /_test\.ts$|^src\/page\/(client|build)/.test(path)), []);
    });
    await test.step("version and help answer", async () => {
      const told = await deno(elsewhere, ["run", "--no-lock", "-A", main, "version"]);
      assert.deepEqual(told, { code: 0, stdout: `${version}\n`, stderr: "" });
      const help = await deno(elsewhere, ["run", "--no-lock", "-A", main, "help"]);
      assert.equal(help.code, 0, help.stderr);
      assert.match(help.stdout, /\bsandbox\b/);
    });
    await test.step("sandbox signs in and answers", () => useSandbox(elsewhere, main));

    const consumer = join(dir, "consumer");
    await writeConsumer(consumer, ["kv", "no-legacy-abort"]);
    await test.step("a program that uses the library passes deno check, and so does the documented one", async () => {
      await Deno.writeTextFile(join(consumer, "documented.ts"), await documentedProgram());
      const { code, stderr } = await deno(consumer, ["check", "program.ts", "documented.ts"]);
      assert.equal(code, 0, stderr);
    });
    await test.step("it serves a sign-in, with its own Hono middleware around it", async () => {
      const { code, stdout, stderr } = await deno(consumer, ["run", "-A", "program.ts", sandbox.origin]);
      assert.equal(code, 0, stderr);
      judgeConsumer(JSON.parse(stdout), sandbox);
    });

    const without = join(dir, "without");
    await writeConsumer(without, []);
    const sentence = /Deno KV is not enabled\. Add "unstable": \["kv"\] to the deno\.json of the program/;
    await test.step("a program that has not enabled Deno KV is told so", async () => {
      const { code, stderr } = await deno(without, ["run", "-A", "program.ts", sandbox.origin]);
      assert.equal(code, 1);
      assert.match(stderr, sentence);
    });
    const config = join(without, "deno.json");
    await test.step("the command line with all permissions starts again with Deno KV", async () => {
      await useSandbox(without, main, ["--config", config]);
    });
    await test.step("the command line with fewer permissions and without Deno KV says so in one sentence", async () => {
      const narrow = ["--allow-net", "--allow-env", "--allow-read", "--allow-write", "--no-prompt"];
      const { code, stderr } = await deno(without, [
        "run",
        ...narrow,
        "--config",
        config,
        main,
        "sandbox",
        ...ports,
      ]);
      assert.equal(code, 1);
      assert.match(stderr, /^error {2}Deno KV is not enabled/);
      assert.doesNotMatch(stderr, /\bat (file|ext|async)|Uncaught/);
    });
  } finally {
    await sandbox.shutdown();
    await Deno.remove(dir, { recursive: true });
  }
});

const ports = ["--port=0", "--sandbox-port=0"];

/** Copies what `deno publish` would take; the paths, relative to the package. */
async function copyPublished(to: string): Promise<readonly string[]> {
  const { code, stdout, stderr } = await deno(root, ["publish", "--dry-run", "--allow-dirty", "--no-check"]);
  assert.equal(code, 0, stderr);
  const urls = [...`${stdout}\n${stderr}`.matchAll(/^ +(file:\/\/\S+) \([\d.]+\w+\)$/gm)];
  const paths = urls.map(([, url = ""]) => relative(root, fileURLToPath(url)));
  assert.ok(paths.includes(join("src", "main.ts")), stderr);
  for (const path of paths) {
    await Deno.mkdir(dirname(join(to, path)), { recursive: true });
    await Deno.copyFile(join(root, path), join(to, path));
  }
  return paths;
}

async function useSandbox(cwd: string, main: string, flags: readonly string[] = []): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-lock", "-A", ...flags, main, "sandbox", ...ports, "--auto-approve"],
    cwd,
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    let text = "";
    let origin: string | undefined;
    const output = child.stdout.pipeThrough(new TextDecoderStream());
    for await (const part of output.values({ preventCancel: true })) {
      text += part;
      origin = /^ +(http\S+)\/sign-in$/m.exec(text)?.[1];
      if (origin !== undefined) break;
    }
    assert.ok(origin !== undefined, text);
    const client = relayClient(origin);
    const { jwt = "" } = await client.pollToEnd(await client.start("xai"));
    assert.match(await client.chat(jwt, "grok-4.5"), /^Hello from/);
    await output.cancel();
  } finally {
    child.kill("SIGINT");
    assert.equal((await child.status).code, 0);
  }
}

/** The program of docs/integration.md. */
async function documentedProgram(): Promise<string> {
  const page = await Deno.readTextFile(join(root, "docs", "integration.md"));
  const [, block] = /^## As a library\n\n```ts\n(.*?)^```$/ms.exec(page) ?? [];
  assert.ok(block !== undefined, "docs/integration.md has lost its program.");
  return block;
}

/** A program of somebody who runs the relay inside their own. */
const program =
  `import { createRelayApp, openStore, type RelayApp, type RelayMiddleware } from "@authai/relay";
import { logger } from "hono/logger";

const [upstream = ""] = Deno.args;
const log: string[] = [];
const stamp: RelayMiddleware = async (context, next) => {
  await next();
  context.res.headers.set("x-stamp", context.req.path);
};
const store = await openStore({ dataDir: "./relay-data" });
const relay: RelayApp = createRelayApp({
  store,
  jwtSecret: "a1b2".repeat(16),
  identitySecret: "c3d4".repeat(16),
  originator: "consumer",
  providers: { openai: { issuerUrl: upstream + "/openai/auth" }, enabled: ["openai"] },
  middleware: [logger((...parts: string[]) => void log.push(parts.join(" "))), stamp],
});
const server = Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: () => {} },
  (request) => relay.fetch(request),
);
const origin = "http://127.0.0.1:" + server.addr.port;
const answer = await fetch(origin + "/auth/start", { method: "POST" });
console.log(JSON.stringify({
  status: answer.status,
  stamp: answer.headers.get("x-stamp"),
  started: await answer.json(),
  page: (await (await fetch(origin + "/sign-in")).text()).slice(0, 15),
  log,
}));
await server.shutdown();
await store.close();
`;

async function writeConsumer(dir: string, unstable: readonly string[]): Promise<void> {
  const { imports } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  await Deno.mkdir(dir);
  await Deno.writeTextFile(
    join(dir, "deno.json"),
    JSON.stringify({
      imports: { ...imports, "@authai/relay": "../package/src/main.ts" },
      unstable,
      lock: false,
    }),
  );
  await Deno.writeTextFile(join(dir, "program.ts"), program);
}

function judgeConsumer(
  told: {
    readonly status: number;
    readonly stamp: string;
    readonly started: Readonly<Record<string, unknown>>;
    readonly page: string;
    readonly log: readonly string[];
  },
  sandbox: Sandbox,
): void {
  assert.equal(told.status, 200);
  assert.equal(told.stamp, "/auth/start");
  assert.equal(told.started["provider"], "openai");
  assert.equal(sandbox.control.approvals().at(-1)?.userCode, told.started["userCode"]);
  assert.equal(sandbox.control.approvals().at(-1)?.clientName, "consumer");
  assert.equal(told.page.toLowerCase(), "<!doctype html>");
  assert.ok(told.log.some((line) => line.startsWith("--> POST /auth/start 200")), told.log.join("\n"));
}

/** Runs deno to its end, without colours. */
async function deno(
  cwd: string,
  args: readonly string[],
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const [command = "", ...rest] = args;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: command === "publish" ? args.slice() : [command, "-q", ...rest],
    cwd,
    env: { NO_COLOR: "1", RUST_BACKTRACE: "0" },
  }).output();
  return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
}
