/**
 * Makes the secrets that an operator has not set, in a file that only its owner can ever read.
 *
 * @module
 */
import { join } from "node:path";
import { parse as parseToml, stringify as stringifyToml } from "smol-toml";
import { secretsFilePath } from "../config_load.ts";
import { generateSecretHex } from "../crypto/secret.ts";

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
  await Deno.mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = secretsFilePath(dataDir);
  using lock = await Deno.open(join(dataDir, "secrets.lock"), { create: true, write: true, mode: 0o600 });
  await lock.lock(true);
  const values = await readValues(path);
  const made = keys.filter((key) => options.replace || values[key] === undefined);
  if (made.length === 0) return { path, made };
  for (const key of made) values[key] = makers[key]?.();
  await replaceFile(dataDir, path, header + stringifyToml(values));
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

/** Writes beside the file and renames. Only the holder of the lock is here, so the name beside it is ours. */
async function replaceFile(dataDir: string, path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  await Deno.remove(beside).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.writeTextFile(beside, text, { createNew: true, mode: 0o600 });
  await sync(beside);
  await Deno.rename(beside, path);
  // A rename lasts when its directory is on disk; Windows neither needs nor allows that.
  if (Deno.build.os !== "windows") await sync(dataDir);
}

async function sync(path: string): Promise<void> {
  using file = await Deno.open(path);
  await file.sync();
}
