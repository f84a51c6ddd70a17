/**
 * Reads out of a user's text which tools the simulated model is to call: in which order, and with what.
 *
 * @module
 */
import type { Turn } from "./contract.ts";
import { isMembers, parseJson } from "./members.ts";

/** A call that a text asks for. */
export interface AskedCall {
  /** The tool. */
  readonly tool: Turn["tools"][number];
  /**
   * What the text gives the tool: an object for a function, a string for a custom tool; undefined when it gives nothing
   * of that kind.
   */
  readonly given: unknown;
}

/**
 * The calls in the order of the text, as steps: the calls of one step are made at once, those of the next when the
 * results have come. `after that` begins a new step. Naming a tool again in a step adds a call only with something given.
 */
export function askedCalls(text: string, tools: Turn["tools"]): readonly (readonly AskedCall[])[] {
  const steps: AskedCall[][] = [];
  for (let at = 0, mention = nextMention(text, tools, at); mention !== undefined;) {
    const { tool, start, end } = mention;
    const gift = readGift(text, end);
    const fits = tool.freeform === true ? typeof gift?.value === "string" : isMembers(gift?.value);
    const given = fits ? gift?.value : undefined;
    if (steps.length === 0 || /\bafter that\b/i.test(text.slice(at, start))) steps.push([]);
    const step = steps.at(-1);
    if (given !== undefined || step?.every((call) => call.tool !== tool)) step?.push({ tool, given });
    // Names inside of what is given are not mentions.
    at = fits && gift !== undefined ? gift.end : end;
    mention = nextMention(text, tools, at);
  }
  return steps;
}

interface Mention {
  readonly tool: Turn["tools"][number];
  readonly start: number;
  readonly end: number;
}

/** The first mention of a tool at or behind `from`: its name as a word of its own. */
function nextMention(text: string, tools: Turn["tools"], from: number): Mention | undefined {
  const mentions = tools.flatMap((tool): Mention[] => {
    const start = indexOfWord(text, tool.name, from);
    return start === -1 ? [] : [{ tool, start, end: start + tool.name.length }];
  });
  return mentions.sort((one, other) => one.start - other.start)[0];
}

function indexOfWord(text: string, word: string, from: number): number {
  for (let at = text.indexOf(word, from); at !== -1; at = text.indexOf(word, at + 1)) {
    const around = text.slice(Math.max(0, at - 1), at) + text.slice(at + word.length, at + word.length + 1);
    if (!/[A-Za-z0-9_-]/.test(around)) return at;
  }
  return -1;
}

/** The JSON object or string behind ` with `, directly after a tool's name that ends at `from`. */
function readGift(text: string, from: number): { readonly value: unknown; readonly end: number } | undefined {
  const start = from + (/^ with (?=[{"])/.exec(text.slice(from, from + 8))?.[0].length ?? 0);
  if (start === from) return undefined;
  const end = endOfJson(text, start);
  const value = parseJson(text.slice(start, end));
  return value === undefined ? undefined : { value, end };
}

/** Where the object or string that begins at `start` ends; the end of the text when it does not. */
function endOfJson(text: string, start: number): number {
  let depth = 0;
  let inString = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (inString && character === "\\") at += 1;
    else if (character === '"') inString = !inString;
    else if (!inString && character === "{") depth += 1;
    else if (!inString && character === "}") depth -= 1;
    if (depth === 0 && !inString) return at + 1;
  }
  return text.length;
}
