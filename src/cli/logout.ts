/**
 * `authai-relay logout`: ends the owner's logins, here and at the provider.
 *
 * @module
 */
import { type Command, exitCode } from "./command.ts";
import { configure } from "./configure.ts";
import { type Login, readLogins, revokeLogin, withOwnerAccess } from "./owner_access.ts";
import { providerOf, providerWord } from "./provider_word.ts";
import { settingFlags } from "./setting_flags.ts";
import { printProblems } from "./terminal.ts";

/** Revokes logins and forgets them. A running relay refuses their models at once. */
export const logoutCommand: Command = Object.freeze<Command>({
  name: "logout",
  summary: "Sign out: end a login here and at the provider.",
  word: providerWord,
  flags: [
    { name: "all", description: "End every login." },
    ...settingFlags(["config", "data-dir"]),
  ],
  details: () => "Without a provider it is the one that you are signed in to, when there is only one.",
  async run(flags, process, [word]) {
    const { terminal } = process;
    const all = flags["all"] !== undefined;
    if (all && word !== undefined) {
      printProblems(terminal, ["--all and a provider cannot both be meant."], "authai-relay help logout");
      return exitCode.usage;
    }
    const configured = await configure(flags, process);
    if (configured.kind === "exit") return configured.code;
    return await withOwnerAccess(configured.config, process, async (access) => {
      const asked = word === undefined ? undefined : providerOf(word, access.providers);
      if (typeof asked === "string") {
        printProblems(terminal, [asked]);
        return exitCode.usage;
      }
      const logins = (await readLogins(access)).filter(({ kind, provider }) =>
        kind !== "signed_out" && (asked === undefined || provider === asked)
      );
      const [first] = logins;
      if (first === undefined) {
        terminal.out(`You are not signed in${asked === undefined ? "" : ` to ${asked.displayName}`}.`);
        return exitCode.ok;
      }
      if (logins.length > 1 && !all) {
        printProblems(
          terminal,
          [`You are signed in to ${logins.map(nameOf).join(" and ")}. Say which login to end, or --all.`],
          `authai-relay logout ${first.provider.id}`,
        );
        return exitCode.usage;
      }
      for (const login of logins) {
        // Revoked before it is forgotten: who is interrupted in between can do it again.
        await revokeLogin(login, access);
        await access.logins.change(({ sessions }) => {
          // A login that came in between is another one.
          if (login.kind !== "signed_out" && sessions.get(login.provider.id) === login.jwt) {
            sessions.delete(login.provider.id);
          }
        });
        terminal.out(`You are signed out of ${nameOf(login)}.`);
      }
      return exitCode.ok;
    });
  },
});

function nameOf({ provider }: Login): string {
  return provider.displayName;
}
