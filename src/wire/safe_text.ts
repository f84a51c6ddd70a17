/**
 * What may be repeated of words that an upstream wrote. Upstreams echo what they were sent (a rejected bearer in a
 * sentence, a device code in an error), so their words pass through here before they reach a client or a log.
 *
 * @module
 */

const removed = "[removed]";

/** Credentials by their usual looks; those of the call itself are removed by value, whatever they look like. */
const secretPatterns: readonly RegExp[] = Object.freeze([
  // First: a Copilot token has semicolons, at which a bearer is taken to end.
  /\btid=\S+/g,
  /\bBearer\s+[^\s,;"']+/gi,
  /\beyJ[\w-]{6,}(?:\.[\w-]*)*/g,
  /\b(?:gh[a-z]|github_pat|rt|ac)_\w{8,}/g,
  /\b(?:sk|xai)-[\w-]{12,}/g,
]);

/** A run this long with digits in it is a key, a hash or a ciphertext, and never a word that a reader needs. */
const longRun = /[A-Za-z0-9+/_=-]{40,}/g;

/**
 * `text` without anything that is in `secrets` or looks like a credential.
 *
 * @param secrets What the call itself carried; removed wherever it occurs. Strings under 6 characters are ignored.
 */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret.length >= 6) clean = clean.replaceAll(secret, removed);
  }
  for (const pattern of secretPatterns) clean = clean.replace(pattern, removed);
  return clean.replace(longRun, (run) => (run.match(/\d/g)?.length ?? 0) >= 3 ? removed : run);
}

/**
 * `value` as one line of at most `maxChars` characters without secrets; undefined when it is no text or an empty one.
 * A longer text is cut, and ends in three dots.
 */
export function safeSentence(
  value: unknown,
  secrets: readonly string[],
  maxChars: number,
): string | undefined {
  if (typeof value !== "string") return undefined;
  // deno-lint-ignore no-control-regex -- control characters must not reach a log line or a terminal
  const line = withoutSecrets(value.replace(/[\s\u0000-\u001f\u007f]+/g, " ").trim(), secrets);
  if (line === "") return undefined;
  return line.length <= maxChars ? line : `${line.slice(0, maxChars - 3)}...`;
}

/** `value` when it is a machine-readable code of at most 64 characters that cannot be a credential. */
export function safeCode(value: unknown, secrets: readonly string[]): string | undefined {
  if (typeof value !== "string" || !/^[A-Za-z][A-Za-z0-9_.:-]{0,63}$/.test(value)) return undefined;
  return withoutSecrets(value, secrets) === value ? value : undefined;
}

/**
 * `value` when it has the shape of an OAuth error code (RFC 6749 section 5.2: lower case words joined by underscores).
 * No credential of our upstreams has that shape, so it may go into a log without knowing the secrets of the call.
 */
export function oauthCode(value: unknown): string | undefined {
  return typeof value === "string" && /^[a-z]{2,24}(_[a-z]{1,24}){0,6}$/.test(value) ? value : undefined;
}

/** `text` as an HTTP header value: printable ASCII only; `fallback` when nothing is left. */
export function headerWord(text: string, fallback: string): string {
  const word = text.replace(/[^\x20-\x7e]/g, "").trim();
  return word === "" ? fallback : word;
}

/** A value that a client chose, as a header value; undefined when it is none that a header can carry. */
export function clientHeaderValue(value: unknown): string | undefined {
  return typeof value === "string" && /^[\x21-\x7e]{1,256}$/.test(value) ? value : undefined;
}
