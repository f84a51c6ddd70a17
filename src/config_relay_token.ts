/**
 * The settings of the relay token, judged together: where the token is, whether there is one, and whether a relay without one
 * may listen where it is told to.
 *
 * @module
 */
import { isIPv4 } from "node:net";
import { join } from "node:path";
import { airelaysTokenFile } from "./config_airelays.ts";
import { settings } from "./config.ts";
import type { GivenSettings } from "./config_layers.ts";
import type { Findings } from "./config_source.ts";
import { readRelayTokenFile, relayTokenFileName } from "./credential/relay_token_file.ts";

/** Where the relay token comes from. */
export interface RelayTokenSettings {
  /** False: `/v1` asks for no credential. */
  readonly required: boolean;
  /** The token of the environment, and the variable's name; it wins over the file. */
  readonly override: { readonly token: string; readonly name: string } | undefined;
  /** The file, whether it exists or not. */
  readonly path: string;
  /** True when a setting names the file: then it must be there to serve. */
  readonly named: boolean;
  /** Whether there was a token, in the environment or in the file, when the settings were read. */
  readonly present: boolean;
  /** Whether a relay that asks for no credential answers more than local programs. */
  readonly remoteNoAuth: boolean;
  /** How long the token before is accepted after a rotation. */
  readonly graceMs: number;
}

/** Reads them. With `files` "none" the token file is not looked at. */
export async function readRelayTokenSettings(
  { read, given }: Pick<GivenSettings, "read" | "given">,
  files: "read" | "none",
  findings: Findings,
): Promise<RelayTokenSettings> {
  const named = read(settings.bearerTokenFile);
  const token = read(settings.bearerToken);
  const name = given(settings.bearerToken)?.name ?? settings.bearerToken.env;
  const dataDir = read(settings.dataDir);
  const path = named ?? join(dataDir, files === "read" ? await fileNameIn(dataDir) : relayTokenFileName);
  if (token !== undefined) {
    warnOfShortToken(token, `${name} in the environment`, "Set a longer, random one.", findings);
  }
  const hasFile = files === "read" && await judgeFile(path, findings);
  const required = read(settings.requireBearerAuth);
  if (!required) judgeOpenRelay({ read, given }, findings);
  return {
    required,
    override: token === undefined ? undefined : { token, name },
    path,
    named: named !== undefined,
    present: token !== undefined || hasFile,
    remoteNoAuth: read(settings.allowRemoteNoAuth),
    graceMs: read(settings.tokenGraceSeconds) * 1000,
  };
}

/** The file that is there; who comes from AIRelays has one under its older name. */
async function fileNameIn(dataDir: string): Promise<string> {
  for (const name of [relayTokenFileName, airelaysTokenFile]) {
    if ((await readRelayTokenFile(join(dataDir, name))).kind !== "absent") return name;
  }
  return relayTokenFileName;
}

async function judgeFile(path: string, findings: Findings): Promise<boolean> {
  const file = await readRelayTokenFile(path);
  if (file.kind === "unusable") findings.problems.push(file.sentence);
  if (file.kind !== "token") return false;
  warnOfShortToken(file.token, path, "`authai-relay token rotate` makes a strong one.", findings);
  if (file.openToOthers) {
    findings.warnings.push(
      `${path} holds the relay token and is open to other users of this machine. Close it with: chmod 600 ${path}`,
    );
  }
  return true;
}

function warnOfShortToken(token: string, place: string, help: string, { warnings }: Findings): void {
  if (token.length >= minTokenLength) return;
  warnings.push(`The relay token in ${place} is short enough to be guessed. ${help}`);
}

/** Base64 of 15 random bytes. */
const minTokenLength = 20;

function judgeOpenRelay(
  { read, given }: Pick<GivenSettings, "read" | "given">,
  { problems, warnings }: Findings,
): void {
  if (isLoopback(read(settings.host))) return;
  if (read(settings.allowRemoteNoAuth)) {
    warnings.push("No credential is asked for: whoever reaches this relay uses the owner's subscriptions.");
    return;
  }
  const origin = given(settings.requireBearerAuth)?.origin ?? settings.requireBearerAuth.env;
  problems.push(
    `${origin} opens the relay to whoever reaches it, so it may listen on a loopback address only, such as 127.0.0.1. ` +
      `To open it to others too, set ${settings.allowRemoteNoAuth.toml} = true in config.toml, or ` +
      `${settings.allowRemoteNoAuth.env}=true.`,
  );
}

function isLoopback(host: string): boolean {
  return ["localhost", "::1", "[::1]"].includes(host.toLowerCase()) ||
    (isIPv4(host) && host.startsWith("127."));
}
