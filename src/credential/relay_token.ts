/**
 * The relay token: the one credential of the owner's tools. It is compared in constant time, and a change of its file counts from
 * the next request on.
 *
 * @module
 */
import { constantTimeEqual, fingerprint } from "../crypto/secret.ts";
import { fileMark } from "../store/private_file.ts";
import { type PreviousToken, readPreviousTokens, readRelayTokenFile, sha256Hex } from "./relay_token_file.ts";

/** What may be told of a relay token: never the token itself. */
export interface RelayTokenDescription {
  /** Where the token that is accepted comes from. */
  readonly source: "environment" | "file" | "none";
  /** The variable that gives it; with source `environment`. */
  readonly variable?: string;
  /** The file, when it has a token: with source `environment` that one is not accepted. */
  readonly path?: string;
  /** The first 12 hexadecimal digits of the SHA-256 of the accepted token. */
  readonly fingerprint?: string;
}

/** Judges relay tokens. */
export interface RelayToken {
  /**
   * True when `token` is the relay token, or one before it whose grace is not over. Takes the same time wherever a wrong token
   * begins to differ. A file that cannot be read has no token. Never rejects.
   */
  accepts(token: string): Promise<boolean>;
  /** What is accepted now, for people. Never rejects. */
  describe(): Promise<RelayTokenDescription>;
}

/** What {@linkcode openRelayToken} takes. */
export interface RelayTokenOptions {
  /** A token that wins over the file, and the variable that gave it. Nothing but a restart rotates it. */
  readonly override?: { readonly token: string; readonly name: string } | undefined;
  /** The token file; it may appear, change and vanish at any time. */
  readonly path: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Opens the relay token. Touches nothing yet. */
export function openRelayToken({ override, path, now }: RelayTokenOptions): RelayToken {
  const overrideDigest = override && digestOf(override.token);
  let known: Accepted | undefined;

  /** What the file accepts. It is looked at each time, so that no request is judged by what was; read only when it changed. */
  async function current(): Promise<Accepted> {
    const mark = await markOf(path);
    if (known !== undefined && known.mark === mark) return known;
    // Marked before it is read: when the file is replaced in between, the next request reads it again.
    const read = await readAccepted(path, mark);
    known = read;
    return read;
  }

  return {
    async accepts(token) {
      const digest = digestOf(token);
      if (overrideDigest !== undefined) return constantTimeEqual(digest, overrideDigest);
      const { tokenDigest, previous } = await current();
      const nowMs = now();
      const isToken = tokenDigest !== undefined && constantTimeEqual(digest, tokenDigest);
      const isPrevious = previous.some((before) => {
        return constantTimeEqual(digest, before.digest) && nowMs < before.untilMs;
      });
      return isToken || isPrevious;
    },
    async describe() {
      const file = await readRelayTokenFile(path);
      const inFile = file.kind === "token" ? { path } : {};
      if (override !== undefined) {
        const print = await fingerprint(override.token);
        return { source: "environment", variable: override.name, fingerprint: print, ...inFile };
      }
      if (file.kind !== "token") return { source: "none" };
      return { source: "file", fingerprint: await fingerprint(file.token), ...inFile };
    },
  };
}

/** The tokens of one state of the file, as SHA-256: all of one length, and no token stays in memory. */
interface Accepted {
  /** Of the file that was read; undefined when there is none that can be read. */
  readonly mark: string | undefined;
  readonly tokenDigest: Uint8Array | undefined;
  readonly previous: readonly { readonly digest: Uint8Array; readonly untilMs: number }[];
}

async function readAccepted(path: string, mark: string | undefined): Promise<Accepted> {
  // The token first: a rotation writes it last, so that what it replaces is then among the previous ones.
  const file = await readRelayTokenFile(path);
  if (file.kind !== "token") return { mark, tokenDigest: undefined, previous: [] };
  const previous = await readPreviousTokens(path);
  return {
    mark,
    tokenDigest: digestOf(file.token),
    previous: previous.map(({ sha256, untilMs }: PreviousToken) => ({
      digest: Uint8Array.fromHex(sha256),
      untilMs,
    })),
  };
}

async function markOf(path: string): Promise<string | undefined> {
  try {
    return fileMark(await Deno.stat(path));
  } catch {
    return undefined;
  }
}

function digestOf(token: string): Uint8Array {
  return Uint8Array.fromHex(sha256Hex(token));
}
