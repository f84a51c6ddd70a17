/**
 * The end of the traffic log, and what is added to it.
 *
 * @module
 */
import { join } from "node:path";
import { type LogFile, openLogFiles } from "../traffic/log_files.ts";

/** Reads the log forwards. */
export interface LogTail {
  /** The whole lines that were added since the last call, without their line breaks; in the order of the files. */
  next(): Promise<string[]>;
}

/** So much is read at once, bytes. */
const chunkBytes = 64 * 1024;

/**
 * Opens the log in `dir` so that the first {@linkcode LogTail.next} gives its last `count` lines. The folder may be missing, and
 * may appear later. Rejections are the file system's own errors.
 */
export async function openLogTail(dir: string, count: number): Promise<LogTail> {
  const files = openLogFiles(dir);
  let { startsAtMs, offset } = await startOf(dir, await files.list(), count);

  return {
    async next() {
      const lines: string[] = [];
      for (const file of await files.list()) {
        if (file.startsAtMs < startsAtMs) continue;
        if (file.startsAtMs > startsAtMs) {
          startsAtMs = file.startsAtMs;
          offset = 0;
        }
        const added = await readLines(join(dir, file.name), offset);
        offset += added.bytes;
        lines.push(...added.lines);
      }
      return lines;
    },
  };
}

/** Where in the log its last `count` lines begin. */
async function startOf(
  dir: string,
  files: readonly LogFile[],
  count: number,
): Promise<{ startsAtMs: number; offset: number }> {
  let missing = count;
  for (const { name, startsAtMs, bytes } of files.toReversed()) {
    const found = await offsetOfLast(join(dir, name), bytes, missing);
    if (found.offset > 0 || missing === found.lines) return { startsAtMs, offset: found.offset };
    missing -= found.lines;
  }
  return { startsAtMs: files[0]?.startsAtMs ?? 0, offset: 0 };
}

const lineBreak = 0x0a;

/** The offset at which the last `count` whole lines of a file begin; how many of them there are. Reads from the end. */
async function offsetOfLast(
  path: string,
  bytes: number,
  count: number,
): Promise<{ readonly offset: number; readonly lines: number }> {
  using file = await Deno.open(path);
  let lines = 0;
  /** The break that ends the last whole line is not counted: lines begin after the others. */
  let seenEnd = false;
  for (let end = bytes; end > 0; end -= chunkBytes) {
    const start = Math.max(0, end - chunkBytes);
    const chunk = await readAt(file, start, end - start);
    for (
      let at = chunk.lastIndexOf(lineBreak);
      at >= 0;
      at = at === 0 ? -1 : chunk.lastIndexOf(lineBreak, at - 1)
    ) {
      if (!seenEnd) {
        seenEnd = true;
        if (count === 0) return { offset: start + at + 1, lines: 0 };
      } else if (++lines === count) return { offset: start + at + 1, lines };
    }
  }
  return { offset: 0, lines: seenEnd ? lines + 1 : 0 };
}

/** The whole lines of a file from `offset` on, and how many bytes they have. */
async function readLines(
  path: string,
  offset: number,
): Promise<{ readonly lines: string[]; readonly bytes: number }> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const content = await readAt(file, offset, Math.max(0, size - offset));
  const bytes = content.lastIndexOf(lineBreak) + 1;
  const text = new TextDecoder().decode(content.subarray(0, bytes));
  return { lines: text.split("\n").filter((line) => line !== ""), bytes };
}

/** At most `length` bytes from `offset` on; fewer where the file ends. */
async function readAt(file: Deno.FsFile, offset: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  let filled = 0;
  while (filled < length) {
    const read = await file.read(buffer.subarray(filled));
    if (read === null) break;
    filled += read;
  }
  return buffer.subarray(0, filled);
}
