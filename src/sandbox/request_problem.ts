/**
 * What is wrong with a request, in the words of OpenAI's API.
 *
 * @module
 */

/** Something that is wrong with a request. */
export interface RequestProblem {
  readonly message: string;
  /** Path of the member, e.g. `input[1].content[0]`. */
  readonly param: string | null;
  readonly code: string | null;
}

/** The finding that a required member is not there. */
export function missing(param: string): RequestProblem {
  return { message: `Missing required parameter: '${param}'.`, param, code: "missing_required_parameter" };
}

/** The finding that a member has another type than the reference says. */
export function wrongType(param: string, wanted: string): RequestProblem {
  return { message: `Invalid type for '${param}': expected ${wanted}.`, param, code: "invalid_type" };
}

/** The finding that a member has a value outside of its list. */
export function wrongValue(param: string, value: unknown, legal: readonly string[]): RequestProblem {
  const list = new Intl.ListFormat("en").format(legal.map((one) => `'${one}'`));
  return {
    message: `Invalid value: '${String(value)}'. Supported values are: ${list}.`,
    param,
    code: "invalid_value",
  };
}
