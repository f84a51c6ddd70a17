/**
 * The relay token on disk: one line in a private file. Beside it lies `<file>.previous`, which has the hashes of the tokens before
 * it and until when each is still accepted, and never a token.
 *
 * @module
 */
import { hash } from "node:crypto";
import { isOpenToOthers } from "../store/private_file.ts";
import { lockPrivateFile, replacePrivateFile } from "../store/replace_private_file.ts";

/** The name of the file in the data directory, where no setting names another. */
export const relayTokenFileName = "relay_token";

/** What every relay token must be; completes a sentence. */
export const relayTokenRule = "must be 1 to 4096 printable ASCII characters without space and comma";

/** `text` without its surrounding space, if a client can send that as a bearer token; else undefined. */
export function parseRelayToken(text: string): string | undefined {
  const token = text.trim();
  return /^[\x21-\x2b\x2d-\x7e]{1,4096}$/.test(token) ? token : undefined;
}

/** What {@linkcode readRelayTokenFile} found. */
export type RelayTokenFile =
  | {
    readonly kind: "token";
    readonly token: string;
    /** True when users of this machine other than the owner may read the file. */
    readonly openToOthers: boolean;
  }
  | { readonly kind: "absent" }
  /** There is something, but no token. `sentence` says what is wrong, and nothing of the content. */
  | { readonly kind: "unusable"; readonly sentence: string };

/** Reads the token at `path`. Never rejects. */
export async function readRelayTokenFile(path: string): Promise<RelayTokenFile> {
  try {
    const openToOthers = isOpenToOthers(await Deno.stat(path));
    const token = parseRelayToken(await Deno.readTextFile(path));
    if (token === undefined) {
      return { kind: "unusable", sentence: `${path} has no relay token: its content ${relayTokenRule}.` };
    }
    return { kind: "token", token, openToOthers };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { kind: "absent" };
    const cause = error instanceof Error ? error.name : "an unknown error";
    return { kind: "unusable", sentence: `${path} cannot be read (${cause}). Check its owner and its mode.` };
  }
}

/** A token that was replaced. */
export interface PreviousToken {
  /** SHA-256 of the token, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** It is accepted before this moment, milliseconds since the epoch. */
  readonly untilMs: number;
}

/** The tokens that were replaced at `path`, newest first. What is damaged counts as absent: it can only accept more. */
export async function readPreviousTokens(path: string): Promise<readonly PreviousToken[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(previousPath(path));
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    const [, sha256, until] = /^([0-9a-f]{64}) (\d{1,15})$/.exec(line) ?? [];
    return sha256 === undefined ? [] : [{ sha256, untilMs: Number(until) }];
  });
}

/** What a change of the token file did. */
export interface RotatedToken {
  /** The token that is accepted from now on. */
  readonly token: string;
  /** Until when the token before is accepted, milliseconds since the epoch; undefined when there was none. */
  readonly previousUntilMs: number | undefined;
}

/**
 * Replaces the relay token at `path` by a new one. The one before is accepted for `graceMs` more; those before it, for as long
 * as they still had, but no longer than that. A running relay knows with its next request.
 *
 * Processes that rotate at once take turns. When the promise has resolved, the change survives a power cut. Rejects with a
 * sentence when `path` holds something that is no token, and with the error of the file system.
 */
export async function rotateRelayToken(
  path: string,
  options: { readonly graceMs: number; readonly now: () => number },
): Promise<RotatedToken> {
  using _lock = await lockPrivateFile(`${path}.lock`);
  const found = await readRelayTokenFile(path);
  // Somebody may have named a file of something else: it must not be lost.
  if (found.kind === "unusable") throw new Error(found.sentence);
  const token = newToken();
  if (found.kind === "absent") {
    await replacePrivateFile(path, `${token}\n`);
    return { token, previousUntilMs: undefined };
  }
  const nowMs = options.now();
  const previousUntilMs = nowMs + options.graceMs;
  const older = (await readPreviousTokens(path)).map(({ sha256, untilMs }) => ({
    sha256,
    untilMs: Math.min(untilMs, previousUntilMs),
  }));
  const accepted = [{ sha256: sha256Hex(found.token), untilMs: previousUntilMs }, ...older]
    .filter(({ untilMs }) => untilMs > nowMs);
  // First, so that there is no moment in which the token before is in neither file.
  await replacePrivateFile(
    previousPath(path),
    accepted.map(({ sha256, untilMs }) => `${sha256} ${untilMs}\n`).join(""),
  );
  await replacePrivateFile(path, `${token}\n`);
  return { token, previousUntilMs };
}

/**
 * Makes a relay token at `path` unless there is one. Processes that do so at once end up with the same token. Rejects as
 * {@linkcode rotateRelayToken} does.
 */
export async function makeRelayToken(path: string): Promise<{ readonly made: boolean }> {
  using _lock = await lockPrivateFile(`${path}.lock`);
  const found = await readRelayTokenFile(path);
  if (found.kind === "unusable") throw new Error(found.sentence);
  if (found.kind === "absent") await replacePrivateFile(path, `${newToken()}\n`);
  return { made: found.kind === "absent" };
}

/** The hash by which a token is known once it was replaced. */
export function sha256Hex(token: string): string {
  return hash("sha256", token, "hex");
}

/** 32 random bytes: as strong as the keys behind it. */
function newToken(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toBase64({ alphabet: "base64url", omitPadding: true });
}

function previousPath(path: string): string {
  return `${path}.previous`;
}
