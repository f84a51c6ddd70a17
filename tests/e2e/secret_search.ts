/**
 * A search for secrets in bytes of any origin: files of a database, logs, answers.
 */
import { join } from "node:path";

/** The secrets that are searched for. */
export interface SecretSearch {
  /** Adds a credential that is text. Of a JWT the parts count that differ from token to token. */
  addText(name: string, secret: string): void;
  /** Adds a key: as it is, and in the spellings in which programs print bytes. */
  addKey(name: string, secret: Uint8Array): void;
  /** How many different secrets there are under a name. */
  count(name: string): number;
  /** One line for each secret that is in `bytes`: where, and what. */
  find(place: string, bytes: Uint8Array): readonly string[];
}

/**
 * Engines cut values into pages, so a secret is taken for found when any piece of this many bytes is there: one cut cannot
 * hide it.
 */
const pieceBytes = 16;

/** A search for nothing yet. */
export function createSecretSearch(): SecretSearch {
  const names = new Map<string, Set<string>>();
  const pieces = new Map<string, Piece>();

  const add = (name: string, secret: Uint8Array) => {
    for (let start = 0; start === 0 || start < secret.length; start += pieceBytes) {
      const from = Math.max(0, Math.min(start, secret.length - pieceBytes));
      const bytes = secret.slice(from, from + pieceBytes);
      pieces.set(bytes.toHex(), { name, bytes });
    }
  };
  const remember = (name: string, secret: string) => {
    const known = names.get(name) ?? new Set();
    names.set(name, known.add(secret));
  };

  return {
    addText(name, secret) {
      remember(name, secret);
      const parts = secret.startsWith("eyJ") ? secret.split(".").slice(1) : [secret];
      for (const part of parts) add(name, new TextEncoder().encode(part));
    },
    addKey(name, secret) {
      remember(name, secret.toHex());
      const spellings = [
        secret.toHex(),
        secret.toHex().toUpperCase(),
        secret.toBase64(),
        secret.toBase64({ alphabet: "base64url" }),
        secret.join(","),
      ];
      add(name, secret);
      for (const spelling of spellings) add(`${name} in writing`, new TextEncoder().encode(spelling));
    },
    count: (name) => names.get(name)?.size ?? 0,
    find(place, bytes) {
      const byStart = Map.groupBy(pieces.values(), (piece) => startOf(piece.bytes, 0));
      const isStart = new Uint8Array(startCount);
      for (const start of byStart.keys()) isStart[start] = 1;
      const found = new Set<string>();
      for (let at = 0; at < bytes.length - 1; at++) {
        const start = startOf(bytes, at);
        if (isStart[start] === 0) continue;
        for (const piece of byStart.get(start) ?? []) {
          if (piece.bytes.every((byte, index) => bytes[at + index] === byte)) {
            found.add(`${place}: ${piece.name}`);
          }
        }
      }
      return [...found];
    },
  };
}

interface Piece {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** How many values {@linkcode startOf} has. */
const startCount = 2 ** 16;

/** The two bytes at `at` as a number: most places in a file are not the start of any piece. */
function startOf(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

/** The bytes of every file below a directory, by path. */
export async function readFiles(dir: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = join(dir, name);
    if (isDirectory) { for (const [inner, bytes] of await readFiles(path)) files.set(inner, bytes); }
    else files.set(path, await Deno.readFile(path));
  }
  return files;
}
