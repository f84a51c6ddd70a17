/**
 * `authai-relay sandbox`: a relay in front of simulated providers, to develop and test without an account.
 *
 * @module
 */
import { loadConfig } from "../config_load.ts";
import { wholeNumber } from "../config_value.ts";
import { generateSecretHex } from "../crypto/secret.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Flags } from "./arguments.ts";
import { type CliProcess, type Command, exitCode } from "./command.ts";
import { printConfigProblems } from "./configure.ts";
import { explainFailure } from "./failure.ts";
import { pasteBlock, personalLine, sdkLines } from "./paste_block.ts";
import { runRelay } from "./relay.ts";
import { settingFlags } from "./setting_flags.ts";
import { bold, dim, printProblems, type Terminal } from "./terminal.ts";

const defaultSandboxPort = "4100";

/** The person who approves in what is printed, and whom `--auto-approve` without a name means. */
const defaultUser = "ada";

/** Runs simulated providers and a relay that uses them until SIGINT or SIGTERM. Everything is in memory. */
export const sandboxCommand: Command = Object.freeze<Command>({
  name: "sandbox",
  summary: "Run the relay with simulated providers, all in memory: no account needed.",
  flags: [
    ...settingFlags(["port"]),
    {
      name: "sandbox-port",
      placeholder: "<number>",
      description: `Port of the simulated providers [${defaultSandboxPort}].`,
    },
    {
      name: "auto-approve",
      placeholder: "<user>",
      optionalValue: true,
      description: `Approve every sign-in at once, as ${defaultUser} or as the named user.`,
    },
  ],
  details: () =>
    "The environment, config.toml and secrets.toml are not read: every run has fresh secrets and an empty store.\n" +
    "Both servers listen on 127.0.0.1 only.",
  async run(flags, process) {
    const parsedPort = wholeNumber(0, 65_535).parse(flags["sandbox-port"] ?? defaultSandboxPort);
    if (parsedPort.kind === "rejected") {
      printProblems(process.terminal, [`--sandbox-port on the command line ${parsedPort.rule}.`]);
      return exitCode.usage;
    }
    const port = parsedPort.value;
    const autoApprove = flags["auto-approve"];
    // Loaded here and not above: a relay that serves should neither wait for simulated providers nor hold them.
    const { startSandbox } = await import("../sandbox/sandbox.ts");
    let sandbox: Sandbox;
    try {
      sandbox = await startSandbox({
        port,
        autoApprove: autoApprove === undefined ? false : autoApprove || defaultUser,
      });
    } catch (error) {
      if (error instanceof RangeError) {
        printProblems(process.terminal, [error.message]);
        return exitCode.usage;
      }
      printProblems(process.terminal, [explainFailure(error, `The sandbox cannot listen on port ${port}`)]);
      return exitCode.failed;
    }
    try {
      return await runRelayOn(sandbox, flags, process);
    } finally {
      await sandbox.shutdown();
    }
  },
});

async function runRelayOn(sandbox: Sandbox, flags: Flags, process: CliProcess): Promise<number> {
  const outcome = await loadConfig({
    flags,
    environment: {
      ...sandbox.settings,
      AUTH_AI_JWT_SECRET: generateSecretHex(),
      AUTH_AI_IDENTITY_SECRET: generateSecretHex(),
      AUTH_AI_ORIGINATOR: "authai-relay sandbox",
      AUTH_AI_DB_URL: ":memory:",
      AUTH_AI_KV_URL: ":memory:",
      AUTH_AI_LOG_ENABLED: "false",
      // Nothing here is worth a wait at the end.
      AUTH_AI_SHUTDOWN_GRACE_SECONDS: "1",
    },
    files: "none",
  });
  if (outcome.kind !== "config") {
    printConfigProblems(outcome, process);
    return exitCode.usage;
  }
  const user = flags["auto-approve"] === undefined ? defaultUser : null;
  return await runRelay(outcome.config, process, (relay) => {
    announce(process.terminal, { relay, sandbox: sandbox.origin, user });
  });
}

function announce(terminal: Terminal, targets: Parameters<typeof pasteBlock>[0]): void {
  const title = (text: string) => bold(terminal, text);
  terminal.out([
    `${title("The relay listens.")} Its providers are simulated, at ${targets.sandbox}.`,
    "",
    title("Sign in with a browser"),
    `  ${targets.relay}/sign-in`,
    "",
    `${title("Or paste this into a second terminal")} ${dim(terminal, "(bash, curl, sed, grep)")}`,
    "",
    pasteBlock(targets),
    "",
    title("Then use the official SDK"),
    "",
    sdkLines(targets),
    "",
    `${title("Or try the personal relay")} ${dim(terminal, "(after this line: init, login, serve)")}`,
    "",
    personalLine(targets),
    "",
    dim(terminal, "Ctrl+C stops."),
  ].join("\n"));
}
