/**
 * The places where settings are given: flags, environment, TOML files. Each becomes a layer, and each value in a layer
 * knows where it came from, so that an error can say which of them to correct.
 *
 * @module
 */
import { parse as parseToml, TomlDate, TomlError } from "smol-toml";
import { nearestName } from "./nearest_name.ts";
import { isOpenToOthers } from "./store/private_file.ts";

/** Under which names one setting can be given. */
export interface SettingNames {
  /** The name in the environment; every setting has one, and it identifies the setting. */
  readonly env: string;
  /** Other names in the environment; `env` wins when both are set. */
  readonly envAliases?: readonly string[];
  /** The dotted key in `config.toml`. */
  readonly toml?: string;
  /** The flag, without its two dashes. */
  readonly flag?: string;
  /** What the flag says by being there; a flag without this takes a value. */
  readonly flagText?: string;
  /** The key in the file of generated secrets. */
  readonly generated?: string;
  /** How the value is written in TOML. */
  readonly value: { readonly toml: "string" | "integer" | "boolean" | "list" };
}

/** Names under which another program gave a setting of this one. */
export interface OlderName {
  /** The setting, by its {@linkcode SettingNames.env}. */
  readonly setting: string;
  /** In the environment, best first. Any name of the setting itself wins. */
  readonly env: readonly string[];
  /** In `config.toml`; the setting's own key wins. */
  readonly toml?: string;
  /** Puts a value in this program's terms; undefined when it says nothing here. Absent: the terms are the same. */
  readonly translate?: (text: string) => string | undefined;
}

/** A name of another program that means nothing here; `reason` completes "... has no effect: ". */
export type UnsupportedName =
  | { readonly env: string; readonly toml?: never; readonly reason: string }
  | { readonly env?: never; readonly toml: string; readonly reason: string };

/** Every name that can be given. */
export interface KnownNames {
  readonly settings: readonly SettingNames[];
  readonly older: readonly OlderName[];
  readonly unsupported: readonly UnsupportedName[];
}

/** What reading the sources had to say: a sentence each, none with a value in it. */
export interface Findings {
  /** What is wrong. */
  readonly problems: string[];
  /** What is right, but not as the user may believe. */
  readonly warnings: string[];
}

/** A value as it was given. `origin` begins an error sentence, e.g. `AUTH_AI_PORT in the environment`. */
export interface GivenValue {
  readonly text: string;
  /** The variable, key or flag that gave it. */
  readonly name: string;
  readonly origin: string;
}

/** What one source gives, by {@linkcode SettingNames.env}. */
export type Layer = ReadonlyMap<string, GivenValue>;

/** The flags that were given, by name without dashes. */
export function flagLayer(flags: Readonly<Record<string, string>>, settings: readonly SettingNames[]): Layer {
  const layer = new Map<string, GivenValue>();
  for (const { env, flag, flagText } of settings) {
    const given = flag === undefined ? undefined : flags[flag];
    if (given === undefined) continue;
    const name = `--${flag}`;
    layer.set(env, { text: flagText ?? given.trim(), name, origin: `${name} on the command line` });
  }
  return layer;
}

/**
 * The settings in the environment. Empty variables count as absent, because container files cannot leave one out. A name
 * that begins with `AUTH_AI_` or `AIRELAYS_` and is unknown is a problem: a mistyped one would otherwise be ignored.
 */
export function environmentLayer(
  environment: Readonly<Record<string, string>>,
  names: KnownNames,
  findings: Findings,
): Layer {
  const layer = new Map<string, GivenValue>();
  const known = new Set<string>();
  const take = (setting: string, variables: readonly string[], translate?: OlderName["translate"]) => {
    for (const name of variables) {
      known.add(name);
      const given = environment[name]?.trim() ?? "";
      const text = given === "" || translate === undefined ? given : translate(given) ?? "";
      if (text !== "" && !layer.has(setting)) {
        layer.set(setting, { text, name, origin: `${name} in the environment` });
      }
    }
  };
  for (const { env, envAliases = [] } of names.settings) take(env, [env, ...envAliases]);
  for (const { setting, env, translate } of names.older) take(setting, env, translate);

  const idle = names.unsupported.flatMap(({ env, reason }) =>
    env === undefined ? [] : [[env, reason] as const]
  );
  const given = idle.filter(([name]) => (environment[name]?.trim() ?? "") !== "");
  warnOfIdle(given, "the environment", findings);
  for (const [name] of idle) known.add(name);
  for (const name of Object.keys(environment).sort()) {
    if (!/^(AUTH_AI|AIRELAYS)_/.test(name) || known.has(name)) continue;
    findings.problems.push(`${name} in the environment is not a setting.${suggestion(name, known)}`);
  }
  return layer;
}

/** The settings in the text of a TOML file; `path` is for the origin, `keyOf` chooses the key of a setting. */
export function tomlLayer(
  file: { readonly text: string; readonly path: string },
  names: KnownNames,
  keyOf: (setting: SettingNames) => string | undefined,
  { problems, warnings }: Findings,
): Layer {
  const layer = new Map<string, GivenValue>();
  const byEnv = new Map(names.settings.map((setting) => [setting.env, setting]));
  const byKey = new Map<string, { readonly setting: SettingNames; readonly older?: OlderName }>();
  for (const older of names.older) {
    const setting = byEnv.get(older.setting);
    if (older.toml !== undefined && setting !== undefined) byKey.set(older.toml, { setting, older });
  }
  for (const setting of names.settings) {
    const key = keyOf(setting);
    if (key !== undefined) byKey.set(key, { setting });
  }
  const idleKeys = new Map(names.unsupported.flatMap(({ toml, reason }) => {
    return toml === undefined ? [] : [[toml, reason] as const];
  }));
  const idle: (readonly [string, string])[] = [];
  for (const [key, value] of tomlLeaves(file, problems)) {
    const origin = `${key} in ${file.path}`;
    const reason = idleKeys.get(key);
    if (reason !== undefined) idle.push([key, reason]);
    const known = byKey.get(key);
    if (known === undefined) {
      // A header whose lines are all commented out.
      const isHeader = isTable(value) &&
        [...byKey.keys(), ...idleKeys.keys()].some((known) => known.startsWith(`${key}.`));
      if (reason !== undefined || isHeader) continue;
      problems.push(`${origin} is not a setting.${suggestion(key, byKey.keys())}`);
      continue;
    }
    const { setting, older } = known;
    const given = tomlText(value, setting.value.toml);
    if (given === undefined) {
      problems.push(`${origin} must be ${tomlTypeNames[setting.value.toml]}.`);
      continue;
    }
    const text = older?.translate === undefined ? given : older.translate(given);
    if (text === undefined || (older !== undefined && layer.has(setting.env))) continue;
    layer.set(setting.env, { text, name: key, origin });
  }
  warnOfIdle(idle, file.path, { problems, warnings });
  return layer;
}

/** One warning for all names of one reason. */
function warnOfIdle(
  idle: readonly (readonly [name: string, reason: string])[],
  place: string,
  { warnings }: Findings,
): void {
  for (const [reason, members] of Map.groupBy(idle, ([, reason]) => reason)) {
    const verb = members.length === 1 ? "has" : "have";
    warnings.push(`${members.map(([name]) => name).join(", ")} in ${place} ${verb} no effect: ${reason}.`);
  }
}

/** How reading a settings file ended. `sentence` says what is wrong and what to do. */
export type SettingsFile =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "absent" }
  | { readonly kind: "problem"; readonly sentence: string };

/** Reads a settings file. A `secret` one is refused when anybody but its owner may read or change it. */
export async function readSettingsFile(path: string, trust: "secret" | "plain"): Promise<SettingsFile> {
  try {
    if (trust === "secret") {
      const info = await Deno.stat(path);
      if (isOpenToOthers(info)) {
        const mode = ((info.mode ?? 0) & 0o777).toString(8);
        const sentence = `${path} holds secrets and is open to other users of this machine (mode ${mode}). ` +
          `Close it with: chmod 600 ${path}`;
        return { kind: "problem", sentence };
      }
    }
    return { kind: "text", text: await Deno.readTextFile(path) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "absent" };
    return { kind: "problem", sentence: `${path} cannot be read: ${readFailure(error)}` };
  }
}

function readFailure(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    return "the relay was started without the permission to. " +
      "Put the file into the data directory, or add --allow-read for it to the start command.";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return "its owner or mode does not let this user read it.";
  }
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory.";
  if (error instanceof Deno.errors.NotADirectory) return "a part of its path is a file.";
  return error instanceof Error ? error.message : "the cause is unknown.";
}

const tomlTypeNames = Object.freeze({
  string: "a string in quotes",
  integer: "a whole number without quotes",
  boolean: "true or false, without quotes",
  list: "a list of strings, or one string",
});

function tomlText(value: unknown, type: SettingNames["value"]["toml"]): string | undefined {
  if (type === "integer") return typeof value === "number" ? String(value) : undefined;
  if (type === "boolean") return typeof value === "boolean" ? String(value) : undefined;
  if (typeof value === "string") return value.trim();
  if (type === "string" || !Array.isArray(value)) return undefined;
  return value.every((entry) => typeof entry === "string") ? value.join(",") : undefined;
}

/** The dotted keys of a document with their values; a document that does not parse has none. */
function tomlLeaves(
  file: { readonly text: string; readonly path: string },
  problems: string[],
): [string, unknown][] {
  try {
    return leavesOf(parseToml(file.text), "");
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    // The rest of the message quotes the line, and with it perhaps a secret.
    const cause = error.message.split("\n")[0]?.replace("Invalid TOML document: ", "") ?? "";
    problems.push(`${file.path}, line ${error.line}, is not valid TOML: ${cause}.`);
    return [];
  }
}

function leavesOf(table: object, prefix: string): [string, unknown][] {
  return Object.entries(table).flatMap(([name, value]): [string, unknown][] => {
    const key = prefix + name;
    const leaves = isTable(value) ? leavesOf(value, `${key}.`) : [];
    // An empty table is kept as a leaf, so that a mistyped header is noticed too.
    return leaves.length > 0 ? leaves : [[key, value]];
  });
}

function isTable(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof TomlDate);
}

function suggestion(name: string, candidates: Iterable<string>): string {
  const nearest = nearestName(name, candidates);
  return nearest === undefined ? "" : ` Did you mean ${nearest}?`;
}
