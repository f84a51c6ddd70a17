/**
 * The help texts, made of the command table.
 *
 * @module
 */
import { type FlagSpec, helpFlag } from "./arguments.ts";
import type { Command } from "./command.ts";
import { bold, columns, type Terminal } from "./terminal.ts";

/** What is printed for `authai-relay help` and `authai-relay --help`. */
export function overview(commands: readonly Command[], terminal: Terminal): string {
  return [
    `${bold(terminal, "authai-relay")} lets an app's users sign in with the ChatGPT, Grok or GitHub Copilot`,
    "subscription that they already pay for, and speaks OpenAI's API to the app. Signed in as its owner, it does",
    "the same for your own tools.",
    "",
    "Usage: authai-relay [command] [flags]",
    "",
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    "",
    "Try it without an account: authai-relay sandbox",
    "For your own tools:        authai-relay init, then login, then serve",
    "Help on one command:       authai-relay help <command>",
  ].join("\n");
}

/** What is printed for `authai-relay help <command>` and `authai-relay <command> --help`. */
export function commandHelp(command: Command): string {
  const lines = [
    ["Usage: authai-relay", command.name, ...wordUsage(command), "[flags]"].join(" "),
    "",
    command.summary,
    "",
    ...columns([...command.flags, helpFlag].map((flag) => [flagNames(flag), flag.description])),
  ];
  if (command.details !== undefined) lines.push("", command.details());
  return lines.join("\n");
}

function wordUsage({ word }: Command): string[] {
  if (word === undefined) return [];
  return [word.required ? word.placeholder : `[${word.placeholder}]`];
}

function flagNames({ name, short, placeholder, optionalValue = false }: FlagSpec): string {
  const value = placeholder === undefined ? "" : optionalValue ? `[=${placeholder}]` : ` ${placeholder}`;
  return `--${name}${value}${short === undefined ? "" : `, -${short}`}`;
}
