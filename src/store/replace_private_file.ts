/**
 * Changes of private files: one process at a time, and each as a whole.
 *
 * @module
 */
import { dirname } from "node:path";

/**
 * Waits until no other holder has the lock at `path`, in this process or in another, and takes it. Disposing of the
 * result gives it back; the system does that even after `kill -9`. The folder of `path` is made when it is missing, for its
 * owner alone. The lock file stays and holds nothing.
 *
 * Rejects with the error of the file system when the folder cannot be written.
 */
export async function lockPrivateFile(path: string): Promise<Disposable> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const lock = await Deno.open(path, { create: true, write: true, mode: 0o600 });
  try {
    await lock.lock(true);
  } catch (error) {
    lock.close();
    throw error;
  }
  return lock;
}

/**
 * Gives the file at `path` the content `text`. It is 0600 from its first byte, and it changes as a whole: a reader and a
 * crash see the old or the new one. When the promise has resolved, the change survives a power cut.
 *
 * Only the holder of the lock that belongs to `path` may call this: the name beside it, `<path>.new`, is then its own.
 *
 * Rejects with the error of the file system when the folder cannot be written.
 */
export async function replacePrivateFile(path: string, text: string): Promise<void> {
  const beside = `${path}.new`;
  // What a killed holder has left may have another mode, and its name may be a link to elsewhere.
  await Deno.remove(beside).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.writeTextFile(beside, text, { createNew: true, mode: 0o600 });
  await sync(beside);
  await Deno.rename(beside, path);
  // A rename lasts when its directory is on disk; Windows neither needs nor allows that.
  if (Deno.build.os !== "windows") await sync(dirname(path));
}

async function sync(path: string): Promise<void> {
  using file = await Deno.open(path);
  await file.sync();
}
