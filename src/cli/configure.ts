/**
 * Settings for the commands: loads them, makes missing secrets where that was asked for, and tells the user what is wrong.
 *
 * @module
 */
import { environmentNames } from "../config_layers.ts";
import { loadConfig, type LoadOutcome, type RelayConfig } from "../config_load.ts";
import type { SettingNames } from "../config_source.ts";
import type { Flags } from "./arguments.ts";
import { type CliProcess, exitCode } from "./command.ts";
import { explainFailure } from "./failure.ts";
import { makeSecrets } from "./secrets_file.ts";
import { printProblems, printWarnings } from "./terminal.ts";

/** A usable configuration, or the exit code after the user was told why there is none. */
export type Configured =
  | { readonly kind: "config"; readonly config: RelayConfig }
  | { readonly kind: "exit"; readonly code: number };

/** Loads the configuration from flags, the environment of `process` and files. */
export function load(flags: Flags, process: CliProcess): Promise<LoadOutcome> {
  return loadConfig({ flags, environment: process.environment(environmentNames), files: "read" });
}

/** What a command does beside loading its settings. Nothing by default. */
export interface ConfigureOptions {
  /** Make the secrets that no source gives, and name each in a line. */
  readonly init?: boolean;
  /** Tell what the settings do not do, though the user may believe it. Who runs a command every hour knows by then. */
  readonly warn?: boolean;
}

/** The configuration of a command, or the exit code after the user was told what is wrong. */
export async function configure(
  flags: Flags,
  process: CliProcess,
  { init = false, warn = false }: ConfigureOptions = {},
): Promise<Configured> {
  let outcome = await load(flags, process);
  if (outcome.kind === "incomplete" && init) {
    const { dataDir } = outcome.config.storage;
    const code = await makeMissing(dataDir, outcome.missing, process);
    if (code !== exitCode.ok) return { kind: "exit", code };
    outcome = await load(flags, process);
  }
  if (warn) printWarnings(process.terminal, outcome.warnings);
  if (outcome.kind === "config") return outcome;
  // With `init`, what is missing would have been made, had the rest been right.
  printConfigProblems(init ? { ...outcome, missing: [] } : outcome, process);
  return { kind: "exit", code: exitCode.usage };
}

/** A relay for an app's users alone needs neither a relay token nor a login. */
export function isForAppAlone({ halves }: Pick<RelayConfig, "halves">): boolean {
  return halves.app && !halves.personal;
}

/** Makes `missing` in `dataDir`, says so, and resolves to an exit code. */
export async function makeMissing(
  dataDir: string,
  missing: readonly SettingNames[],
  process: CliProcess,
  options: { readonly replace: boolean } = { replace: false },
): Promise<number> {
  const keys = missing.flatMap(({ generated }) => generated === undefined ? [] : [generated]);
  try {
    const { made, path } = await makeSecrets(dataDir, keys, options);
    for (const { generated } of missing) {
      if (generated === undefined || !made.includes(generated)) continue;
      process.terminal.out(`${options.replace ? "Replaced" : "Made"} ${generated} in ${path}.`);
    }
    return exitCode.ok;
  } catch (error) {
    printProblems(process.terminal, [explainFailure(error, `Secrets cannot be made in ${dataDir}`)]);
    return exitCode.failed;
  }
}

/** The two ways to a relay that somebody can use. */
export const waysOn =
  "For your own tools: `authai-relay init`, then `authai-relay login`. For an app's users: " +
  "`authai-relay serve --init`, with the app's name in AUTH_AI_ORIGINATOR.";

/** Tells what keeps a configuration from being complete, and which command helps. */
export function printConfigProblems(
  outcome: Exclude<LoadOutcome, { readonly kind: "config" }>,
  process: CliProcess,
): void {
  const problems = outcome.kind === "invalid" ? [...outcome.problems] : [];
  if (outcome.missing.length === 0) return printProblems(process.terminal, problems);
  const names = outcome.missing.map(({ env }) => env).join(" and ");
  const verb = outcome.missing.length === 1 ? "is" : "are";
  const halves = outcome.kind === "incomplete" ? outcome.config.halves : undefined;
  printProblems(
    process.terminal,
    [
      ...problems,
      `This relay is not set up yet: ${names} ${verb} not set.`,
    ],
    halves?.app === false && !halves.personal
      ? waysOn
      : "`authai-relay init` makes what is missing in the data directory; `serve --init` does that and starts.",
  );
}
