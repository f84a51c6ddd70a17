/**
 * The command line: finds the command that is meant, and runs it.
 *
 * @module
 */
import { nearestName } from "../nearest_name.ts";
import { version } from "../version.ts";
import { helpFlag, parseFlags } from "./arguments.ts";
import { type CliProcess, type Command, exitCode } from "./command.ts";
import { commandHelp, overview } from "./help.ts";
import { initCommand } from "./init.ts";
import { sandboxCommand } from "./sandbox.ts";
import { serveCommand } from "./serve.ts";
import { printProblems } from "./terminal.ts";

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
  flags: [],
  run(_flags, { terminal }) {
    terminal.out(overview(commands, terminal));
    return Promise.resolve(exitCode.ok);
  },
});

/** Every command, in the order of the overview. */
const commands: readonly Command[] = Object.freeze([
  serveCommand,
  sandboxCommand,
  initCommand,
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
  if (["--help", "-h"].includes(first)) return await helpCommand.run({}, process);
  if (first === "--version") return await versionCommand.run({}, process);

  const hasWord = first !== "" && !first.startsWith("-");
  const name = hasWord ? first : serveCommand.name;
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) return unknownCommand(name, process);

  const parsed = parseFlags(hasWord ? args.slice(1) : args, [...command.flags, helpFlag]);
  if (parsed.kind === "usage") {
    printProblems(terminal, parsed.problems, `authai-relay help ${name}`);
    return exitCode.usage;
  }
  const [word, ...more] = parsed.words;
  const topic = command === helpCommand && word !== undefined ? word : undefined;
  const extra = topic === undefined ? parsed.words : more;
  if (extra.length > 0) {
    printProblems(
      terminal,
      extra.map((text) => `${JSON.stringify(text)} is one word too many.`),
      `authai-relay help ${name}`,
    );
    return exitCode.usage;
  }
  const explained = topic === undefined ? command : commands.find((candidate) => candidate.name === topic);
  if (explained === undefined) return unknownCommand(topic ?? "", process);
  if (topic !== undefined || parsed.flags["help"] !== undefined) {
    terminal.out(commandHelp(explained));
    return exitCode.ok;
  }
  return await command.run(parsed.flags, process);
}

function unknownCommand(name: string, { terminal }: CliProcess): number {
  const nearest = nearestName(name, commands.map((command) => command.name));
  const guess = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  printProblems(terminal, [`${JSON.stringify(name)} is not a command.${guess}`], "authai-relay help");
  return exitCode.usage;
}
