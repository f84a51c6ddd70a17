/**
 * `authai-relay models`: what the owner's subscriptions offer at this moment.
 *
 * @module
 */
import { describeList, type ListedModel, listModels } from "../app/model_list.ts";
import type { Provider, ProviderId } from "../provider/provider.ts";
import { parseObject } from "../wire/json.ts";
import { readToldError } from "../wire/openai_error.ts";
import type { Flags } from "./arguments.ts";
import { type CliProcess, type Command, exitCode } from "./command.ts";
import { configure } from "./configure.ts";
import { jsonFlag, printJson } from "./json_output.ts";
import { type OwnerAccess, readLogins, withOwnerAccess } from "./owner_access.ts";
import { relayOrigin } from "./running_relay.ts";
import { settingFlags } from "./setting_flags.ts";
import { bold, columns, dim, printNextSteps, printProblems, styled, type Terminal } from "./terminal.ts";
import { counted } from "./time_text.ts";

/** Lists the models as `GET /v1/models` does for the relay token; `--json` prints that document. */
export const modelsCommand: Command = Object.freeze<Command>({
  name: "models",
  summary: "List the models of your subscriptions, as the providers tell them now.",
  flags: [jsonFlag, ...settingFlags(["config", "data-dir", "host", "port"])],
  details: () => "The id is what a client asks for. --json prints what GET /v1/models answers.",
  async run(flags, process) {
    const configured = await configure(flags, process);
    if (configured.kind === "exit") return configured.code;
    const origin = relayOrigin(configured.config.server);
    return await withOwnerAccess(
      configured.config,
      process,
      (access) => printModels(access, flags, process, origin),
    );
  },
});

async function printModels(
  access: OwnerAccess,
  flags: Flags,
  { terminal }: CliProcess,
  origin: string,
): Promise<number> {
  const json = flags["json"] !== undefined;
  const logins = await readLogins(access);
  if (!logins.some(({ kind }) => kind === "signed_in")) {
    const [first] = access.providers.keys();
    printProblems(
      terminal,
      ["You are not signed in anywhere."],
      `authai-relay login${first === undefined ? "" : ` ${first}`}`,
    );
    return exitCode.failed;
  }
  if (!json) terminal.status("Asking the providers ...");
  const list = await listModels(
    await access.owner.caller(),
    AbortSignal.timeout(timeoutMs),
    { refresher: access.refresher },
  );
  terminal.status(undefined);
  if (list instanceof Response) {
    printProblems(terminal, [await sentenceOf(list)], "authai-relay doctor --skip-response");
    return exitCode.failed;
  }
  if (json) {
    printJson(terminal, describeList(list));
    return exitCode.ok;
  }
  for (const [id, models] of Map.groupBy(list.models, ({ provider }) => provider)) {
    printProvider(terminal, access.providers.get(id), models);
  }
  for (const id of list.missing) {
    terminal.err(`${styled(terminal, "yellow", "warning")}  ${nameOf(id, access)} did not tell its models.`);
  }
  const [example] = list.models;
  terminal.out(
    `Use them at ${origin}/v1 with the relay token as API key${example ? `, e.g. "${example.id}"` : ""}.`,
  );
  if (list.missing.length > 0) printNextSteps(terminal, ["authai-relay doctor"]);
  return exitCode.ok;
}

/** A model list is short; a provider that needs longer is in trouble. */
const timeoutMs = 30_000;

function printProvider(
  terminal: Terminal,
  provider: Provider | undefined,
  models: readonly ListedModel[],
): void {
  terminal.out(
    `${bold(terminal, provider?.displayName ?? "")}  ${dim(terminal, counted(models.length, "model"))}`,
  );
  for (
    const line of columns(models.map(({ id, model }) => [
      id,
      model.displayName === model.id ? "" : model.displayName,
      tokensText(model.contextWindowTokens),
      rangeText(model.reasoningEfforts),
      dim(terminal, model.inputModalities?.join(" ") ?? ""),
    ]))
  ) terminal.out(line);
  terminal.out("");
}

/** `272k context`, or nothing where the provider does not tell. */
function tokensText(tokens: number | undefined): string {
  if (tokens === undefined) return "";
  return `${tokens < 1_000_000 ? `${Math.round(tokens / 1000)}k` : `${tokens / 1_000_000}M`} context`;
}

/** The efforts as a range: they are ordered. */
function rangeText(efforts: readonly string[] | undefined): string {
  const [first, ...more] = efforts ?? [];
  const last = more.at(-1);
  if (first === undefined) return "";
  return last === undefined ? `effort ${first}` : `effort ${first} to ${last}`;
}

function nameOf(id: ProviderId, { providers }: OwnerAccess): string {
  return providers.get(id)?.displayName ?? id;
}

/** The sentence of an error that would go to a client. */
async function sentenceOf(response: Response): Promise<string> {
  const told = readToldError(parseObject(await response.text()) ?? {});
  return told?.message ?? "The providers did not tell their models.";
}
