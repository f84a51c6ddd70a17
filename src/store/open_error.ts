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
  return error;
}
