/**
 * What an operator is told of an error that nobody expected.
 *
 * @module
 */

/**
 * The message of an unexpected error. Errors of the relay and of its stores carry no secrets; that of a `SyntaxError` quotes the
 * text that could not be read, which may be anybody's, and is left out.
 */
export function faultMessage(error: unknown): string {
  if (error instanceof SyntaxError) return "SyntaxError: a text could not be read.";
  return error instanceof Error ? `${error.name}: ${error.message}` : "Unknown fault.";
}
