/**
 * Which files of the traffic log have had their time.
 *
 * @module
 */
import { hourMs, type LogFile } from "./log_files.ts";

/** How much of the log is kept. */
export interface Retention {
  /** A file is removed this many days after its hour; 0: none is removed for its age. */
  readonly retentionDays: number;
  /** All files together may have so many bytes. */
  readonly maxBytes: number;
}

const dayMs = 24 * hourMs;

/**
 * The files to remove: those whose time is over, and of the rest the oldest ones until the others fit into the size. The file
 * of the running hour is never among them.
 *
 * @param files The oldest first.
 */
export function filesToRemove(
  files: readonly LogFile[],
  nowMs: number,
  { retentionDays, maxBytes }: Retention,
): readonly LogFile[] {
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return files.filter((file) => {
    const endsAtMs = file.startsAtMs + hourMs;
    if (endsAtMs > nowMs) return false;
    const tooOld = retentionDays > 0 && nowMs - endsAtMs >= retentionDays * dayMs;
    if (!tooOld && bytes <= maxBytes) return false;
    bytes -= file.bytes;
    return true;
  });
}
