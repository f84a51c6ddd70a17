/**
 * The switches of the sandbox: their state at the start, and how they change.
 *
 * @module
 */
import type { Switches } from "./contract.ts";

/** Changes of switches: any of them, at any upstream. */
export type SwitchChanges = { readonly [Upstream in keyof Switches]?: Partial<Switches[Upstream]> };

/** The start: what most sources say, and where they are even, the stricter way. */
export const DEFAULT_SWITCHES: Switches = Object.freeze<Switches>({
  chatgpt: {
    pendingStatus: 403,
    tokenAnswerOmits: "nothing",
    terminalOutput: "empty",
    rateLimitsEvent: false,
    keepalive: false,
    chunkBytes: 0,
    hugeEventBytes: 0,
  },
  grok: { requireTokenAuth: true, requireClientVersion: true },
  copilot: { splitChoices: false, rotatingIds: true },
});

/** The switches with changes worked in. */
export function changedSwitches(switches: Switches, changes: SwitchChanges): Switches {
  return {
    chatgpt: { ...switches.chatgpt, ...changes.chatgpt },
    grok: { ...switches.grok, ...changes.grok },
    copilot: { ...switches.copilot, ...changes.copilot },
  };
}

/** The values that a switch takes when it is no plain boolean or number of bytes. */
const WORDS: Readonly<Record<string, readonly unknown[]>> = Object.freeze({
  pendingStatus: [403, 404],
  tokenAnswerOmits: ["nothing", "id_token", "refresh_token"],
  terminalOutput: ["empty", "filled"],
});

/** True when the switch `name` may have `value`, judged by the value that it has now. */
export function isSwitchValue(name: string, value: unknown, present: unknown): boolean {
  const words = WORDS[name];
  if (words !== undefined) return words.includes(value);
  return typeof present === "boolean"
    ? typeof value === "boolean"
    : typeof present === "number" && typeof value === "number" && Number.isInteger(value) && value >= 0;
}
