/**
 * `authai-relay status`: what runs, who is signed in, and what comes next.
 *
 * @module
 */
import type { RelayConfig } from "../config_load.ts";
import { finiteNumber, isObject } from "../wire/json.ts";
import { version } from "../version.ts";
import type { Flags } from "./arguments.ts";
import { type CliProcess, type Command, exitCode } from "./command.ts";
import { configure, isForAppAlone } from "./configure.ts";
import { jsonFlag, printJson } from "./json_output.ts";
import { explainEnd, type Login, readLogins, withOwnerAccess } from "./owner_access.ts";
import { readRelayCredential, type RelayCredential, sourceText } from "./relay_credential.ts";
import { askStatus, findRelay, type FoundRelay, relayOrigin, type RelayStatus } from "./running_relay.ts";
import { settingFlags } from "./setting_flags.ts";
import { bold, columns, dim, printNextSteps, styled, type Terminal } from "./terminal.ts";
import { counted, dayOf, roughly } from "./time_text.ts";

/** Tells the state of the relay and of the logins; asks no provider. */
export const statusCommand: Command = Object.freeze<Command>({
  name: "status",
  summary: "Show whether the relay runs and where you are signed in.",
  flags: [jsonFlag, ...settingFlags(["config", "data-dir", "host", "port", "bearer-token-file"])],
  details: () => "Asks no provider: `authai-relay doctor` does.",
  async run(flags, process) {
    const configured = await configure(flags, process);
    if (configured.kind === "exit") return configured.code;
    const { config } = configured;
    return await withOwnerAccess(config, process, async (access) => {
      const [credential, logins, relay] = await Promise.all([
        readRelayCredential(config),
        readLogins(access),
        findRelay(relayOrigin(config.server)),
      ]);
      const answer = relay.kind === "relay" ? await askWith(credential, relay.origin) : undefined;
      print({ config, credential, logins, relay, answer }, flags, process);
      return exitCode.ok;
    });
  },
});

/** Undefined where nothing can be presented. */
async function askWith(credential: RelayCredential, origin: string): Promise<RelayStatus | undefined> {
  if (credential.kind === "token") return await askStatus(origin, credential.token);
  return credential.kind === "not_required" ? await askStatus(origin, undefined) : undefined;
}

interface Found {
  readonly config: RelayConfig;
  readonly credential: RelayCredential;
  readonly logins: readonly Login[];
  readonly relay: FoundRelay;
  /** What the relay says, when one runs and there is something to ask it with. */
  readonly answer: RelayStatus | undefined;
}

function print(found: Found, flags: Flags, { terminal, now }: CliProcess): void {
  const steps = nextSteps(found);
  if (flags["json"] !== undefined) {
    printJson(terminal, {
      relay: {
        state: { relay: "running", stranger: "stranger", none: "stopped" }[found.relay.kind],
        origin: found.relay.origin,
        version: found.relay.kind === "relay" ? found.relay.version : null,
        status: found.answer?.kind === "status" ? found.answer.status : null,
      },
      data_dir: found.config.storage.dataDir,
      relay_token: tokenJson(found.credential),
      logins: found.logins.map(loginJson),
      next_steps: steps,
    });
    return;
  }
  terminal.out(bold(terminal, `authai-relay ${version}`));
  const { halves, originator, storage } = found.config;
  const rows = [
    ["relay", relayText(found, terminal)],
    ...(halves.app ? [["app", originator]] : []),
    ["data", storage.dataDir],
    ["token", tokenText(found, terminal)],
  ];
  const logins = found.logins.map((login) => [login.provider.displayName, loginText(login, terminal, now())]);
  const lines = columns([...rows, ...logins]);
  for (const line of lines.slice(0, rows.length)) terminal.out(line);
  terminal.out("");
  terminal.out(bold(terminal, "Logins"));
  for (const line of lines.slice(rows.length)) terminal.out(line);
  printNextSteps(terminal, steps);
}

function relayText({ relay, answer, credential }: Found, terminal: Terminal): string {
  switch (relay.kind) {
    case "none":
      return `${dim(terminal, "not running")} at ${relay.origin}`;
    case "stranger":
      return `${styled(terminal, "red", "another program")} answers at ${relay.origin}`;
    case "relay":
      return `${styled(terminal, "green", "running")} at ${relay.origin}${answerText(answer)}` +
        (credential.kind === "token" && asksForNothing(answer)
          ? styled(terminal, "yellow", "; it was started without asking for the token")
          : "");
  }
}

/** Whether the relay that runs is open, which the settings need not say: `serve --no-auth`. */
function asksForNothing(answer: RelayStatus | undefined): boolean {
  const security = answer?.kind === "status" ? answer.status["security"] : undefined;
  return isObject(security) && security["require_bearer_auth"] === false;
}

function answerText(answer: RelayStatus | undefined): string {
  switch (answer?.kind) {
    case "status": {
      const requests = finiteNumber(answer.status["requests_total"]);
      return requests === undefined ? "" : `, ${counted(requests, "request")} since it started`;
    }
    case "unauthorized":
      return ", but it does not take the relay token of these settings";
    case "limited":
      return ", which takes no more requests from here for a while";
    case "failed":
      return ", but it does not tell its status";
    case undefined:
      return "";
  }
}

function tokenText({ credential, config }: Found, terminal: Terminal): string {
  switch (credential.kind) {
    case "token":
      return `${sourceText(credential.from)} ${dim(terminal, `(${credential.fingerprint})`)}`;
    case "not_required":
      return styled(terminal, "yellow", "not required: whoever reaches the relay can use your logins");
    case "absent":
      return isForAppAlone(config) ? dim(terminal, "none") : styled(terminal, "red", "missing");
    case "unusable":
      return styled(terminal, "red", credential.sentence);
  }
}

function tokenJson(credential: RelayCredential): Record<string, unknown> {
  switch (credential.kind) {
    case "token": {
      const { from, fingerprint } = credential;
      return "path" in from
        ? { required: true, source: "file", path: from.path, fingerprint }
        : { required: true, source: "environment", path: null, fingerprint };
    }
    case "not_required":
      return { required: false, source: "none", path: null, fingerprint: null };
    case "absent":
      return { required: true, source: "none", path: credential.path, fingerprint: null };
    case "unusable":
      return { required: true, source: "none", path: null, fingerprint: null, problem: credential.sentence };
  }
}

function loginText(login: Login, terminal: Terminal, nowMs: number): string {
  switch (login.kind) {
    case "signed_in": {
      const endsAtMs = login.session.expiresAtS * 1000;
      const until = `until ${dayOf(endsAtMs)} (${roughly(endsAtMs - nowMs)})`;
      return `${styled(terminal, "green", "signed in")} ${dim(terminal, until)}`;
    }
    case "ended":
      return styled(terminal, "red", explainEnd(login.reason, login.provider));
    case "signed_out":
      return dim(terminal, "not signed in");
  }
}

function loginJson(login: Login): Record<string, unknown> {
  return {
    provider: login.provider.id,
    display_name: login.provider.displayName,
    state: login.kind,
    reason: login.kind === "ended" ? login.reason : null,
    expires: login.kind === "signed_in" ? login.session.expiresAtS : null,
  };
}

function nextSteps({ config, credential, logins, relay, answer }: Found): string[] {
  const steps: string[] = [];
  if (isForAppAlone(config)) {
    if (relay.kind === "none") return ["authai-relay serve"];
    return relay.kind === "relay" ? [] : ["authai-relay doctor --skip-response"];
  }
  if (credential.kind === "absent") steps.push("authai-relay init");
  if (credential.kind === "unusable") steps.push("authai-relay doctor --skip-response");
  const ended = logins.filter(({ kind }) => kind === "ended");
  steps.push(...ended.map(({ provider }) => `authai-relay login ${provider.id}`));
  if (logins.every(({ kind }) => kind === "signed_out")) steps.push("authai-relay login");
  if (steps.length > 0) return steps;
  if (relay.kind === "none") return ["authai-relay serve"];
  return relay.kind === "relay" && answer?.kind === "status" ? [] : ["authai-relay doctor --skip-response"];
}
