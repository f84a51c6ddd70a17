/**
 * Files that only their owner may read, from the first byte on.
 *
 * @module
 */

/**
 * Creates `path` empty with mode 0600 unless it exists; an existing file keeps its content and its mode.
 *
 * An engine that creates its own file asks for 0644, and a later chmod leaves a moment in which another user can open
 * it. SQLite, and Deno KV on top of it, take over an empty file, and give their `-wal` and `-shm` files its mode.
 *
 * Rejects when the file can be neither created nor opened for writing; `name` is what the error calls it.
 */
export async function createPrivateFile(path: string, name: string): Promise<void> {
  try {
    const file = await Deno.open(path, { create: true, write: true, mode: 0o600 });
    file.close();
  } catch (error) {
    throw new Error(`${name} cannot be opened for writing. Check that its folder exists and is writable.`, {
      cause: error,
    });
  }
}

/**
 * Whether others than its owner may read or change a file. Windows has no mode bits; there the access list of the data directory
 * protects it.
 */
export function isOpenToOthers({ mode }: Pick<Deno.FileInfo, "mode">): boolean {
  return mode !== null && (mode & 0o077) !== 0;
}

/** Another text for each replacement of a file, also for one of the same size within the same millisecond. */
export function fileMark({ dev, ino, size, mtime, ctime }: Deno.FileInfo): string {
  return `${dev} ${ino} ${size} ${mtime?.getTime()} ${ctime?.getTime()}`;
}
