/**
 * The owner's logins: the session JWTs of a personal relay, one for each provider, in one private file of the data
 * directory. Who can read the file can use the owner's subscriptions; the records that the JWTs open are ordinary ones.
 *
 * The file is `{"file_key":"<64 hex>","sessions":{"openai":"<jwt>"}}`. Any number of processes may use it: a running relay
 * sees what `login` and `logout` have done with its next read.
 *
 * @module
 */
import { join } from "node:path";
import type { ProviderId } from "../provider/provider.ts";
import { fileMark, isOpenToOthers } from "../store/private_file.ts";
import { lockPrivateFile, replacePrivateFile } from "../store/replace_private_file.ts";
import { isObject, parseObject } from "../wire/json.ts";

/** What the file says. */
export interface OwnerState {
  /** 32 bytes that the keys of the owner's uploads are derived from; undefined until somebody has made them. */
  readonly fileKey: Uint8Array<ArrayBuffer> | undefined;
  /** The session JWT of each login. Not judged: one may be expired or revoked. */
  readonly sessions: ReadonlyMap<ProviderId, string>;
}

/** A state that may be changed. */
export interface OwnerDraft {
  /** As in {@linkcode OwnerState}. */
  fileKey: Uint8Array<ArrayBuffer> | undefined;
  /** As in {@linkcode OwnerState}. */
  readonly sessions: Map<ProviderId, string>;
}

/** The file is there and must not or cannot be used. */
export class OwnerFileUnusable extends Error {
  override readonly name = "OwnerFileUnusable";
  /** @param remedies The commands that help, in order. The message tells them too. */
  constructor(cause: string, readonly remedies: readonly string[]) {
    super(`${cause} What helps: ${remedies.join(", then ")}`);
  }
}

/** Reads and changes the owner's logins. */
export interface OwnerSessions {
  /**
   * The logins as they are on disk now. Costs one look at the file's times while it stays the same.
   *
   * Rejects with an {@linkcode OwnerFileUnusable} when the file is open to other users or damaged, and with the error of the
   * file system when it cannot be read.
   */
  read(): Promise<OwnerState>;
  /**
   * Changes the file under its lock: `edit` gets what is there and changes it. A draft that says the same afterwards is not
   * written. When the promise has resolved, the change survives a power cut.
   *
   * Rejects as {@linkcode OwnerSessions.read} does, with what `edit` throws, and with the error of the file system.
   */
  change(edit: (draft: OwnerDraft) => void): Promise<void>;
}

/** The file of the owner's logins in a data directory. */
export function ownerSessionsPath(dataDir: string): string {
  return join(dataDir, "owner.json");
}

/** The logins in `dataDir`. Touches nothing yet; a missing file reads as no login. */
export function openOwnerSessions(dataDir: string): OwnerSessions {
  const path = ownerSessionsPath(dataDir);
  let cached: { readonly mark: string; readonly state: OwnerState } | undefined;

  async function read(): Promise<OwnerState> {
    const mark = await markOf(path);
    if (mark === undefined) return nobody;
    if (cached?.mark !== mark) {
      // Marked before it is read: when the file is replaced in between, the next read looks again.
      cached = { mark, state: parseState(await Deno.readTextFile(path), path) };
    }
    return cached.state;
  }

  return {
    read,
    async change(edit) {
      using _lock = await lockPrivateFile(join(dataDir, "owner.lock"));
      const { fileKey, sessions } = await read();
      const draft: OwnerDraft = { fileKey, sessions: new Map(sessions) };
      const before = encodeState(draft);
      edit(draft);
      const after = encodeState(draft);
      if (after !== before) await replacePrivateFile(path, after);
    },
  };
}

const nobody: OwnerState = Object.freeze<OwnerState>({ fileKey: undefined, sessions: new Map() });

const providerIds: readonly ProviderId[] = Object.freeze(["openai", "xai", "github"]);

/** The mark of the file as it is now; undefined when there is none. Rejects when others may use the file. */
async function markOf(path: string): Promise<string | undefined> {
  try {
    const info = await Deno.stat(path);
    if (isOpenToOthers(info)) {
      throw new OwnerFileUnusable(
        `${path} holds the owner's logins and is open to other users of this machine.`,
        [`chmod 600 ${path}`],
      );
    }
    return fileMark(info);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function parseState(text: string, path: string): OwnerState {
  const value = parseObject(text);
  const sessions = value?.["sessions"];
  const fileKey = value?.["file_key"];
  if (value === undefined || !isObject(sessions) || !isFileKey(fileKey)) {
    throw new OwnerFileUnusable(`${path} is damaged.`, [`rm ${path}`, "authai-relay login"]);
  }
  return {
    fileKey: fileKey === undefined ? undefined : Uint8Array.fromHex(fileKey),
    sessions: new Map(providerIds.flatMap((id) => {
      const jwt = sessions[id];
      return typeof jwt === "string" ? [[id, jwt] as const] : [];
    })),
  };
}

function isFileKey(value: unknown): value is string | undefined {
  return value === undefined || (typeof value === "string" && /^[0-9a-f]{64}$/.test(value));
}

function encodeState({ fileKey, sessions }: OwnerState): string {
  const value = { file_key: fileKey?.toHex(), sessions: Object.fromEntries(sessions) };
  return `${JSON.stringify(value, null, 2)}\n`;
}
