/**
 * `authai-relay init`: makes what a personal relay needs before its first login.
 *
 * @module
 */
import { generatedSecrets, type UnsignedConfig } from "../config_load.ts";
import { makeRelayToken, rotateRelayToken } from "../credential/relay_token_file.ts";
import type { Flags } from "./arguments.ts";
import { type CliProcess, type Command, exitCode } from "./command.ts";
import { setInConfigFile } from "./config_file.ts";
import { load, makeMissing } from "./configure.ts";
import { explainFailure } from "./failure.ts";
import { settingFlags } from "./setting_flags.ts";
import { printNextSteps, printProblems, printWarnings } from "./terminal.ts";

/** Makes what is missing; with `--force` replaces the secrets and the token that it made earlier. */
export const initCommand: Command = Object.freeze<Command>({
  name: "init",
  summary: "Set up a personal relay: its secrets and its token, in the data directory.",
  flags: [
    {
      name: "no-auth",
      description: "Let local tools in without the token: sets require_bearer_auth = false.",
    },
    {
      name: "force",
      description: "Make new secrets and a new token: signs everyone out, changes every user id.",
    },
    ...settingFlags(["config", "data-dir", "bearer-token-file"]),
  ],
  details: () =>
    "What the environment or config.toml sets is not made. What is there is kept: a second run changes nothing.\n" +
    "A running relay goes on with the secrets that it started with, and takes a new token at once.",
  async run(flags, process) {
    const { terminal } = process;
    const outcome = await load(flags, process);
    printWarnings(terminal, outcome.warnings);
    if (outcome.kind === "invalid") {
      printProblems(terminal, outcome.problems);
      return exitCode.usage;
    }
    const { config } = outcome;
    const force = flags["force"] !== undefined;
    const missing = outcome.kind === "incomplete" ? outcome.missing : [];
    const code = await makeMissing(config.storage.dataDir, force ? generatedSecrets : missing, process, {
      replace: force,
    });
    if (code !== exitCode.ok) return code;
    try {
      const token = await makeToken(config, force, process);
      const opened = flags["no-auth"] !== undefined && await openToLocalTools(config, flags, process);
      if (!force && missing.length === 0 && !token && !opened) {
        terminal.out("Nothing is missing. What was made earlier is kept; --force would replace it.");
      }
    } catch (error) {
      printProblems(terminal, [explainFailure(error, "The relay cannot be set up")]);
      return exitCode.failed;
    }
    printNextSteps(terminal, ["authai-relay login", "authai-relay serve", "authai-relay token show"]);
    return exitCode.ok;
  },
});

/** Resolves to whether a token was made. */
async function makeToken(
  { relayToken }: UnsignedConfig,
  force: boolean,
  { terminal, now }: CliProcess,
): Promise<boolean> {
  const { path, override } = relayToken;
  if (override !== undefined) {
    terminal.out(`${override.name} in the environment is the relay token, so no file is made.`);
    return false;
  }
  if (force) {
    await rotateRelayToken(path, { graceMs: 0, now });
    terminal.out(`Replaced the relay token in ${path}.`);
    return true;
  }
  const { made } = await makeRelayToken(path);
  if (made) terminal.out(`Made the relay token in ${path}.`);
  return made;
}

/** Resolves to whether the settings changed. */
async function openToLocalTools(config: UnsignedConfig, flags: Flags, process: CliProcess): Promise<boolean> {
  const path = config.configPath;
  const changed = await setInConfigFile(path, { section: "security", key: "require_bearer_auth" }, false);
  if (changed) process.terminal.out(`Set security.require_bearer_auth = false in ${path}.`);
  const { "no-auth": _, ...others } = flags;
  const after = await load(others, process);
  if (after.kind !== "invalid" && after.config.relayToken.required) {
    printWarnings(process.terminal, [
      "The environment asks for the token all the same, and wins over the file.",
    ]);
  }
  return changed;
}
