/**
 * The places where settings are given: flags, environment, TOML files. Each becomes a layer, and each value in a layer
 * knows where it came from, so that an error can say which of them to correct.
 *
 * @module
 */
import { parse as parseToml, TomlDate, TomlError } from "smol-toml";
import { nearestName } from "./nearest_name.ts";

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
  /** The key in the file of generated secrets. */
  readonly generated?: string;
  /** How the value is written in TOML. */
  readonly value: { readonly toml: "string" | "integer" | "list" };
}

/** A value as it was given. `origin` begins an error sentence, e.g. `AUTH_AI_PORT in the environment`. */
export interface GivenValue {
  readonly text: string;
  readonly origin: string;
}

/** What one source gives, by {@linkcode SettingNames.env}. */
export type Layer = ReadonlyMap<string, GivenValue>;

/** The flags that were given, by name without dashes. */
export function flagLayer(flags: Readonly<Record<string, string>>, settings: readonly SettingNames[]): Layer {
  const layer = new Map<string, GivenValue>();
  for (const { env, flag } of settings) {
    const text = flag === undefined ? undefined : flags[flag];
    if (text !== undefined) layer.set(env, { text: text.trim(), origin: `--${flag} on the command line` });
  }
  return layer;
}

/**
 * The settings in the environment. Empty variables count as absent, because container files cannot leave one out.
 * Every name that begins with `AUTH_AI_` and is no setting is a problem: a mistyped one would otherwise be ignored.
 */
export function environmentLayer(
  environment: Readonly<Record<string, string>>,
  settings: readonly SettingNames[],
  problems: string[],
): Layer {
  const layer = new Map<string, GivenValue>();
  const known = new Set<string>();
  for (const { env, envAliases = [] } of settings) {
    for (const name of [env, ...envAliases]) {
      known.add(name);
      const text = environment[name]?.trim() ?? "";
      if (text !== "" && !layer.has(env)) layer.set(env, { text, origin: `${name} in the environment` });
    }
  }
  for (const name of Object.keys(environment).sort()) {
    if (!name.startsWith("AUTH_AI_") || known.has(name)) continue;
    problems.push(`${name} in the environment is not a setting.${suggestion(name, known)}`);
  }
  return layer;
}

/** The settings in the text of a TOML file; `path` is for the origin, `keyOf` chooses the key of a setting. */
export function tomlLayer(
  file: { readonly text: string; readonly path: string },
  settings: readonly SettingNames[],
  keyOf: (setting: SettingNames) => string | undefined,
  problems: string[],
): Layer {
  const layer = new Map<string, GivenValue>();
  const byKey = new Map(settings.flatMap((setting) => {
    const key = keyOf(setting);
    return key === undefined ? [] : [[key, setting] as const];
  }));
  for (const [key, value] of tomlLeaves(file, problems)) {
    const setting = byKey.get(key);
    const origin = `${key} in ${file.path}`;
    if (setting === undefined) {
      // A header whose lines are all commented out.
      if (isTable(value) && [...byKey.keys()].some((known) => known.startsWith(`${key}.`))) continue;
      problems.push(`${origin} is not a setting.${suggestion(key, byKey.keys())}`);
      continue;
    }
    const text = tomlText(value, setting.value.toml);
    if (text === undefined) problems.push(`${origin} must be ${tomlTypeNames[setting.value.toml]}.`);
    else layer.set(setting.env, { text, origin });
  }
  return layer;
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
      const { mode } = await Deno.stat(path);
      // Windows has no mode bits; there the data directory's access list protects the file.
      if (mode !== null && (mode & 0o077) !== 0) {
        const sentence = `${path} holds secrets and is open to other users of this machine (mode ` +
          `${(mode & 0o777).toString(8)}). Close it with: chmod 600 ${path}`;
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
  list: "a list of strings, or one string",
});

function tomlText(value: unknown, type: SettingNames["value"]["toml"]): string | undefined {
  if (type === "integer") return typeof value === "number" ? String(value) : undefined;
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
