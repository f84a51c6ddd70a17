/**
 * What a SQLite engine says about a file that it cannot use, in words for the operator.
 *
 * @module
 */

/**
 * `error` with a sentence in place of the engine's words, where they are known; `name` is what the sentence calls the
 * file.
 */
export function explainOpenError(error: unknown, name: string): unknown {
  if (!(error instanceof Error)) return error;
  if (error.message.includes("file is not a database")) {
    return new Error(`${name} is not a database. It was left as it is. Choose another path.`, {
      cause: error,
    });
  }
  if (error.message.includes("disk image is malformed")) {
    return new Error(`${name} is damaged. It was left as it is. Restore it from a backup.`, { cause: error });
  }
  if (/readonly database|unable to open database file|disk I\/O error|disk is full/.test(error.message)) {
    return new Error(
      `${name} cannot be written. Check that its disk has room, and that its folder and all files that begin with its name are writable.`,
      { cause: error },
    );
  }
  return error;
}
