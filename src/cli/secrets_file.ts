/**
 * Makes the secrets that an operator has not set, in a file that only its owner can ever read.
 *
 * @module
 */
import { join } from "node:path";
import { parse as parseToml, stringify as stringifyToml } from "smol-toml";
import { secretsFilePath } from "../config_layers.ts";
import { generateSecretHex } from "../crypto/secret.ts";
import { lockPrivateFile, replacePrivateFile } from "../store/replace_private_file.ts";

/** How the value of each generated setting is made, by its key in the file. */
const makers: Readonly<Record<string, () => string>> = Object.freeze({
  jwt_secret: generateSecretHex,
  identity_secret: generateSecretHex,
  originator: () => "authai-relay",
});

const header =
  `# Made by authai-relay. Whoever can read this file can forge sessions: keep it private, keep a backup.
# Settings in the environment and in config.toml win over it.

`;

/** What {@linkcode makeSecrets} did. */
export interface MadeSecrets {
  readonly path: string;
  /** The keys that this call made; the others of `keys` were there already. */
  readonly made: readonly string[];
}

/**
 * Makes sure that the secrets file of `dataDir` has a value for each of `keys`. Values that are there stay, unless
 * `replace` asks for new ones.
 *
 * Any number of processes may do this at once: they take turns by a lock that the system releases even after
 * `kill -9`, so that all of them find the same values afterwards. The file is 0600 from its first byte, and it changes as a
 * whole: a crash leaves the old or the new one. When the promise has resolved, it survives a power cut.
 *
 * Rejects with the error of the file system when the directory cannot be written.
 */
export async function makeSecrets(
  dataDir: string,
  keys: readonly string[],
  options: { readonly replace: boolean },
): Promise<MadeSecrets> {
  const path = secretsFilePath(dataDir);
  using _lock = await lockPrivateFile(join(dataDir, "secrets.lock"));
  const values = await readValues(path);
  const made = keys.filter((key) => options.replace || values[key] === undefined);
  if (made.length === 0) return { path, made };
  for (const key of made) values[key] = makers[key]?.();
  await replacePrivateFile(path, header + stringifyToml(values));
  return { path, made };
}

async function readValues(path: string): Promise<Record<string, unknown>> {
  try {
    return { ...parseToml(await Deno.readTextFile(path)) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}
