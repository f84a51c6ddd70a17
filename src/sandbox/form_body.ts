/**
 * Reads the body of an OAuth request: form encoded as RFC 6749 demands, and only that.
 *
 * @module
 */

/** What came of a body. */
export type FormBody =
  | { readonly kind: "form"; readonly fields: ReadonlyMap<string, string> }
  /** `reason` is a sentence for an `error_description`. */
  | { readonly kind: "wrong"; readonly reason: string };

/**
 * Reads `application/x-www-form-urlencoded`. Repeated parameters are refused (RFC 6749 section 3.1), parameters without
 * a value count as left out (same section).
 */
export async function readForm(request: Request): Promise<FormBody> {
  if (mediaType(request) !== "application/x-www-form-urlencoded") {
    return { kind: "wrong", reason: "The body has to be application/x-www-form-urlencoded." };
  }
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(await request.text())) {
    if (fields.has(name)) return { kind: "wrong", reason: `The parameter ${name} is repeated.` };
    if (value !== "") fields.set(name, value);
  }
  return { kind: "form", fields };
}

/** The media type of a request's body without its parameters, in lower case; empty when there is none. */
export function mediaType(request: Request): string {
  return (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}
