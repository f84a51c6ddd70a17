/**
 * `authai-relay serve`: the relay for the real providers.
 *
 * @module
 */
import { settings } from "../config.ts";
import type { RelayConfig } from "../config_load.ts";
import { precedence, renderHelp } from "../config_text.ts";
import { openOwnerSessions } from "../credential/owner_sessions.ts";
import { version } from "../version.ts";
import type { Flags } from "./arguments.ts";
import { type CliProcess, type Command, exitCode } from "./command.ts";
import { configure, type Configured, load, makeMissing, waysOn } from "./configure.ts";
import { runRelay } from "./relay.ts";
import { readRelayCredential, sourceText } from "./relay_credential.ts";
import { settingFlags } from "./setting_flags.ts";
import { bold, columns, dim, printProblems, styled, type Terminal } from "./terminal.ts";

/** Runs the relay until SIGINT or SIGTERM. */
export const serveCommand: Command = Object.freeze<Command>({
  name: "serve",
  summary: "Run the relay. This is what happens when no command is given.",
  flags: [
    { name: "init", description: "First make the secrets that are not set, in the data directory." },
    ...settingFlags(["config", "data-dir", "host", "port", "bearer-token-file", "no-auth"]),
  ],
  details: () => `Settings (${precedence})\n\n${renderHelp()}`,
  async run(flags, process) {
    const configured = await configureToServe(flags, process);
    if (configured.kind === "exit") return configured.code;
    const { config } = configured;
    const personal = config.halves.personal ? await personalText(config, process.terminal) : undefined;
    return await runRelay(config, process, (origin) => announce(config, origin, personal, process.terminal));
  },
});

/** Settings with which at least one half works; the user was told what is missing otherwise. */
async function configureToServe(flags: Flags, process: CliProcess): Promise<Configured> {
  const init = flags["init"] !== undefined;
  const configured = await configure(flags, process, { init, warn: true });
  if (configured.kind === "exit") return configured;
  const { config } = configured;
  const { halves, relayToken, storage } = config;
  if (relayToken.named && !relayToken.present && relayToken.required) {
    printProblems(process.terminal, [
      `${relayToken.path} does not exist, and the settings name it as the token file.`,
    ], "authai-relay init");
    return { kind: "exit", code: exitCode.usage };
  }
  if (halves.app || halves.personal) return configured;
  if (!init) {
    printProblems(
      process.terminal,
      ["Nobody could use this relay: it has neither a relay token nor an app's name."],
      waysOn,
    );
    return { kind: "exit", code: exitCode.usage };
  }
  const code = await makeMissing(storage.dataDir, [settings.originator], process);
  if (code !== exitCode.ok) return { kind: "exit", code };
  const outcome = await load(flags, process);
  if (outcome.kind === "config") return outcome;
  throw new Error("The settings changed while the relay was starting. Start it again.");
}

function announce(
  { halves, originator, storage }: RelayConfig,
  origin: string,
  personal: { readonly access: string; readonly next: string } | undefined,
  terminal: Terminal,
): void {
  terminal.out(bold(terminal, `authai-relay ${version}`));
  const app = halves.app ? [["app", originator]] : [];
  const owner = personal === undefined ? [] : [["personal", personal.access]];
  for (const line of columns([["listens", origin], ...app, ...owner, ["data", storage.dataDir]])) {
    terminal.out(line);
  }
  if (halves.app) terminal.out(`Users sign in at ${origin}/sign-in; an OpenAI client takes ${origin}/v1.`);
  if (personal !== undefined) terminal.out(`Your tools take ${origin}/v1; ${personal.next}`);
  terminal.out("Ctrl+C stops.");
}

/** How the owner's tools get in, and what the owner does next. */
async function personalText(
  config: RelayConfig,
  terminal: Terminal,
): Promise<{ readonly access: string; readonly next: string }> {
  const credential = await readRelayCredential(config);
  const access = credential.kind === "token"
    ? `${sourceText(credential.from)} ${dim(terminal, `(${credential.fingerprint})`)}`
    : styled(terminal, "yellow", "asks for no token");
  // A damaged file of logins is told with each call, and by doctor; the app's users need not wait for that.
  const signedIn = await openOwnerSessions(config.storage.dataDir).read().then(
    ({ sessions }) => sessions.size > 0,
    () => true,
  );
  if (!signedIn) return { access, next: "first sign in with `authai-relay login`." };
  return {
    access,
    next: credential.kind === "token"
      ? "`authai-relay token show` prints their API key."
      : "any API key will do.",
  };
}
