/**
 * A traffic log on a real folder, with a clock that the test moves.
 */
import { join } from "node:path";
import type { LogFiles } from "../../src/traffic/log_files.ts";
import type { TrafficEvent } from "../../src/traffic/observe.ts";
import { openTrafficLog, type TrafficLogOptions } from "../../src/traffic/traffic_log.ts";
import { ManualSchedule } from "./manual_schedule.ts";

/** 2026-11-22T09:59:59.000Z: a second before the hour changes. */
export const startMs = Date.UTC(2026, 10, 22, 9, 59, 59);

/** Opens a log in a folder that goes away with it. */
// deno-lint-ignore explicit-module-boundary-types -- what a test bench has is best said by its code
export async function openLogBench(
  options: Partial<TrafficLogOptions> & {
    readonly at?: string;
    readonly filesIn?: (dir: string) => LogFiles;
  } = {},
) {
  const { at, filesIn, ...rest } = options;
  const parent = at ?? await Deno.makeTempDir();
  const dir = join(parent, "logs");
  const clock = new ManualSchedule(startMs);
  const warnings: string[] = [];
  const log = openTrafficLog({
    dir,
    retentionDays: 14,
    maxBytes: 1_000_000,
    now: clock.now,
    schedule: clock.schedule,
    warn: (sentence) => void warnings.push(sentence),
    ...(filesIn === undefined ? {} : { files: filesIn(dir) }),
    ...rest,
  });
  return {
    log,
    dir,
    clock,
    warnings,
    /** The text of a file, e.g. `2026/11/22-09.jsonl`. */
    text: (name: string): Promise<string> => Deno.readTextFile(join(dir, name)),
    /** The lines of a file, read. */
    lines: async (name: string): Promise<Record<string, unknown>[]> =>
      parseLines(await Deno.readTextFile(join(dir, name))),
    async [Symbol.asyncDispose]() {
      await log.close();
      if (at === undefined) await Deno.remove(parent, { recursive: true });
    },
  };
}

/** The lines of a log; throws when one is no JSON. */
export function parseLines(text: string): Record<string, unknown>[] {
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** The names of all files below a folder, in order. */
export async function namesBelow(dir: string, prefix = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    if (isDirectory) names.push(...await namesBelow(join(dir, name), `${prefix}${name}/`));
    else names.push(prefix + name);
  }
  return names.sort();
}

/** An event that can be told by its number. */
export function numbered(number: number): TrafficEvent {
  return { kind: "log_resumed", lost: number };
}

/** An error as the file system throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`System error (os error): /secret/path`), { code });
}
