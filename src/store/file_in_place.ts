/**
 * Whether a file is still where it was opened.
 *
 * @module
 */

/**
 * Remembers the files at `paths`. The returned function rejects when one of them is no longer there, or another one is in its
 * place: whoever has opened the first goes on to read and write it, and all of that is lost when it is closed.
 */
export async function rememberFiles(paths: readonly string[]): Promise<() => Promise<void>> {
  const marks = await Promise.all(paths.map(markOf));
  return async () => {
    for (const [index, path] of paths.entries()) {
      if (await markOf(path) === marks[index]) continue;
      throw new Error(`${JSON.stringify(path)} is not the file that was opened. Restart the relay.`);
    }
  };
}

/** The same for a file whatever is written to it; systems without file numbers tell only that there is one. */
async function markOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await Deno.stat(path);
    return `${dev} ${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
