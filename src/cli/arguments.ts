/**
 * Reads flags by a table, and says everything that is wrong with them in sentences.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { nearestName } from "../nearest_name.ts";

/** A flag that a command takes. */
export interface FlagSpec {
  /** The name without dashes. */
  readonly name: string;
  readonly short?: string;
  /** How its value is named in the help; a flag without one takes no value. */
  readonly placeholder?: string;
  /** True when the value may be left out; it is then given as `--name=value` only. */
  readonly optionalValue?: boolean;
  readonly description: string;
}

/** The flags that were given, by name without dashes; one without a value is the empty string. */
export type Flags = Readonly<Record<string, string>>;

/** What {@linkcode parseFlags} found. */
export type FlagParse =
  | { readonly kind: "flags"; readonly flags: Flags; readonly words: readonly string[] }
  | { readonly kind: "usage"; readonly problems: readonly string[] };

/** Every command takes it. */
export const helpFlag: FlagSpec = Object.freeze({
  name: "help",
  short: "h",
  description: "Print this help.",
});

/** Reads `args`; of a repeated flag the last one counts. `words` are the arguments that are no flags. */
export function parseFlags(args: readonly string[], specs: readonly FlagSpec[]): FlagParse {
  const { tokens } = parseArgs({
    args: [...args],
    // Not strict: parseArgs would stop at the first problem, in words of its own.
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(specs.map(({ name, short, placeholder, optionalValue = false }) => [name, {
      type: placeholder === undefined || optionalValue ? "boolean" as const : "string" as const,
      ...(short === undefined ? {} : { short }),
    }])),
  });
  const flags: Record<string, string> = {};
  const words: string[] = [];
  const problems: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value, inlineValue } = token;
    const spec = specs.find((candidate) => candidate.name === name);
    if (spec === undefined) {
      const nearest = nearestName(name, specs.map((candidate) => candidate.name));
      problems.push(
        `${rawName} is not a flag here.${nearest === undefined ? "" : ` Did you mean --${nearest}?`}`,
      );
    } else if (spec.placeholder === undefined && value !== undefined) {
      problems.push(`${rawName} takes no value.`);
    } else if (
      spec.placeholder !== undefined && spec.optionalValue !== true && needsValue(value, inlineValue)
    ) {
      problems.push(`${rawName} needs a value: --${name} ${spec.placeholder}.`);
    } else {
      flags[name] = value ?? "";
    }
  }
  return problems.length > 0 ? { kind: "usage", problems } : { kind: "flags", flags, words };
}

/** `--port --host x` forgot the port: a value that looks like a flag has to be given as `--port=--host`. */
function needsValue(value: string | undefined, inline: boolean | undefined): boolean {
  return value === undefined || value === "" || (inline !== true && value.startsWith("-"));
}
