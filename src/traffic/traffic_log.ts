/**
 * The traffic log: a line of JSON for each event, in a file for each hour.
 *
 * No request waits for it. Lines gather in memory and go to the file twice a second, so that a process that is killed loses the
 * last half second and what the system had not yet taken. When the disk is full, or too slow for the traffic, lines are
 * lost and counted, and requests are not touched; when there is room again, a line tells how many are missing.
 *
 * @module
 */
import { atMostEvery } from "./at_most_every.ts";
import { hourMs, logFileName, type LogFiles, openLogFiles } from "./log_files.ts";
import { createLogLines } from "./log_line.ts";
import type { Observe } from "./observe.ts";
import { filesToRemove, type Retention } from "./retention.ts";

/** What {@linkcode openTrafficLog} takes. */
export interface TrafficLogOptions extends Retention {
  /** The folder of the log; made when the first line is written, for its owner alone. */
  readonly dir: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /**
   * Told in a sentence that lines are being lost. Once per trouble, and at most once an hour.
   */
  readonly warn: (sentence: string) => void;
  /** Calls `run` once after `delayMs` unless the returned function is called first. Default: a timer. */
  readonly schedule?: (run: () => void, delayMs: number) => () => void;
  /** Default: the file system. */
  readonly files?: LogFiles;
}

/** An open log. */
export interface TrafficLog {
  /** Takes an event. Costs a few microseconds, waits for nothing and never throws. */
  readonly observe: Observe;
  /** Resolves when the file system has everything that was observed before, or has refused it. */
  flush(): Promise<void>;
  /**
   * The same before it returns, for a process that ends at once. Lines that {@linkcode TrafficLog.flush} was about to write
   * may be there twice.
   */
  flushSync(): void;
  /** Writes what is left and stops all timers. What is observed later waits for {@linkcode TrafficLog.flushSync}. */
  close(): Promise<void>;
}

/** How long a line waits before it is written, milliseconds. Half of what a crash may cost: writing takes time too. */
const flushAfterMs = 500;

/** So much is written without waiting for the time, characters. */
const flushAfterChars = 256 * 1024;

/** So much is held while the file system does not take it, characters; then lines are lost. */
const maxHeldChars = 8 * 1024 * 1024;

/** The least time between two warnings, milliseconds. */
const warnIntervalMs = hourMs;

/** Lines for one file. */
interface Batch {
  readonly file: string;
  readonly atMs: number;
  text: string;
  lines: number;
}

/** Opens the log. Nothing is read or written before the first event. */
export function openTrafficLog(options: TrafficLogOptions): TrafficLog {
  return new FileTrafficLog(options);
}

class FileTrafficLog implements TrafficLog {
  readonly #options: TrafficLogOptions;
  readonly #files: LogFiles;
  readonly #line = createLogLines();
  readonly #schedule: NonNullable<TrafficLogOptions["schedule"]>;
  /** What waits, in the order of time. */
  #held: Batch[] = [];
  #heldChars = 0;
  /** What the file system is taking at the moment. */
  #taken: Batch[] = [];
  #writing: Promise<void> | undefined;
  #cancelFlush: (() => void) | undefined;
  #cancelTrim: (() => void) | undefined;
  #closed = false;
  #lost = 0;
  readonly #warn: (error: unknown) => void;
  /** What all files have together, as far as it is known; undefined before they were looked at. */
  #totalBytes: number | undefined;
  #lastFile: string | undefined;

  constructor(options: TrafficLogOptions) {
    this.#options = options;
    this.#files = options.files ?? openLogFiles(options.dir);
    this.#schedule = options.schedule ?? scheduleUnreferenced;
    this.#warn = atMostEvery(warnIntervalMs, options.now, (error) => {
      try {
        options.warn(
          `The traffic log cannot be written: ${causeOf(error)} ` +
            "Requests are answered as usual; lines are missing from the log until this is mended.",
        );
      } catch {
        // Whoever is to be warned has to find out elsewhere; requests go on.
      }
    });
  }

  readonly observe: Observe = (event) => {
    const atMs = Math.floor(this.#options.now());
    const line = this.#line(event, atMs);
    if (this.#heldChars + line.length > maxHeldChars) {
      this.#lost++;
      return;
    }
    let batch = this.#held.at(-1);
    if (batch === undefined || Math.floor(batch.atMs / hourMs) !== Math.floor(atMs / hourMs)) {
      batch = { file: logFileName(atMs), atMs, text: "", lines: 0 };
      this.#held.push(batch);
    }
    batch.text += line;
    batch.lines++;
    this.#heldChars += line.length;
    if (this.#closed) return;
    if (this.#heldChars > flushAfterChars) void this.#write();
    else this.#cancelFlush ??= this.#schedule(this.#flushDue, flushAfterMs);
  };

  readonly #flushDue = (): void => {
    this.#cancelFlush = undefined;
    void this.#write();
  };

  async flush(): Promise<void> {
    // What is under way may have begun before the last event.
    await this.#writing;
    await this.#write();
  }

  flushSync(): void {
    const batches = [...this.#taken, ...this.#takeHeld()];
    for (const batch of batches) {
      const { bytes, lost } = this.#linesOf(batch);
      try {
        this.#files.appendSync(batch.file, bytes);
        this.#lost -= lost;
      } catch (error) {
        this.#lose(batch.lines, error);
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
    this.#cancelTrim?.();
  }

  /** Writes all that is held, unless that is under way. Resolves in any case. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeHeld().finally(() => {
      this.#writing = undefined;
      // Lines without a timer are those whose time has come meanwhile.
      if (this.#held.length > 0 && this.#cancelFlush === undefined && !this.#closed) void this.#write();
    });
    return this.#writing;
  }

  async #writeHeld(): Promise<void> {
    this.#taken = this.#takeHeld();
    for (;;) {
      const [batch] = this.#taken;
      if (batch === undefined) return;
      const { bytes, lost } = this.#linesOf(batch);
      try {
        await this.#makeRoom(batch, bytes.length);
        await this.#files.append(batch.file, bytes);
        this.#totalBytes = (this.#totalBytes ?? 0) + bytes.length;
        this.#lost -= lost;
      } catch (error) {
        this.#lose(batch.lines, error);
      }
      this.#taken.shift();
    }
  }

  #takeHeld(): Batch[] {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const held = this.#held;
    this.#held = [];
    this.#heldChars = 0;
    return held;
  }

  /** The lines of a batch, after one that tells of those that were `lost` before. */
  #linesOf({ text, atMs }: Batch): { readonly bytes: Uint8Array; readonly lost: number } {
    const lost = this.#lost;
    const gap = lost === 0 ? "" : this.#line({ kind: "log_resumed", lost }, atMs);
    return { bytes: new TextEncoder().encode(gap + text), lost };
  }

  /** Removes old files at the beginning of each file and when the size is reached. Throws when there is no room even then. */
  async #makeRoom({ file }: Batch, bytes: number): Promise<void> {
    const { maxBytes } = this.#options;
    const fits = () => (this.#totalBytes ?? 0) + bytes <= maxBytes;
    if (this.#totalBytes === undefined || this.#lastFile !== file || !fits()) await this.#trim(bytes);
    this.#lastFile = file;
    if (!fits()) throw new LogLimitReached();
  }

  /** Removes what {@linkcode filesToRemove} names, with `bytes` still to come. */
  async #trim(bytes: number): Promise<void> {
    const { now, retentionDays, maxBytes } = this.#options;
    const files = await this.#files.list();
    const old = filesToRemove(files, now(), { retentionDays, maxBytes: maxBytes - bytes });
    for (const { name } of old) await this.#files.remove(name);
    this.#totalBytes = sizeOf(files) - sizeOf(old);
    // A relay that nobody uses writes nothing, and its old files have to go all the same.
    this.#cancelTrim?.();
    if (this.#closed) return;
    this.#cancelTrim = this.#schedule(
      () => void this.#trim(0).catch((error) => this.#lose(0, error)),
      hourMs,
    );
  }

  #lose(lines: number, error: unknown): void {
    this.#lost += lines;
    this.#warn(error);
  }
}

/** The log has filled its own limit within the running hour. */
class LogLimitReached extends Error {
  override readonly name = "LogLimitReached";
}

/** Why the log cannot be written, as a sentence: the name of an error and never its message, which has paths in it. */
function causeOf(error: unknown): string {
  if (error instanceof LogLimitReached) {
    return "this hour alone has reached the size that the settings allow it.";
  }
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT") return "the disk is full.";
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return "its folder may not be written.";
  }
  return `the file system refuses (${error instanceof Error ? code ?? error.name : "unknown"}).`;
}

function sizeOf(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function scheduleUnreferenced(run: () => void, delayMs: number): () => void {
  const timer = setTimeout(run, delayMs);
  Deno.unrefTimer(timer);
  return () => clearTimeout(timer);
}
