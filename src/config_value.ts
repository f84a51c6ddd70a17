/**
 * The kinds of values that settings have: how the text of one is read, and the rule that a refused text breaks.
 *
 * No parser here ever repeats the text that it refuses: a secret may have been pasted into the wrong setting.
 *
 * @module
 */
import { parseRelayToken, relayTokenRule } from "./credential/relay_token_file.ts";
import { parseSecret } from "./crypto/secret.ts";
import { parseNetwork } from "./guard/ip_address.ts";

/** A text that was judged. `rule` completes a sentence that begins with the setting's name. */
export type ParsedValue<T> =
  | { readonly kind: "value"; readonly value: T }
  | { readonly kind: "rejected"; readonly rule: string };

/** One kind of value. */
export interface ValueKind<T> {
  /** How the value is written in `config.toml`. Environment and flags always give text; a list is comma separated there. */
  readonly toml: "string" | "integer" | "boolean" | "list";
  /** How the value is named in a help text, e.g. `<path>`. */
  readonly placeholder: string;
  /** What every value must fulfil, worded as in {@linkcode ParsedValue}. */
  readonly rule: string;
  /** Judges the text of a value, without surrounding space. Pure. `home` is the user's home directory, where it is known. */
  parse(text: string, home?: string): ParsedValue<T>;
}

/** Accepts whole decimal numbers from `min` to `max`. */
export function wholeNumber(min: number, max: number): ValueKind<number> {
  return kind("integer", "<number>", `must be a whole number from ${min} to ${max}`, (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

/** Accepts exactly one of `words`. */
export function oneOf<const Word extends string>(words: readonly Word[]): ValueKind<Word> {
  const rule = words.length === 1
    ? `must be "${words[0]}", the only choice so far`
    : `must be one of ${words.join(", ")}`;
  return kind("string", "<word>", rule, (text) => words.find((word) => word === text));
}

/** Accepts a list of one or more of `words`; the value is in the order of `words`, without repetitions. */
export function someOf<const Word extends string>(words: readonly Word[]): ValueKind<readonly Word[]> {
  return kind("list", "<word,...>", `must list one or more of ${words.join(", ")}`, (text) => {
    const named = splitList(text);
    const value = words.filter((word) => named.includes(word));
    const allKnown = named.every((name) => words.some((word) => word === name));
    return value.length > 0 && allKnown ? value : undefined;
  });
}

/** Accepts printable text of at most `maxLength` characters: nothing that could break out of a header or a line. */
export function plainText(maxLength: number): ValueKind<string> {
  return kind("string", "<text>", `must be 1 to ${maxLength} printable characters on one line`, (text) => {
    return text.length <= maxLength && /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(text) ? text : undefined;
  });
}

/** Accepts a host name or an IP address to listen on. */
export function hostName(): ValueKind<string> {
  return kind("string", "<host>", "must be a host name or an IP address, without scheme and port", (text) => {
    return /^[A-Za-z0-9._:%-]{1,253}$/.test(text) && !/^[^:]*:[^:]*$/.test(text) ? text : undefined;
  });
}

/** Accepts `true` and `false`, and from the environment also what people write there: 1, 0, yes, no, on, off. */
export function yesOrNo(): ValueKind<boolean> {
  return kind("boolean", "<true|false>", "must be true or false", (text) => {
    const word = text.toLowerCase();
    if (["true", "1", "yes", "on"].includes(word)) return true;
    return ["false", "0", "no", "off"].includes(word) ? false : undefined;
  });
}

/**
 * Accepts a path of the file system; `~` at its beginning is the home directory. URLs are refused, so that a database URL
 * never becomes an odd file name.
 */
export function localPath(): ValueKind<string> {
  const rule = "must be a path of the file system, not a URL";
  return {
    toml: "string",
    placeholder: "<path>",
    rule,
    parse(text, home) {
      if (text === "" || /^[a-z][a-z0-9+.-]+:\/\//i.test(text) || text.includes("\0")) {
        return { kind: "rejected", rule };
      }
      if (!/^~(?=$|[\\/])/.test(text)) return { kind: "value", value: text };
      if (home !== undefined) return { kind: "value", value: home + text.slice(1) };
      return { kind: "rejected", rule: "begins with ~, but HOME is not set: write the whole path" };
    },
  };
}

/** Accepts a relay token as {@linkcode parseRelayToken} does. */
export function relayToken(): ValueKind<string> {
  return kind("string", "<token>", relayTokenRule, parseRelayToken);
}

/** Accepts a list of IP addresses and of address blocks in CIDR notation (RFC 4632, RFC 4291 section 2.3). */
export function addressBlocks(): ValueKind<readonly string[]> {
  const rule = "must list IP addresses or blocks such as 10.0.0.0/8, without bits behind the prefix";
  return kind("list", "<cidr,...>", rule, (text) => {
    const blocks = splitList(text);
    return blocks.every((block) => parseNetwork(block) !== undefined) ? blocks : undefined;
  });
}

/**
 * Accepts an absolute http or https URL without user, query and fragment. The value has no trailing slash, so that a
 * path can be appended.
 */
export function baseUrl(): ValueKind<string> {
  const rule = "must be an http or https URL without user, query and fragment";
  return kind("string", "<url>", rule, (text) => {
    const url = URL.parse(text);
    if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
    if (url.username !== "" || url.password !== "" || /[?#]/.test(text)) return undefined;
    return url.href.replace(/\/+$/, "");
  });
}

/**
 * Accepts `*` alone, or a list of origins as browsers send them (RFC 6454 section 6.2): `https://app.example`, and also those of
 * apps in a web view such as `capacitor://localhost`.
 */
export function webOrigins(): ValueKind<readonly string[]> {
  return kind(
    "list",
    "<origin,...>",
    "must be * or a list of origins such as https://app.example, without a path",
    (text) => {
      if (text === "*") return ["*"];
      const origins = splitList(text);
      return origins.length > 0 && origins.every(isOrigin) ? origins : undefined;
    },
  );
}

/** Accepts one secret that {@linkcode parseSecret} accepts; the value is its hexadecimal text. */
export function secretText(): ValueKind<string> {
  return {
    toml: "string",
    placeholder: "<hex>",
    rule: secretRule,
    parse(text) {
      const secret = parseSecret(text);
      return secret.kind === "secret" ? { kind: "value", value: text } : secret;
    },
  };
}

/** Accepts a list of secrets, each as {@linkcode secretText} takes it. */
export function secretTexts(): ValueKind<readonly string[]> {
  return {
    toml: "list",
    placeholder: "<hex,...>",
    rule: `${secretRule} each`,
    parse(text) {
      const value = splitList(text);
      for (const entry of value) {
        const secret = parseSecret(entry);
        if (secret.kind === "rejected") return secret;
      }
      return { kind: "value", value };
    },
  };
}

/** The sum of the rules of {@linkcode parseSecret}, which names the broken one. */
const secretRule = "must be at least 32 random bytes in hexadecimal";

function kind<T>(
  toml: ValueKind<T>["toml"],
  placeholder: string,
  rule: string,
  read: (text: string) => T | undefined,
): ValueKind<T> {
  return {
    toml,
    placeholder,
    rule,
    parse(text) {
      const value = read(text);
      return value === undefined ? { kind: "rejected", rule } : { kind: "value", value };
    },
  };
}

/** Browsers send the normal form: lower case, no default port. Another spelling would never match. */
function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*]+$/.test(text)) return false;
  return /^https?:/.test(text) ? URL.parse(text)?.origin === text : URL.canParse(text);
}

function splitList(text: string): string[] {
  return text.split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
}
