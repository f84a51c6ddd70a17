/**
 * The files of the traffic log: one for each hour of UTC, `2026/11/22-09.jsonl`, readable by their owner alone.
 *
 * @module
 */
import { dirname, join } from "node:path";

/** One hour, milliseconds. */
export const hourMs = 60 * 60_000;

/** A file of the log. */
export interface LogFile {
  /** Below the log's folder, with slashes, e.g. `2026/11/22-09.jsonl`. */
  readonly name: string;
  /** When its hour begins, milliseconds since the epoch. */
  readonly startsAtMs: number;
  /** Its size. */
  readonly bytes: number;
}

/** What the log does with the file system. Rejections and throws are the file system's own errors. */
export interface LogFiles {
  /**
   * Adds whole lines to the file `name`, and makes it, its folder and its mode 0600 when they are missing. What a killed
   * process or a full disk has left of a line there is closed with a line break first.
   */
  append(name: string, lines: Uint8Array): Promise<void>;
  /** The same at once, for a process that ends. */
  appendSync(name: string, lines: Uint8Array): void;
  /** All files of the log, the oldest first. Files that the log did not make are not among them. */
  list(): Promise<readonly LogFile[]>;
  /** Removes a file, and the folders that it leaves empty. One that is gone already is no error. */
  remove(name: string): Promise<void>;
}

/** The name of the file for a moment. */
export function logFileName(atMs: number): string {
  const [, year, month, day, hour] = /^(\d+)-(\d\d)-(\d\d)T(\d\d)/.exec(new Date(atMs).toISOString()) ?? [];
  return `${year}/${month}/${day}-${hour}.jsonl`;
}

/** The files below `dir`, which need not exist yet. */
export function openLogFiles(dir: string): LogFiles {
  /** The file that this process has last left with a whole line at its end. */
  let whole: string | undefined;

  /** `lines` as they may be added to the file: behind a line break when it ends in the middle of a line. */
  function fitting(name: string, lines: Uint8Array): Uint8Array {
    if (whole === name || !endsTorn(join(dir, name))) return lines;
    const bytes = new Uint8Array(lines.length + 1);
    bytes[0] = lineBreak;
    bytes.set(lines, 1);
    return bytes;
  }

  return {
    async append(name, lines) {
      const path = join(dir, name);
      const bytes = fitting(name, lines);
      whole = undefined;
      try {
        await Deno.writeFile(path, bytes, appending);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        await Deno.mkdir(dirname(path), privateFolders);
        await Deno.writeFile(path, bytes, appending);
      }
      whole = name;
    },

    appendSync(name, lines) {
      const path = join(dir, name);
      Deno.mkdirSync(dirname(path), privateFolders);
      Deno.writeFileSync(path, fitting(name, lines), appending);
    },

    async list() {
      const files: LogFile[] = [];
      for (const year of await namesIn(dir, /^\d{4}$/)) {
        for (const month of await namesIn(join(dir, year), /^\d\d$/)) {
          for (const file of await namesIn(join(dir, year, month), /^\d\d-\d\d\.jsonl$/)) {
            const startsAtMs = Date.UTC(
              Number(year),
              Number(month) - 1,
              Number(file.slice(0, 2)),
              Number(file.slice(3, 5)),
            );
            const name = `${year}/${month}/${file}`;
            const bytes = await sizeOf(join(dir, name));
            if (bytes !== undefined) files.push({ name, startsAtMs, bytes });
          }
        }
      }
      return files.sort((a, b) => a.startsAtMs - b.startsAtMs);
    },

    async remove(name) {
      const month = dirname(join(dir, name));
      await Deno.remove(join(dir, name)).catch(unlessGone);
      for (const folder of [month, dirname(month)]) {
        // Only an empty folder can be removed so; the others are still in use.
        await Deno.remove(folder).catch(() => {});
      }
    },
  };
}

const lineBreak = 0x0a;

/** The mode is set when the file is made, and again every time, so that a restored copy is private too. */
const appending = Object.freeze({ append: true, create: true, mode: 0o600 });

const privateFolders = Object.freeze({ recursive: true, mode: 0o700 });

/** True for a file whose last byte does not end a line. */
function endsTorn(path: string): boolean {
  try {
    using file = Deno.openSync(path);
    if (file.statSync().size === 0) return false;
    file.seekSync(-1, Deno.SeekMode.End);
    const last = new Uint8Array(1);
    file.readSync(last);
    return last[0] !== lineBreak;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The names in a folder that look like `pattern`, in order; none when there is no such folder. */
async function namesIn(folder: string, pattern: RegExp): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isSymlink } of Deno.readDir(folder)) {
      // A link leads to where other people's files may be.
      if (pattern.test(name) && !isSymlink) names.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
  }
  return names.sort();
}

/** The size of a regular file, bytes; undefined when there is none, or not any more. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const { isFile, size } = await Deno.lstat(path);
    return isFile ? size : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function unlessGone(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
