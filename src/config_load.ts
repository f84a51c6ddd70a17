/**
 * Makes a configuration of the table in config.ts: reads the sources, judges every value, and either has everything
 * that the relay needs or knows everything that is wrong.
 *
 * @module
 */
import { join } from "node:path";
import { type Setting, settings } from "./config.ts";
import {
  environmentLayer,
  flagLayer,
  type Layer,
  readSettingsFile,
  type SettingNames,
  tomlLayer,
} from "./config_source.ts";
import { parseSecret, secretsDiffer } from "./crypto/secret.ts";
import { chatGptDefaults } from "./provider/chatgpt_settings.ts";
import { copilotDefaults } from "./provider/copilot_settings.ts";
import { grokDefaults } from "./provider/grok_settings.ts";
import type { ProviderSettings } from "./provider/registry.ts";

/** A relay's settings, judged. Secrets are hexadecimal text. */
export interface RelayConfig {
  readonly jwtSecret: string;
  readonly previousJwtSecrets: readonly string[];
  readonly identitySecret: string;
  readonly originator: string;
  /** What `openStore` takes. */
  readonly storage: { readonly dataDir: string; readonly databasePath: string; readonly kvPath: string };
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** `["*"]`, or exact origins. */
    readonly corsOrigins: readonly string[];
    readonly maxBodyBytes: number;
    readonly shutdownGraceMs: number;
  };
  /** Patience with upstreams, milliseconds. */
  readonly streams: {
    readonly keepAliveMs: number;
    readonly silenceLimitMs: number;
    readonly firstByteLimitMs: number;
  };
  readonly providers: Omit<ProviderSettings, "originator">;
}

/** The table as a list. */
const rows: readonly Setting<unknown>[] = Object.freeze(Object.values(settings));

/** The settings that have no default and that `init` can make. */
const generatedSettings: readonly Setting<unknown>[] = Object.freeze(
  rows.filter((setting) => setting.generated !== undefined),
);

/** Those of them that are secrets; the others may be known to everybody. */
export const generatedSecrets: readonly SettingNames[] = Object.freeze(
  generatedSettings.filter(({ secret }) => secret === true),
);

/** Every name that a setting has in the environment. */
export const environmentNames: readonly string[] = Object.freeze(
  rows.flatMap(({ env, envAliases = [] }) => [env, ...envAliases]),
);

/** What {@linkcode loadConfig} found. */
export type LoadOutcome =
  | { readonly kind: "config"; readonly config: RelayConfig }
  /** All that was given is right, but these settings were not given. `dataDir` is where `init` puts them. */
  | { readonly kind: "incomplete"; readonly missing: readonly SettingNames[]; readonly dataDir: string }
  /** Every problem at once, a sentence each, none with a value in it. `missing` as above. */
  | {
    readonly kind: "invalid";
    readonly problems: readonly string[];
    readonly missing: readonly SettingNames[];
  };

/** Where settings are read from, beside the files. */
export interface ConfigSources {
  /** Flags by name without dashes; names that belong to no setting are ignored here. */
  readonly flags: Readonly<Record<string, string>>;
  /** The environment, as far as the process may see it. */
  readonly environment: Readonly<Record<string, string>>;
  /** `none`: neither config.toml nor the secrets file is looked for, and nothing needs the permission to read. */
  readonly files: "read" | "none";
}

/** The file of generated secrets in a data directory. */
export function secretsFilePath(dataDir: string): string {
  return join(dataDir, "secrets.toml");
}

/** Reads all sources and judges every setting. */
export async function loadConfig(sources: ConfigSources): Promise<LoadOutcome> {
  const problems: string[] = [];
  const flags = flagLayer(sources.flags, rows);
  const environment = environmentLayer(sources.environment, rows, problems);

  // The file is looked for where flag, environment and default point; its own data_dir then moves everything else.
  const outer = createReader([flags, environment], []);
  const configPath = outer(settings.configPath);
  const file = sources.files === "none" ? emptyLayer : await readTomlLayer(
    {
      path: configPath ?? join(outer(settings.dataDir), "config.toml"),
      trust: "plain",
      required: configPath !== undefined,
    },
    (setting) => setting.toml,
    problems,
  );
  const generated = sources.files === "none" ? emptyLayer : await readTomlLayer(
    {
      path: secretsFilePath(createReader([flags, environment, file], [])(settings.dataDir)),
      trust: "secret",
      required: false,
    },
    (setting) => setting.generated,
    problems,
  );
  const layers = [flags, environment, file, generated];
  const read = createReader(layers, problems);

  const jwtSecret = read(settings.jwtSecret);
  const identitySecret = read(settings.identitySecret);
  const originator = read(settings.originator);
  read(settings.storageDriver);
  const rest: Omit<RelayConfig, "jwtSecret" | "identitySecret" | "originator"> = {
    previousJwtSecrets: read(settings.jwtSecretsPrevious),
    storage: {
      dataDir: read(settings.dataDir),
      databasePath: read(settings.databasePath),
      kvPath: read(settings.kvPath),
    },
    server: {
      host: read(settings.host),
      port: read(settings.port),
      corsOrigins: read(settings.corsOrigins),
      maxBodyBytes: read(settings.maxBodyBytes),
      shutdownGraceMs: read(settings.shutdownGraceSeconds) * 1000,
    },
    streams: {
      keepAliveMs: read(settings.keepAliveSeconds) * 1000,
      silenceLimitMs: read(settings.silenceSeconds) * 1000,
      firstByteLimitMs: read(settings.firstByteSeconds) * 1000,
    },
    providers: {
      enabled: read(settings.providers),
      openai: {
        ...chatGptDefaults,
        issuerUrl: read(settings.openaiIssuerUrl),
        apiUrl: read(settings.openaiApiUrl),
        clientId: read(settings.openaiClientId),
        clientVersion: read(settings.openaiClientVersion),
      },
      xai: {
        ...grokDefaults,
        issuerUrl: read(settings.xaiIssuerUrl),
        apiUrl: read(settings.xaiApiUrl),
        clientId: read(settings.xaiClientId),
        clientVersion: read(settings.xaiClientVersion),
        sendCliHeaders: read(settings.xaiSendCliHeaders),
      },
      github: {
        ...copilotDefaults,
        githubUrl: read(settings.githubUrl),
        githubApiUrl: read(settings.githubApiUrl),
        clientId: read(settings.githubClientId),
        copilotApiUrl: read(settings.copilotApiUrl),
        editorVersion: read(settings.copilotEditorVersion),
        editorPluginVersion: read(settings.copilotPluginVersion),
        integrationId: read(settings.copilotIntegrationId),
      },
    },
  };
  if (jwtSecret !== undefined && identitySecret !== undefined && sameSecret(jwtSecret, identitySecret)) {
    problems.push(
      `${settings.identitySecret.env} must differ from ${settings.jwtSecret.env}: who has one must not have both.`,
    );
  }

  const missing = generatedSettings.filter(({ env }) => !layers.some((layer) => layer.has(env)));
  if (problems.length > 0) return { kind: "invalid", problems, missing };
  if (jwtSecret === undefined || identitySecret === undefined || originator === undefined) {
    return { kind: "incomplete", missing, dataDir: rest.storage.dataDir };
  }
  return { kind: "config", config: { jwtSecret, identitySecret, originator, ...rest } };
}

const emptyLayer: Layer = new Map();

type Reader = <T>(setting: Setting<T>) => T;

/** Reads settings from the first layer that has them; a refused value becomes a problem and reads as the default. */
function createReader(layers: readonly Layer[], problems: string[]): Reader {
  return (setting) => {
    const given = layers.map((layer) => layer.get(setting.env)).find((value) => value !== undefined);
    if (given === undefined) return setting.fallback;
    const parsed = setting.value.parse(given.text);
    if (parsed.kind === "value") return parsed.value;
    problems.push(`${given.origin} ${parsed.rule}.`);
    return setting.fallback;
  };
}

async function readTomlLayer(
  file: { readonly path: string; readonly trust: "secret" | "plain"; readonly required: boolean },
  keyOf: (setting: SettingNames) => string | undefined,
  problems: string[],
): Promise<Layer> {
  const read = await readSettingsFile(file.path, file.trust);
  if (read.kind === "text") return tomlLayer({ path: file.path, text: read.text }, rows, keyOf, problems);
  if (read.kind === "problem") problems.push(read.sentence);
  if (read.kind === "absent" && file.required) {
    problems.push(
      `${file.path} does not exist. ${settings.configPath.env} or --${settings.configPath.flag} names it.`,
    );
  }
  return emptyLayer;
}

function sameSecret(a: string, b: string): boolean {
  const [left, right] = [parseSecret(a), parseSecret(b)];
  return left.kind === "secret" && right.kind === "secret" && !secretsDiffer(left.bytes, right.bytes);
}
