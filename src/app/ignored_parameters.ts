/**
 * Telling a client which of its parameters were left out (design, section 4).
 *
 * @module
 */
import { withoutSecrets } from "../wire/safe_text.ts";

/** The header that tells it. */
export const ignoredParametersHeader = "x-authai-ignored-parameters";

/** A request can have any number of members; the header tells this many by name. */
const maxNames = 32;

const maxNameChars = 64;

/**
 * `names` as the value of {@linkcode ignoredParametersHeader}: separated by commas. The names are the client's own words, so
 * they may be anything: what is no plain name is percent-encoded and cut, because a header cannot carry it as it is, and
 * what looks like a credential is taken out, because headers end up in logs.
 */
export function ignoredParametersValue(names: readonly string[]): string {
  const told = names.slice(0, maxNames).map(printable);
  const more = names.length - told.length;
  return [...told, ...(more === 0 ? [] : [`and ${more} more`])].join(", ");
}

function printable(name: string): string {
  const clean = withoutSecrets(name.toWellFormed(), []);
  return /^[\w.[\]-]+$/.test(clean) && clean.length <= maxNameChars
    ? clean
    : encodeURIComponent(clean).slice(0, maxNameChars);
}
