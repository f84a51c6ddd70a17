import assert from "node:assert/strict";
import { runCli } from "../../src/cli/cli.ts";
import { settings } from "../../src/config.ts";
import { version } from "../../src/version.ts";
import { recordingProcess } from "./recording_process.ts";

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const process = recordingProcess();
  const code = await runCli(args, process);
  return { code, out: process.out.join("\n"), err: process.err.join("\n") };
}

for (const args of [["version"], ["--version"]]) {
  Deno.test(`runCli() prints the version for ${args.join(" ")}`, async () => {
    assert.deepEqual(await run(...args), { code: 0, out: version, err: "" });
  });
}

for (const args of [["help"], ["--help"], ["-h"]]) {
  Deno.test(`runCli() prints the overview for ${args.join(" ")}`, async () => {
    const { code, out, err } = await run(...args);
    assert.deepEqual([code, err], [0, ""]);
    assert.deepEqual(out.match(/^ {2}\w+/gm)?.map((name) => name.trim()), [
      "serve",
      "sandbox",
      "init",
      "login",
      "logout",
      "token",
      "status",
      "models",
      "doctor",
      "logs",
      "version",
      "help",
    ]);
  });
}

const commandFlags: Readonly<Record<string, readonly string[]>> = {
  serve: [
    "--init",
    "--config",
    "--data-dir",
    "--host",
    "--port",
    "--bearer-token-file",
    "--no-auth",
    "--help",
  ],
  sandbox: ["--port", "--sandbox-port", "--auto-approve", "--help"],
  init: ["--no-auth", "--force", "--config", "--data-dir", "--bearer-token-file", "--help"],
  token: [
    "--grace-seconds",
    "--json",
    "--config",
    "--data-dir",
    "--host",
    "--port",
    "--bearer-token-file",
    "--help",
  ],
  login: ["--replace", "--config", "--data-dir", "--host", "--port", "--help"],
  logout: ["--all", "--config", "--data-dir", "--help"],
  status: ["--json", "--config", "--data-dir", "--host", "--port", "--bearer-token-file", "--help"],
  models: ["--json", "--config", "--data-dir", "--host", "--port", "--help"],
  doctor: [
    "--skip-response",
    "--json",
    "--config",
    "--data-dir",
    "--host",
    "--port",
    "--bearer-token-file",
    "--help",
  ],
  logs: ["--follow", "--lines", "--json", "--config", "--data-dir", "--help"],
  version: ["--help"],
  help: ["--help"],
};

for (const [name, flags] of Object.entries(commandFlags)) {
  for (const args of [["help", name], [name, "--help"], [name, "-h"]]) {
    Deno.test(`runCli() prints the flags of ${name} for ${args.join(" ")}`, async () => {
      const { code, out, err } = await run(...args);
      assert.deepEqual([code, err], [0, ""]);
      assert.match(out, new RegExp(`^Usage: authai-relay ${name} `));
      assert.deepEqual(out.match(/^ {2}--[\w-]+/gm)?.map((flag) => flag.trim()), flags);
      assert.deepEqual(out.split("\n").filter((line) => line.length > 120), []);
    });
  }
}

for (
  const [name, usage] of [
    ["login", "login [openai|xai|github]"],
    ["token", "token show|rotate"],
    ["help", "help [command]"],
    ["status", "status"],
  ] as const
) {
  Deno.test(`runCli() shows in the help of ${name} which word it takes, without asking for it`, async () => {
    const { code, out } = await run(name, "--help");
    assert.equal(code, 0);
    assert.ok(out.startsWith(`Usage: authai-relay ${usage} [flags]\n`), out);
  });
}

Deno.test("runCli() explains every setting in the help of serve", async () => {
  const { out } = await run("serve", "--help");
  for (const { env } of Object.values(settings)) assert.ok(out.includes(env), env);
});

const refusals: readonly (readonly [readonly string[], string])[] = [
  [["srve"], 'error  "srve" is not a command. Did you mean serve?\nhint   authai-relay help'],
  [["deploy"], 'error  "deploy" is not a command.\nhint   authai-relay help'],
  [["help", "srve"], 'error  "srve" is not a command. Did you mean serve?\nhint   authai-relay help'],
  [["version", "now"], 'error  "now" is one word too many.\nhint   authai-relay help version'],
  [["help", "serve", "now"], 'error  "now" is one word too many.\nhint   authai-relay help help'],
  [["--prot", "1"], "error  --prot is not a flag here. Did you mean --port?\nhint   authai-relay help serve"],
  [
    ["token"],
    "error  token needs a word: authai-relay token show|rotate.\nhint   authai-relay help token",
  ],
  [
    ["token", "rotat"],
    'error  "rotat" is not understood here. Did you mean rotate?\nhint   authai-relay help token',
  ],
  [["token", "show", "now"], 'error  "now" is one word too many.\nhint   authai-relay help token'],
  [
    ["login", "anthropic"],
    'error  "anthropic" is not understood here. Take one of: openai, chatgpt, xai, grok, github, copilot.\n' +
    "hint   authai-relay help login",
  ],
  [["init", "--init"], "error  --init is not a flag here.\nhint   authai-relay help init"],
];

for (const [args, expected] of refusals) {
  Deno.test(`runCli() refuses ${args.join(" ")} with exit code 2`, async () => {
    assert.deepEqual(await run(...args), { code: 2, out: "", err: expected });
  });
}

Deno.test("runCli() writes escape sequences only when a person watches", async () => {
  for (const colors of [false, true]) {
    const process = recordingProcess({}, { colors });
    await runCli(["help"], process);
    await runCli(["nothing"], process);
    assert.equal(process.out.join("").includes("\x1b["), colors);
    assert.equal(process.err.join("").includes("\x1b["), colors);
  }
});
