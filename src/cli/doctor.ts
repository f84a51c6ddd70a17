/**
 * `authai-relay doctor`: finds out what is wrong, and names the command that mends it.
 *
 * @module
 */
import { type Check, checksReport, type CheckStatus, stepsOf } from "./check.ts";
import { type Command, exitCode } from "./command.ts";
import { load } from "./configure.ts";
import { doctorChecks } from "./doctor_checks.ts";
import { jsonFlag, printJson } from "./json_output.ts";
import { settingFlags } from "./setting_flags.ts";
import { bold, dim, printNextSteps, type Style, styled, type Terminal } from "./terminal.ts";

/** Checks settings, token, logins, providers and the running relay. Exit code 1 when something failed. */
export const doctorCommand: Command = Object.freeze<Command>({
  name: "doctor",
  summary: "Find out what does not work, and what to do about it.",
  flags: [
    { name: "skip-response", description: "Do not ask any model, which takes a little of the quota." },
    jsonFlag,
    ...settingFlags(["config", "data-dir", "host", "port", "bearer-token-file"]),
  ],
  async run(flags, process) {
    const { terminal } = process;
    const json = flags["json"] !== undefined;
    const outcome = await load(flags, process);
    const checks: Check[] = [];
    const show = () => {
      if (!json) terminal.status("Checking ...");
    };
    show();
    const askModels = flags["skip-response"] === undefined;
    for await (const check of doctorChecks({ outcome, askModels, process })) {
      checks.push(check);
      if (!json) printCheck(terminal, check);
      show();
    }
    terminal.status(undefined);
    if (json) printJson(terminal, checksReport(checks));
    else printSummary(terminal, checks);
    return checks.some(({ status }) => status === "fail") ? exitCode.failed : exitCode.ok;
  },
});

const labels: Readonly<Record<CheckStatus, { readonly text: string; readonly style: Style }>> = Object.freeze(
  {
    pass: { text: "ok", style: "green" },
    warn: { text: "warn", style: "yellow" },
    fail: { text: "fail", style: "red" },
    skip: { text: "skip", style: "dim" },
  },
);

/** `GitHub Copilot answer` is the longest. */
const titleWidth = 24;

function printCheck(terminal: Terminal, { status, title, message }: Check): void {
  const { text, style } = labels[status];
  const told = status === "skip" ? dim(terminal, message) : message;
  terminal.out(`${styled(terminal, style, text.padEnd(6))}${title.padEnd(titleWidth)}${told}`);
}

function printSummary(terminal: Terminal, checks: readonly Check[]): void {
  const count = (status: CheckStatus) => checks.filter((check) => check.status === status).length;
  const parts = [
    `${count("pass")} passed`,
    ...(count("warn") > 0 ? [`${count("warn")} with a warning`] : []),
    ...(count("fail") > 0 ? [`${count("fail")} failed`] : []),
    ...(count("skip") > 0 ? [`${count("skip")} skipped`] : []),
  ];
  terminal.out("");
  terminal.out(bold(terminal, `${parts.join(", ")}.`));
  printNextSteps(terminal, stepsOf(checks));
}
