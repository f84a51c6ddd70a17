/**
 * `authai-relay logs`: the traffic log, readable.
 *
 * @module
 */
import { pause } from "../app/timers.ts";
import { wholeNumber } from "../config_value.ts";
import { type Command, exitCode } from "./command.ts";
import { configure } from "./configure.ts";
import { openLogTail } from "./log_tail.ts";
import { logText } from "./log_text.ts";
import { stopSignal } from "./server.ts";
import { settingFlags } from "./setting_flags.ts";
import { printNextSteps, printProblems } from "./terminal.ts";

const defaultLines = "50";

/** How often a followed log is looked at, milliseconds: the relay writes twice a second. */
const followEveryMs = 250;

/** Prints the end of the traffic log, and with `--follow` what is added, until SIGINT or SIGTERM. */
export const logsCommand: Command = Object.freeze<Command>({
  name: "logs",
  summary: "Show the traffic log: what was asked, and how it went.",
  flags: [
    { name: "follow", short: "f", description: "Go on with what is added, until Ctrl+C." },
    {
      name: "lines",
      short: "n",
      placeholder: "<number>",
      description: `How many lines to begin with [${defaultLines}].`,
    },
    { name: "json", description: "Print the lines as they are in the file: a JSON object each." },
    ...settingFlags(["config", "data-dir"]),
  ],
  details: () => "Times are UTC. The second column is the end of the request's x-request-id.",
  async run(flags, process) {
    const { terminal, timers } = process;
    const lines = wholeNumber(0, 1_000_000).parse(flags["lines"] ?? defaultLines);
    if (lines.kind === "rejected") {
      printProblems(terminal, [`--lines on the command line ${lines.rule}.`]);
      return exitCode.usage;
    }
    const configured = await configure(flags, process);
    if (configured.kind === "exit") return configured.code;
    const { enabled, dir } = configured.config.log;
    const follow = flags["follow"] !== undefined;
    const tail = await openLogTail(dir, lines.value);
    const print = (line: string) =>
      terminal.out(flags["json"] === undefined ? logText(terminal, line) : line);

    const first = await tail.next();
    first.forEach(print);
    if (first.length === 0 && lines.value > 0) {
      terminal.err(
        enabled ? `There are no lines in ${dir} yet.` : "The traffic log is off: logging.enabled is false.",
      );
      if (!follow && flags["json"] === undefined) printNextSteps(terminal, ["authai-relay status"]);
    }
    if (!follow) return exitCode.ok;
    const ended = new AbortController();
    void stopSignal(process).then(() => ended.abort());
    while (!ended.signal.aborted) {
      await pause(timers, followEveryMs, ended.signal).catch(() => undefined);
      (await tail.next()).forEach(print);
    }
    return exitCode.ok;
  },
});
