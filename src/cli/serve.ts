/**
 * `authai-relay serve`: the relay for the real providers.
 *
 * @module
 */
import { precedence, renderHelp } from "../config_text.ts";
import { version } from "../version.ts";
import type { Command } from "./command.ts";
import { configure } from "./configure.ts";
import { runRelay } from "./relay.ts";
import { settingFlags } from "./setting_flags.ts";
import { bold, columns } from "./terminal.ts";

/** Runs the relay until SIGINT or SIGTERM. */
export const serveCommand: Command = Object.freeze<Command>({
  name: "serve",
  summary: "Run the relay. This is what happens when no command is given.",
  flags: [
    { name: "init", description: "First make the secrets that are not set, in the data directory." },
    ...settingFlags(["config", "data-dir", "host", "port"]),
  ],
  details: () => `Settings (${precedence})\n\n${renderHelp()}`,
  async run(flags, process) {
    const configured = await configure(flags, process, flags["init"] !== undefined);
    if (configured.kind === "exit") return configured.code;
    const { config } = configured;
    const { terminal } = process;
    return await runRelay(config, process, (origin) => {
      terminal.out(bold(terminal, `authai-relay ${version}`));
      for (
        const line of columns([
          ["listens", origin],
          ["app", config.originator],
          ["data", config.storage.dataDir],
        ])
      ) terminal.out(line);
      terminal.out(`Sign in at ${origin}/sign-in, and point an OpenAI client at ${origin}/v1. Ctrl+C stops.`);
    });
  },
});
