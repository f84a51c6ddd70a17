/**
 * Tokens that look random and are not.
 *
 * @module
 */
import { createHash } from "node:crypto";

/**
 * Makes the function behind `SandboxContext.token`: `prefix` and 32 letters and digits, derived from `purpose` and from
 * how often that purpose was asked for before.
 */
export function createTokenSource(): (prefix: string, purpose: string) => string {
  const counts = new Map<string, number>();
  return (prefix, purpose) => {
    const count = counts.get(purpose) ?? 0;
    counts.set(purpose, count + 1);
    return prefix + letters(`${purpose} ${count}`);
  };
}

/** 32 of the 88 base64 characters of a SHA-512; more than half of them would have to be signs for it to run short. */
function letters(seed: string): string {
  return createHash("sha512").update(`authai-relay sandbox: ${seed}`).digest("base64").replace(
    /[^A-Za-z0-9]/g,
    "",
  )
    .slice(0, 32);
}
