/**
 * Makes a configuration of the table in config.ts: reads the sources, judges every value, and either has everything
 * that the relay needs or knows everything that is wrong.
 *
 * @module
 */
import { isAbsolute, join } from "node:path";
import { settings } from "./config.ts";
import { type ConfigSources, readSources } from "./config_layers.ts";
import { readRelayTokenSettings, type RelayTokenSettings } from "./config_relay_token.ts";
import type { Setting } from "./config_setting.ts";
import type { Findings, SettingNames } from "./config_source.ts";
import { parseSecret, secretsDiffer } from "./crypto/secret.ts";
import type { UploadLimits } from "./files/file_vault.ts";
import type { LimitSettings } from "./guard/limits.ts";
import { chatGptDefaults } from "./provider/chatgpt_settings.ts";
import { copilotDefaults } from "./provider/copilot_settings.ts";
import { grokDefaults } from "./provider/grok_settings.ts";
import { type ProviderSettings, unnamedOriginator } from "./provider/registry.ts";

/** The two uses that a relay can have. Each needs the JWT secret and the identity secret, and works without the other. */
export interface Halves {
  /** An app's users sign in: an originator is set. */
  readonly app: boolean;
  /** The owner's tools use the owner's logins: there is a relay token, or none is asked for. */
  readonly personal: boolean;
}

/** A relay's settings, judged. Secrets are hexadecimal text. */
export interface RelayConfig {
  /** The settings file, whether it exists or not. */
  readonly configPath: string;
  readonly halves: Halves;
  readonly jwtSecret: string;
  readonly previousJwtSecrets: readonly string[];
  readonly identitySecret: string;
  /** The app's name; {@linkcode unnamedOriginator} when the app half is off. */
  readonly originator: string;
  /** What `openStore` takes. */
  readonly storage: { readonly dataDir: string; readonly databasePath: string; readonly kvPath: string };
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** `["*"]`, or exact origins; none at all when no credential is asked for and none was named. */
    readonly corsOrigins: readonly string[];
    readonly maxBodyBytes: number;
    readonly bodyTimeoutMs: number;
    readonly shutdownGraceMs: number;
  };
  readonly relayToken: RelayTokenSettings;
  readonly limits: LimitSettings;
  readonly uploads: UploadLimits;
  /** The traffic log. */
  readonly log: {
    readonly enabled: boolean;
    readonly dir: string;
    /** 0: no file is removed for its age. */
    readonly retentionDays: number;
    readonly maxTotalBytes: number;
    /** Whether prompts and answers are written too. */
    readonly bodies: boolean;
  };
  /** Patience with upstreams, milliseconds. */
  readonly streams: {
    readonly keepAliveMs: number;
    readonly silenceLimitMs: number;
    readonly firstByteLimitMs: number;
  };
  readonly providers: Omit<ProviderSettings, "originator">;
}

/** A relay's settings before its secrets are made. */
export type UnsignedConfig = Omit<RelayConfig, "jwtSecret" | "identitySecret">;

/** The secrets without which neither half works, and which `init` can make. */
export const generatedSecrets: readonly SettingNames[] = Object.freeze(
  Object.values<Setting<unknown>>(settings).filter(({ generated, secret }) => {
    return generated !== undefined && secret === true;
  }),
);

/** What {@linkcode loadConfig} found. `warnings` are sentences for the user that keep nothing from working. */
export type LoadOutcome =
  | { readonly kind: "config"; readonly config: RelayConfig; readonly warnings: readonly string[] }
  /** All that was given is right, but these secrets were not given. The rest is as it will be when they are. */
  | {
    readonly kind: "incomplete";
    readonly missing: readonly SettingNames[];
    readonly config: UnsignedConfig;
    readonly warnings: readonly string[];
  }
  /**
   * Every problem at once, a sentence each, none with a value in it. `missing` as above, and empty when a file could not be
   * read in which the secrets may be.
   */
  | {
    readonly kind: "invalid";
    readonly problems: readonly string[];
    readonly missing: readonly SettingNames[];
    readonly warnings: readonly string[];
  };

/** Reads all sources and judges every setting. */
export async function loadConfig(sources: ConfigSources): Promise<LoadOutcome> {
  const findings: Findings = { problems: [], warnings: [] };
  const { problems, warnings } = findings;
  const { configPath, complete, read, given } = await readSources(sources, findings);

  const jwtSecret = read(settings.jwtSecret);
  const identitySecret = read(settings.identitySecret);
  const originator = read(settings.originator);
  read(settings.storageDriver);
  const dataDir = read(settings.dataDir);
  const logDir = read(settings.logDir);
  const relayToken = await readRelayTokenSettings({ read, given }, sources.files, findings);
  const halves: Halves = {
    app: originator !== undefined,
    personal: relayToken.present || !relayToken.required,
  };
  const rest: UnsignedConfig = {
    configPath,
    halves,
    originator: originator ?? unnamedOriginator,
    previousJwtSecrets: read(settings.jwtSecretsPrevious),
    storage: {
      dataDir,
      databasePath: read(settings.databasePath),
      kvPath: read(settings.kvPath),
    },
    server: {
      host: read(settings.host),
      port: read(settings.port),
      // Without a credential, a page of any web site that the owner visits could spend the owner's quota.
      corsOrigins: relayToken.required || given(settings.corsOrigins) !== undefined
        ? read(settings.corsOrigins)
        : [],
      maxBodyBytes: read(settings.maxBodyBytes),
      bodyTimeoutMs: read(settings.bodyTimeoutSeconds) * 1000,
      shutdownGraceMs: read(settings.shutdownGraceSeconds) * 1000,
    },
    relayToken,
    limits: {
      ratePerMinute: read(settings.rateLimitPerMinute),
      rateBurst: read(settings.rateLimitBurst),
      concurrentRequests: read(settings.concurrentRequestsPerIp),
      failedAuthWindowMs: read(settings.failedAuthWindowSeconds) * 1000,
      failedAuthMaxAttempts: read(settings.failedAuthMaxAttempts),
      failedAuthBlockMs: read(settings.failedAuthBlockSeconds) * 1000,
      trustForwardedFor: read(settings.trustForwardedFor),
      trustedProxyHops: read(settings.trustedProxyHops),
      exemptAddresses: read(settings.exemptAddresses),
    },
    uploads: {
      maxUploadBytes: read(settings.maxUploadBytes),
      maxTotalUploadBytes: read(settings.maxTotalUploadBytes),
    },
    log: {
      enabled: read(settings.logEnabled),
      dir: isAbsolute(logDir) ? logDir : join(dataDir, logDir),
      retentionDays: read(settings.logRetentionDays),
      maxTotalBytes: read(settings.logMaxTotalBytes),
      bodies: read(settings.logBodies),
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

  const missing = complete ? generatedSecrets.filter((setting) => given(setting) === undefined) : [];
  // A value that two settings are judged by would otherwise be told twice.
  if (problems.length > 0) return { kind: "invalid", problems: [...new Set(problems)], missing, warnings };
  if (jwtSecret === undefined || identitySecret === undefined) {
    return { kind: "incomplete", missing, config: rest, warnings };
  }
  return { kind: "config", config: { jwtSecret, identitySecret, ...rest }, warnings };
}

function sameSecret(a: string, b: string): boolean {
  const [left, right] = [parseSecret(a), parseSecret(b)];
  return left.kind === "secret" && right.kind === "secret" && !secretsDiffer(left.bytes, right.bytes);
}
