/**
 * `authai-relay login`: the owner signs in to a provider on the command line.
 *
 * @module
 */
import { revoke } from "../credential/revoke.ts";
import type { StartResult } from "../credential/sign_in.ts";
import { generateKey } from "../crypto/seal.ts";
import type { Provider } from "../provider/provider.ts";
import type { Observe } from "../traffic/observe.ts";
import { type CliProcess, type Command, exitCode } from "./command.ts";
import { configure } from "./configure.ts";
import { type OwnerAccess, readLogins, revokeLogin, withOwnerAccess } from "./owner_access.ts";
import { providerOf, providerWord } from "./provider_word.ts";
import { findRelay, relayOrigin } from "./running_relay.ts";
import { exitCodeOf, stopSignal } from "./server.ts";
import { settingFlags } from "./setting_flags.ts";
import { bold, columns, printNextSteps, printProblems, styled, type Terminal } from "./terminal.ts";
import { minutesAndSeconds } from "./time_text.ts";
import { waitForSignIn } from "./wait_for_sign_in.ts";

/** Signs in with a device code. The login is kept in the data directory; a running relay uses it at once. */
export const loginCommand: Command = Object.freeze<Command>({
  name: "login",
  summary: "Sign in to ChatGPT, Grok or GitHub Copilot with your own subscription.",
  word: providerWord,
  flags: [
    { name: "replace", description: "Sign in again without asking when there is a login already." },
    ...settingFlags(["config", "data-dir", "host", "port"]),
  ],
  details: () =>
    "Without a provider it is the first one on offer, usually ChatGPT. There is one account for each provider.\n" +
    "The login is kept in owner.json in the data directory; the tokens behind it are sealed in the database.",
  async run(flags, process, [word]) {
    const configured = await configure(flags, process, { init: true });
    if (configured.kind === "exit") return configured.code;
    const { config } = configured;
    const { terminal } = process;
    const trouble: Trouble = { reason: undefined };
    const observe: Observe = (event) => {
      if (event.kind === "sign_in_delayed" || event.kind === "sign_in_failed") trouble.reason = event.reason;
    };
    return await withOwnerAccess(config, process, async (access) => {
      const [first] = access.providers.values();
      const provider = word === undefined ? first : providerOf(word, access.providers);
      if (provider === undefined || typeof provider === "string") {
        printProblems(terminal, [provider ?? "No provider is on offer."]);
        return exitCode.usage;
      }
      const ended = await login(provider, access, process, trouble, flags["replace"] !== undefined);
      if (ended !== "signed_in") return ended;
      const relay = await findRelay(relayOrigin(config.server));
      if (relay.kind === "relay") terminal.out(`The relay at ${relay.origin} uses it from now on.`);
      else printNextSteps(terminal, ["authai-relay serve"]);
      return exitCode.ok;
    }, observe);
  },
});

/** The last trouble at the provider, as a safe code. */
interface Trouble {
  reason: string | undefined;
}

/** Resolves to the exit code when there is no new login. */
async function login(
  provider: Provider,
  access: OwnerAccess,
  process: CliProcess,
  trouble: Trouble,
  replace: boolean,
): Promise<"signed_in" | number> {
  const { terminal } = process;
  const { displayName } = provider;
  const present = (await readLogins(access)).find((candidate) => candidate.provider === provider);
  if (present?.kind === "signed_in" && !replace) {
    const answer = process.confirm(
      `You are signed in to ${displayName} already. Sign in again in its place?`,
    );
    if (answer === undefined) {
      printProblems(
        terminal,
        [`You are signed in to ${displayName} already, and nobody is here to ask.`],
        `authai-relay login ${provider.id} --replace`,
      );
      return exitCode.usage;
    }
    if (!answer) {
      terminal.out("Nothing was changed.");
      return exitCode.ok;
    }
  }
  // From here on Ctrl+C ends the sign-in and not the process.
  const stopped = stopSignal(process);
  const started = await access.signIns.start(provider);
  if (started.kind !== "started") {
    printProblems(terminal, [startFailure(started.kind, displayName, trouble)], "authai-relay doctor");
    return exitCode.failed;
  }
  trouble.reason = undefined;
  await printInstructions(terminal, displayName, started);
  const result = await waitForSignIn({
    poll: () => access.signIns.poll(started.sessionId),
    pollIntervalMs: started.pollIntervalMs,
    endsAtMs: process.now() + started.expiresInMs,
    stopped,
    tell: (leftMs) =>
      terminal.status(
        `  ${
          trouble.reason === undefined
            ? "Waiting for your approval"
            : `${displayName} is in trouble (${trouble.reason}), trying again`
        }, ${minutesAndSeconds(leftMs)} left. Ctrl+C cancels.`,
      ),
    now: process.now,
    timers: process.timers,
  });
  terminal.status(undefined);
  switch (result.kind) {
    case "cancelled":
      // What was approved in the last moment must not stay behind.
      if (result.jwt !== undefined) await revokeUnused(result.jwt, access);
      printProblems(terminal, ["The sign-in was cancelled. Nothing was changed."]);
      return exitCodeOf[result.signal];
    case "expired":
      printProblems(
        terminal,
        ["The code was not approved in time. Nothing was changed."],
        `authai-relay login ${provider.id}`,
      );
      return exitCode.failed;
    case "error":
      printProblems(
        terminal,
        [`${result.message} Nothing was changed.`],
        `authai-relay login ${provider.id}`,
      );
      return exitCode.failed;
    case "complete":
      await access.logins.change((draft) => {
        draft.fileKey ??= generateKey();
        draft.sessions.set(provider.id, result.jwt);
      });
      if (present !== undefined) await revokeLogin(present, access);
      terminal.out(styled(terminal, "green", `You are signed in to ${displayName}.`));
      return "signed_in";
  }
}

async function revokeUnused(jwt: string, { sessions }: OwnerAccess): Promise<void> {
  const opened = await sessions.open(jwt);
  if (opened.kind === "open") await revoke(opened.session, sessions);
}

function startFailure(kind: "full" | "failed", displayName: string, { reason }: Trouble): string {
  if (kind === "full") return "Too many sign-ins are open at the moment. Try again in a few minutes.";
  const cause = reason === undefined ? "" : ` (${reason})`;
  return `${displayName} did not start the sign-in${cause}. Try again in a moment.`;
}

async function printInstructions(
  terminal: Terminal,
  displayName: string,
  { verificationUrl, userCode, expiresInMs }: Extract<StartResult, { readonly kind: "started" }>,
): Promise<void> {
  const code = bold(terminal, userCode);
  const instructions = columns([
    ["1. Open", bold(terminal, verificationUrl)],
    // Some pages get the code with their address, and then show it.
    ["2. " + (verificationUrl.includes(userCode) ? "Compare" : "Enter"), code],
    ["3. Approve", `within ${Math.round(expiresInMs / 60_000)} minutes; the code ends then`],
  ]);
  terminal.out(bold(terminal, `Sign in to ${displayName}`));
  terminal.out("");
  for (const line of instructions) terminal.out(line);
  // Loaded here and not above: a relay that serves draws nothing.
  const { drawQrCode } = await import("./qr_drawing.ts");
  // A drawing without its own colours is inverted on half of all screens, and cameras do not read that.
  const drawing = terminal.colors ? drawQrCode(verificationUrl) : undefined;
  if (drawing !== undefined) terminal.out("");
  for (const line of drawing ?? []) terminal.out(`  ${line}`);
  terminal.out("");
}
