/**
 * Everything that was given, from all places, and the value that each setting has by it.
 *
 * @module
 */
import { join } from "node:path";
import { airelaysNames, airelaysUnsupported } from "./config_airelays.ts";
import { settings } from "./config.ts";
import type { Setting } from "./config_setting.ts";
import {
  environmentLayer,
  type Findings,
  flagLayer,
  type GivenValue,
  type KnownNames,
  type Layer,
  readSettingsFile,
  type SettingNames,
  tomlLayer,
} from "./config_source.ts";

/** Where settings are read from, beside the files. */
export interface ConfigSources {
  /** Flags by name without dashes; names that belong to no setting are ignored here. */
  readonly flags: Readonly<Record<string, string>>;
  /** The environment, as far as the process may see it. */
  readonly environment: Readonly<Record<string, string>>;
  /** `none`: no file is looked for, and nothing needs the permission to read. */
  readonly files: "read" | "none";
}

/** What all sources together say. */
export interface GivenSettings {
  /** The settings file, whether it exists or not. */
  readonly configPath: string;
  /** The value of a setting. One that breaks its rule becomes a problem, and reads as the default. */
  read<T>(setting: Setting<T>): T;
  /** The value as it was given, from the best place; undefined when the default holds. */
  given(setting: SettingNames): GivenValue | undefined;
  /** False when a file is there and was not read: what was not given may stand in it. */
  readonly complete: boolean;
}

/** The file of generated secrets in a data directory. */
export function secretsFilePath(dataDir: string): string {
  return join(dataDir, "secrets.toml");
}

/** The file of settings in a data directory, where no other is named. */
export function configFilePath(dataDir: string): string {
  return join(dataDir, "config.toml");
}

/** Every name that a setting has in the environment, and those that say where the home directory is. */
export const environmentNames: readonly string[] = Object.freeze([
  ...Object.values(settings).flatMap(({ env, envAliases = [] }: SettingNames) => [env, ...envAliases]),
  ...airelaysNames.flatMap(({ env }) => env),
  ...airelaysUnsupported.flatMap(({ env }) => env === undefined ? [] : [env]),
  "HOME",
  "USERPROFILE",
]);

/** Reads all sources. What is wrong with them, and later with a value that is read, is added to `findings`. */
export async function readSources(sources: ConfigSources, findings: Findings): Promise<GivenSettings> {
  const home = sources.environment["HOME"] ?? sources.environment["USERPROFILE"];
  const flags = flagLayer(sources.flags, rows);
  const environment = environmentLayer(sources.environment, names, findings);
  const outer = [flags, environment];
  // The file is looked for where flag, environment and default point; its own data_dir then moves everything else.
  const first = createReader(outer, [], home);
  const named = first.read(settings.configPath);
  const configPath = named ?? configFilePath(first.read(settings.dataDir));
  if (sources.files === "none") {
    return { configPath, complete: true, ...createReader(outer, findings.problems, home) };
  }

  const file = await readTomlLayer(
    { path: configPath, trust: "plain", required: named !== undefined },
    names,
    (setting) => setting.toml,
    findings,
  );
  const second = createReader([...outer, file ?? unreadLayer], [], home);
  const generated = await readTomlLayer(
    { path: secretsFilePath(second.read(settings.dataDir)), trust: "secret", required: false },
    { settings: rows, older: [], unsupported: [] },
    (setting) => setting.generated,
    findings,
  );
  return {
    configPath,
    complete: file !== undefined && generated !== undefined,
    ...createReader([...outer, file ?? unreadLayer, generated ?? unreadLayer], findings.problems, home),
  };
}

/** What a file gives that could not be read. */
const unreadLayer: Layer = Object.freeze(new Map<string, GivenValue>());

const rows: readonly Setting<unknown>[] = Object.freeze(Object.values(settings));

const names: KnownNames = Object.freeze<KnownNames>({
  settings: rows,
  older: airelaysNames,
  unsupported: airelaysUnsupported,
});

/** Reads settings from the first layer that has them. */
function createReader(
  layers: readonly Layer[],
  problems: string[],
  home: string | undefined,
): Pick<GivenSettings, "read" | "given"> {
  const given = ({ env }: SettingNames) =>
    layers.map((layer) => layer.get(env)).find((value) => value !== undefined);
  return {
    given,
    read(setting) {
      const value = given(setting);
      if (value === undefined) return setting.fallback;
      const parsed = setting.value.parse(value.text, home);
      if (parsed.kind === "value") return parsed.value;
      problems.push(`${value.origin} ${parsed.rule}.`);
      return setting.fallback;
    },
  };
}

/** Undefined when the file is there and cannot be read, or may not be. */
async function readTomlLayer(
  file: { readonly path: string; readonly trust: "secret" | "plain"; readonly required: boolean },
  names: KnownNames,
  keyOf: (setting: SettingNames) => string | undefined,
  findings: Findings,
): Promise<Layer | undefined> {
  const read = await readSettingsFile(file.path, file.trust);
  if (read.kind === "text") return tomlLayer({ path: file.path, text: read.text }, names, keyOf, findings);
  if (read.kind === "problem") {
    findings.problems.push(read.sentence);
    return undefined;
  }
  if (read.kind === "absent" && file.required) {
    findings.problems.push(
      `${file.path} does not exist. ${settings.configPath.env} or --${settings.configPath.flag} names it.`,
    );
  }
  return new Map();
}
