/**
 * Words for what the system refuses: no stack trace for something that the user can mend.
 *
 * @module
 */

/**
 * A sentence that `what` failed, and why. The causes that an operator meets are explained; of anything else the error's own
 * message is given, which at this place is the system's or ours and holds no secret. `what` has no full stop.
 */
export function explainFailure(error: unknown, what: string): string {
  const message = error instanceof Error ? error.message : "the cause is unknown.";
  return `${what}: ${knownCause(error) ?? message}`;
}

/** What to do about a refusal of the system, as the end of a sentence; undefined for an error that is none. */
export function knownCause(error: unknown): string | undefined {
  const { errors } = Deno;
  // The simulated providers listen with node:http, whose errors have a code instead of a class.
  if (
    error instanceof errors.AddrInUse ||
    (error instanceof Error && "code" in error && error.code === "EADDRINUSE")
  ) {
    return "another program uses this port. Stop it, or choose another port.";
  }
  if (error instanceof errors.AddrNotAvailable) {
    return "this machine does not have that address. Choose another one with --host.";
  }
  if (error instanceof errors.NotCapable) {
    return "the start command does not allow it. Deno needs --allow-net to listen, " +
      "and --allow-read and --allow-write for the data directory.";
  }
  if (error instanceof errors.PermissionDenied) {
    return "the system does not permit it to this user. Check owner and mode; ports below 1024 may need a privilege.";
  }
  if (error instanceof errors.NotADirectory || error instanceof errors.AlreadyExists) {
    return "a file is where a directory is needed.";
  }
  return undefined;
}
