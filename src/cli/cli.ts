/**
 * The command line: finds the command that is meant, and runs it.
 *
 * @module
 */
import { nearestName } from "../nearest_name.ts";
import { version } from "../version.ts";
import { helpFlag, parseFlags } from "./arguments.ts";
import { type CliProcess, type Command, exitCode } from "./command.ts";
import { doctorCommand } from "./doctor.ts";
import { commandHelp, overview } from "./help.ts";
import { initCommand } from "./init.ts";
import { loginCommand } from "./login.ts";
import { logoutCommand } from "./logout.ts";
import { logsCommand } from "./logs.ts";
import { modelsCommand } from "./models.ts";
import { sandboxCommand } from "./sandbox.ts";
import { serveCommand } from "./serve.ts";
import { statusCommand } from "./status.ts";
import { printProblems } from "./terminal.ts";
import { tokenCommand } from "./token.ts";

const versionCommand: Command = Object.freeze<Command>({
  name: "version",
  summary: "Print the version.",
  flags: [],
  run(_flags, { terminal }) {
    terminal.out(version);
    return Promise.resolve(exitCode.ok);
  },
});

const helpCommand: Command = Object.freeze<Command>({
  name: "help",
  summary: "Print this, or the help on a command.",
  word: { placeholder: "command", required: false },
  flags: [],
  run(_flags, process, [topic]) {
    const { terminal } = process;
    const command = commands.find(({ name }) => name === topic);
    if (topic !== undefined && command === undefined) return Promise.resolve(unknownCommand(topic, process));
    terminal.out(command === undefined ? overview(commands, terminal) : commandHelp(command));
    return Promise.resolve(exitCode.ok);
  },
});

/** Every command, in the order of the overview. */
const commands: readonly Command[] = Object.freeze([
  serveCommand,
  sandboxCommand,
  initCommand,
  loginCommand,
  logoutCommand,
  tokenCommand,
  statusCommand,
  modelsCommand,
  doctorCommand,
  logsCommand,
  versionCommand,
  helpCommand,
]);

/**
 * Runs the command line `args` (without the program's name) and resolves to the exit code: 0 when all is well, 1 when the
 * command failed, 2 when words, flags or settings are wrong. No word means `serve`.
 */
export async function runCli(args: readonly string[], process: CliProcess): Promise<number> {
  const { terminal } = process;
  const [first = ""] = args;
  if (["--help", "-h"].includes(first)) return await helpCommand.run({}, process, []);
  if (first === "--version") return await versionCommand.run({}, process, []);

  const hasWord = first !== "" && !first.startsWith("-");
  const name = hasWord ? first : serveCommand.name;
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) return unknownCommand(name, process);

  const parsed = parseFlags(hasWord ? args.slice(1) : args, [...command.flags, helpFlag]);
  const asked = parsed.kind === "flags" && parsed.flags["help"] !== undefined;
  const problems = parsed.kind === "usage" ? parsed.problems : wordProblems(parsed.words, command, asked);
  if (parsed.kind === "usage" || problems.length > 0) {
    printProblems(terminal, problems, `authai-relay help ${name}`);
    return exitCode.usage;
  }
  if (asked) {
    terminal.out(commandHelp(command));
    return exitCode.ok;
  }
  return await command.run(parsed.flags, process, parsed.words);
}

/** What is wrong with the words after a command. Whoever asks for its help need not know its word. */
function wordProblems(words: readonly string[], { name, word }: Command, helpAsked: boolean): string[] {
  const [given, ...more] = word === undefined ? [undefined, ...words] : words;
  const problems = more.map((text) => `${JSON.stringify(text)} is one word too many.`);
  if (word === undefined) return problems;
  if (given === undefined) {
    return word.required && !helpAsked
      ? [`${name} needs a word: authai-relay ${name} ${word.placeholder}.`]
      : problems;
  }
  if (word.choices === undefined || word.choices.includes(given)) return problems;
  const nearest = nearestName(given, word.choices);
  const guess = nearest === undefined
    ? `Take one of: ${word.choices.join(", ")}.`
    : `Did you mean ${nearest}?`;
  return [`${JSON.stringify(given)} is not understood here. ${guess}`, ...problems];
}

function unknownCommand(name: string, { terminal }: CliProcess): number {
  const nearest = nearestName(name, commands.map((command) => command.name));
  const guess = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  printProblems(terminal, [`${JSON.stringify(name)} is not a command.${guess}`], "authai-relay help");
  return exitCode.usage;
}
