/**
 * `authai-relay init`: makes the secrets that are not set.
 *
 * @module
 */
import { generatedSecrets } from "../config_load.ts";
import { type Command, exitCode } from "./command.ts";
import { load, makeMissing } from "./configure.ts";
import { settingFlags } from "./setting_flags.ts";
import { printProblems } from "./terminal.ts";

/** Makes what is missing; with `--force` replaces the secrets that it made earlier. */
export const initCommand: Command = Object.freeze<Command>({
  name: "init",
  summary: "Make the secrets that are not set, in the data directory.",
  flags: [
    { name: "force", description: "Make new secrets: signs everyone out and changes every user id." },
    ...settingFlags(["config", "data-dir"]),
  ],
  details: () =>
    "What the environment or config.toml sets is not made. Existing secrets are kept: a second run changes nothing.\n" +
    "A running relay goes on with the secrets that it started with.",
  async run(flags, process) {
    const { terminal } = process;
    const outcome = await load(flags, process);
    if (outcome.kind === "invalid") {
      printProblems(terminal, outcome.problems);
      return exitCode.usage;
    }
    const dataDir = outcome.kind === "config" ? outcome.config.storage.dataDir : outcome.dataDir;
    if (flags["force"] !== undefined) {
      return await makeMissing(dataDir, generatedSecrets, process, { replace: true });
    }
    if (outcome.kind === "incomplete") return await makeMissing(dataDir, outcome.missing, process);
    terminal.out("Nothing is missing. Secrets that were made earlier are kept; --force would replace them.");
    return exitCode.ok;
  },
});
