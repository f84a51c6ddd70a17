/**
 * Where the events of a running relay go: trouble to standard error, everything to the traffic log.
 *
 * @module
 */
import type { RelayConfig } from "../config_load.ts";
import type { Observe } from "../traffic/observe.ts";
import { openTrafficLog } from "../traffic/traffic_log.ts";
import type { CliProcess } from "./command.ts";
import { eventLine } from "./event_line.ts";
import { styled } from "./terminal.ts";

/** An observer that keeps what it is told. */
export interface Observer {
  readonly observe: Observe;
  /** Resolves when the log is written. What is observed later is written when the process ends. */
  close(): Promise<void>;
}

/** Opens the log of the settings, unless they turn it off. However the process ends by itself, the log has its last lines. */
export function openObserver(settings: RelayConfig["log"], process: CliProcess): Observer {
  const { terminal, now } = process;
  const tell: Observe = (event) => {
    const line = eventLine(event, now());
    if (line !== undefined) terminal.err(line);
  };
  if (!settings.enabled) return { observe: tell, close: () => Promise.resolve() };
  const log = openTrafficLog({
    dir: settings.dir,
    retentionDays: settings.retentionDays,
    maxBytes: settings.maxTotalBytes,
    now,
    warn: (sentence) => terminal.err(`${styled(terminal, "yellow", "warning")}  ${sentence}`),
  });
  process.onExit(() => log.flushSync());
  return {
    observe(event) {
      tell(event);
      log.observe(event);
    },
    close: () => log.close(),
  };
}
