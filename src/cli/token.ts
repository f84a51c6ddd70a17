/**
 * `authai-relay token`: shows and replaces the token that the owner's tools present.
 *
 * @module
 */
import type { UnsignedConfig } from "../config_load.ts";
import { settings } from "../config.ts";
import { rotateRelayToken } from "../credential/relay_token_file.ts";
import { fingerprint } from "../crypto/secret.ts";
import type { Flags } from "./arguments.ts";
import { type CliProcess, type Command, exitCode } from "./command.ts";
import { load } from "./configure.ts";
import { explainFailure } from "./failure.ts";
import { jsonFlag, printJson } from "./json_output.ts";
import { readRelayCredential, sourceText } from "./relay_credential.ts";
import { relayOrigin } from "./running_relay.ts";
import { settingFlags } from "./setting_flags.ts";
import { bold, columns, dim, printNextSteps, printProblems, printWarnings } from "./terminal.ts";
import { duration, timeOf } from "./time_text.ts";

/** Shows or rotates the relay token. */
export const tokenCommand: Command = Object.freeze<Command>({
  name: "token",
  summary: "Show or replace the token that your tools present as their API key.",
  word: { placeholder: "show|rotate", choices: ["show", "rotate"], required: true },
  flags: [
    {
      name: "grace-seconds",
      placeholder: "<number>",
      description:
        `With rotate: how long the token before is still accepted [${settings.tokenGraceSeconds.fallback}]`,
    },
    jsonFlag,
    ...settingFlags(["config", "data-dir", "host", "port", "bearer-token-file"]),
  ],
  details: () => "A running relay takes a new token with its next request; no restart is needed.",
  async run(flags, process, [word]) {
    const { terminal } = process;
    const outcome = await load(flags, process);
    if (outcome.kind === "invalid") {
      printProblems(terminal, outcome.problems);
      return exitCode.usage;
    }
    if (word === "rotate") return await rotate(outcome.config, flags, process);
    if (flags["grace-seconds"] !== undefined) {
      printProblems(terminal, ["--grace-seconds belongs to token rotate."]);
      return exitCode.usage;
    }
    return await show(outcome.config, flags, process);
  },
});

async function show(config: UnsignedConfig, flags: Flags, { terminal }: CliProcess): Promise<number> {
  const { override, required, path } = config.relayToken;
  const credential = await readRelayCredential({ relayToken: { ...config.relayToken, required: true } });
  if (!required) {
    printWarnings(terminal, [
      "The settings ask local tools for no token: whoever reaches the relay is let in.",
    ]);
  }
  if (credential.kind !== "token") {
    printProblems(
      terminal,
      [
        credential.kind === "unusable"
          ? credential.sentence
          : `There is no relay token: ${path} does not exist.`,
      ],
      "authai-relay init",
    );
    return exitCode.failed;
  }
  if (override !== undefined) {
    printWarnings(terminal, [
      `${override.name} in this environment wins over ${path}. A relay that was started without it uses the file.`,
    ]);
  }
  const { token, from } = credential;
  const baseUrl = `${relayOrigin(config.server)}/v1`;
  if (flags["json"] !== undefined) {
    printJson(terminal, {
      token,
      source: override === undefined ? "file" : "environment",
      path: "path" in from ? from.path : null,
      variable: "variable" in from ? from.variable : null,
      fingerprint: credential.fingerprint,
      required,
      base_url: baseUrl,
    });
    return exitCode.ok;
  }
  terminal.out(bold(terminal, "Relay token"));
  for (
    const line of columns([
      ["token", bold(terminal, token)],
      ["from", `${sourceText(from)} ${dim(terminal, `(${credential.fingerprint})`)}`],
      ["base URL", baseUrl],
    ])
  ) terminal.out(line);
  terminal.out("");
  terminal.out(bold(terminal, "For OpenAI clients"));
  terminal.out(`  export OPENAI_BASE_URL=${baseUrl}`);
  terminal.out(`  export OPENAI_API_KEY='${token.replaceAll("'", `'\\''`)}'`);
  return exitCode.ok;
}

async function rotate(config: UnsignedConfig, flags: Flags, { terminal, now }: CliProcess): Promise<number> {
  const { override, path, graceMs } = config.relayToken;
  const grace = settings.tokenGraceSeconds.value.parse(flags["grace-seconds"] ?? String(graceMs / 1000));
  if (grace.kind === "rejected") {
    printProblems(terminal, [`--grace-seconds on the command line ${grace.rule}.`]);
    return exitCode.usage;
  }
  if (override !== undefined) {
    printProblems(
      terminal,
      [
        `${override.name} in the environment is the relay token and wins over ${path}, so a new token in the file ` +
        "would not be accepted. Nothing was changed.",
      ],
      `Change ${override.name} and restart the relay; or unset it here and there to use the file.`,
    );
    return exitCode.failed;
  }
  try {
    const rotated = await rotateRelayToken(path, { graceMs: grace.value * 1000, now });
    const until = rotated.previousUntilMs;
    if (flags["json"] !== undefined) {
      printJson(terminal, {
        token: rotated.token,
        path,
        fingerprint: await fingerprint(rotated.token),
        previous_accepted_until: until === undefined ? null : new Date(until).toISOString(),
      });
      return exitCode.ok;
    }
    terminal.out(bold(terminal, rotated.token));
    terminal.out(`This is the relay token from now on; it is in ${path}.`);
    if (until !== undefined) {
      terminal.out(
        grace.value === 0
          ? "The token before is no longer accepted."
          : `The token before is accepted for ${duration(grace.value * 1000)} more, until ${
            timeOf(until)
          } UTC.`,
      );
    }
    printNextSteps(terminal, ["Give the new token to your tools as their API key."]);
    return exitCode.ok;
  } catch (error) {
    printProblems(terminal, [explainFailure(error, "The relay token cannot be replaced")]);
    return exitCode.failed;
  }
}
