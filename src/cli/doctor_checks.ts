/**
 * Everything that `doctor` finds out, in the order in which a request would meet it.
 *
 * @module
 */
import type { LoadOutcome, RelayConfig } from "../config_load.ts";
import { OwnerFileUnusable } from "../credential/owner_sessions.ts";
import { version } from "../version.ts";
import { type Check, checkOf } from "./check.ts";
import type { CliProcess } from "./command.ts";
import { isForAppAlone } from "./configure.ts";
import { explainFailure } from "./failure.ts";
import { usesProxy } from "./http_proxy.ts";
import { type Login, openOwnerAccess, readLogins } from "./owner_access.ts";
import { type ProviderCheckOptions, providerChecks } from "./provider_checks.ts";
import { readRelayCredential, type RelayCredential, sourceText } from "./relay_credential.ts";
import { askStatus, findRelay, relayOrigin } from "./running_relay.ts";

/** What the checks work with. */
export interface DoctorOptions {
  readonly outcome: LoadOutcome;
  /** Whether models may be asked, which takes a little of the quota. */
  readonly askModels: boolean;
  readonly process: CheckProcess;
}

/** The parts of the process that the checks use. */
type CheckProcess = Pick<CliProcess, "now" | "environment">;

/** Yields each finding as soon as it is there. Ends early where nothing more can be said. */
export async function* doctorChecks(options: DoctorOptions): AsyncGenerator<Check, void> {
  const { outcome, askModels, process } = options;
  yield* settingsChecks(outcome);
  if (outcome.kind !== "config") return;
  const { config } = outcome;
  const credential = await readRelayCredential(config);
  yield tokenCheck(credential, config);
  yield* storedChecks(config, askModels, process);
  yield await relayCheck(config, credential);
}

/** A line for each problem and each warning. A warning says itself what helps. */
function* settingsChecks(outcome: LoadOutcome): Generator<Check, void> {
  const check = checkOf("config", "Settings");
  switch (outcome.kind) {
    case "invalid":
      for (const problem of outcome.problems) yield check.fail(problem, "authai-relay help serve");
      return;
    case "incomplete": {
      const names = outcome.missing.map(({ env }) => env).join(" and ");
      yield check.fail(
        `${names} ${outcome.missing.length === 1 ? "is" : "are"} not set, and nothing works without.`,
        "authai-relay init",
      );
      return;
    }
    case "config": {
      for (const warning of outcome.warnings) yield check.warn(warning);
      if (outcome.warnings.length > 0) return;
      yield check.pass(`Complete. The data directory is ${outcome.config.storage.dataDir}.`);
    }
  }
}

function tokenCheck(credential: RelayCredential, config: RelayConfig): Check {
  const check = checkOf("relay_token", "Relay token");
  switch (credential.kind) {
    case "token": {
      const { from, fingerprint } = credential;
      if (credential.openToOthers && "path" in from) {
        return check.warn(
          `${from.path} is open to other users of this machine, who can use your logins with it.`,
          `chmod 600 ${from.path}`,
          "authai-relay token rotate",
        );
      }
      return check.pass(`From ${sourceText(from)}, fingerprint ${fingerprint}.`);
    }
    case "not_required":
      return check.warn("Not required: whoever reaches the relay can use your logins.");
    case "absent":
      if (isForAppAlone(config)) return check.skip("There is none: this relay is for an app's users alone.");
      return check.fail(
        `There is none: ${credential.path} does not exist, so that no local tool is let in.`,
        "authai-relay init",
      );
    case "unusable":
      return check.fail(credential.sentence, "authai-relay token rotate");
  }
}

async function* storedChecks(
  config: RelayConfig,
  askModel: boolean,
  process: CheckProcess,
): AsyncGenerator<Check, void> {
  const storage = checkOf("storage", "Data directory");
  const opened = await openOwnerAccess(config, process);
  if (opened.kind === "refused") {
    const { sentence, hint } = opened;
    return yield storage.fail(
      hint === undefined ? sentence : `${sentence} ${hint}`,
      "authai-relay doctor --data-dir <directory>",
    );
  }
  const { access } = opened;
  try {
    yield storage.pass(`${config.storage.databasePath} and ${config.storage.kvPath} can be used.`);
    let logins: readonly Login[];
    try {
      logins = await readLogins(access);
    } catch (error) {
      const check = checkOf("upstream_auth", "Logins");
      return yield error instanceof OwnerFileUnusable
        ? check.fail(error.message, ...error.remedies)
        : check.fail(explainFailure(error, "The owner's logins cannot be read"), "authai-relay login");
    }
    yield* loginChecks(logins, { config, access, askModel, byProxy: usesProxy(process) });
  } finally {
    await access.store.close();
  }
}

async function* loginChecks(
  logins: readonly Login[],
  options: ProviderCheckOptions,
): AsyncGenerator<Check, void> {
  if (logins.every(({ kind }) => kind === "signed_out") && !isForAppAlone(options.config)) {
    yield checkOf("upstream_auth", "Logins").fail(
      "You are not signed in anywhere, so that every model call would be refused.",
      "authai-relay login",
    );
  }
  for (const login of logins) yield* providerChecks(login, options);
}

async function relayCheck({ server }: RelayConfig, credential: RelayCredential): Promise<Check> {
  const check = checkOf("relay", "Running relay");
  const relay = await findRelay(relayOrigin(server));
  const { origin } = relay;
  if (relay.kind === "none") return check.skip(`None runs at ${origin}.`, "authai-relay serve");
  if (relay.kind === "stranger") {
    return check.fail(
      `Another program answers at ${origin}, so that a relay cannot listen there.`,
      "authai-relay serve --port <number>",
    );
  }
  if (credential.kind === "absent" || credential.kind === "unusable") {
    return check.skip(`A relay runs at ${origin}, but there is no token to ask it with.`);
  }
  const answer = await askStatus(origin, credential.kind === "token" ? credential.token : undefined);
  switch (answer.kind) {
    case "unauthorized":
      return check.fail(
        `The relay at ${origin} does not take this relay token: it was started with other settings.`,
        "Stop it (Ctrl+C where it runs), then: authai-relay serve",
      );
    case "limited": {
      const { retryAfterSeconds } = answer;
      const again = retryAfterSeconds === undefined ? "for a while" : `for ${retryAfterSeconds} s`;
      return check.warn(
        `The relay at ${origin} takes no more requests from this machine ${again}.`,
        "authai-relay logs",
      );
    }
    case "failed":
      return check.fail(
        `The relay at ${origin} does not tell its status${
          answer.status === undefined ? "" : ` (it answers ${answer.status})`
        }.`,
        "authai-relay logs",
      );
    case "status":
      return relay.version === version ? check.pass(`Answers at ${origin}.`) : check.warn(
        `The relay at ${origin} has version ${relay.version}, this command ${version}.`,
        "Stop it (Ctrl+C where it runs), then: authai-relay serve",
      );
  }
}
