/**
 * The command line of a personal relay in front of a sandbox: a data directory of its own, and a clock that leaps over every
 * wait.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Timers } from "../../src/app/timers.ts";
import { runCli } from "../../src/cli/cli.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { identitySecret, jwtSecret } from "../e2e/rig.ts";
import { type Person, type RecordingProcess, recordingProcess } from "./recording_process.ts";

/** What the person does when a code is shown. */
export type Decision = (userCode: string, process: RecordingProcess) => void;

/** How a command ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly process: RecordingProcess;
}

/** A clock whose timers need no time: each wait moves it. */
export class LeapingClock implements Timers {
  /** Begins with the real time: a relay that runs beside the commands has no other. */
  nowMs: number = Math.floor(Date.now() / 1000) * 1000;
  readonly #repeated = new Set<
    { readonly intervalMs: number; nextAtMs: number; readonly callback: () => void }
  >();

  readonly now = (): number => this.nowMs;

  after(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(() => {
      const endMs = this.nowMs + delayMs;
      for (;;) {
        const due = [...this.#repeated].filter(({ nextAtMs }) => nextAtMs <= endMs);
        const [next] = due.sort((a, b) => a.nextAtMs - b.nextAtMs);
        if (next === undefined) break;
        this.nowMs = next.nextAtMs;
        next.nextAtMs += next.intervalMs;
        next.callback();
      }
      this.nowMs = endMs;
      callback();
    }, 0);
    return () => clearTimeout(timer);
  }

  every(intervalMs: number, callback: () => void): () => void {
    const entry = { intervalMs, nextAtMs: this.nowMs + intervalMs, callback };
    this.#repeated.add(entry);
    return () => void this.#repeated.delete(entry);
  }
}

/** A personal relay's files and the simulated providers. */
export interface OwnerRig extends AsyncDisposable {
  readonly clock: LeapingClock;
  readonly sandbox: Sandbox;
  readonly dataDir: string;
  /** A port that was free a moment ago; the settings name it as the relay's. */
  readonly port: number;
  readonly environment: Record<string, string>;
  /** Runs `authai-relay ...args`. By default nobody is at the terminal, and codes are approved by `ada`. */
  run(args: readonly string[], person?: Person, decide?: Decision): Promise<Ran>;
  /** Starts a command that goes on until it is told to stop. */
  start(args: readonly string[]): { readonly process: RecordingProcess; readonly ended: Promise<number> };
  /** Runs a relay with the rig's settings while `use` runs. Its clock is the real one. */
  beside<T>(use: () => Promise<T>): Promise<T>;
  /** Approves a code. */
  approve(userCode: string, user?: string): void;
}

/** Starts the rig, with a relay token and without a login; stop it with `await using`. */
export async function startOwnerRig(): Promise<OwnerRig> {
  const clock = new LeapingClock();
  const dir = await Deno.makeTempDir();
  const dataDir = join(dir, "data");
  const sandbox = await startSandbox({ port: 0, now: clock.now, pollIntervalSeconds: 5 });
  const port = freePort();
  const environment: Record<string, string> = {
    ...sandbox.settings,
    AUTH_AI_JWT_SECRET: jwtSecret,
    AUTH_AI_IDENTITY_SECRET: identitySecret,
    AUTH_AI_DATA_DIR: dataDir,
    AUTH_AI_PORT: String(port),
    AUTH_AI_BEARER_TOKEN: "canary-relay-token-0123456789",
    AUTH_AI_SHUTDOWN_GRACE_SECONDS: "1",
  };
  const start: OwnerRig["start"] = (args) => {
    const process = recordingProcess(environment);
    return { process, ended: runCli(args, process) };
  };
  const approve = (userCode: string, user = "ada") => {
    assert.deepEqual(sandbox.control.approve(userCode, user), { kind: "done" });
  };
  return {
    clock,
    sandbox,
    dataDir,
    port,
    environment,
    approve,
    async run(args, person = {}, decide = (userCode) => approve(userCode)) {
      const recording = recordingProcess(environment, {
        clock: { now: clock.now, timers: clock },
        ...person,
      });
      const process: RecordingProcess = {
        ...recording,
        terminal: {
          ...recording.terminal,
          out(line) {
            recording.terminal.out(line);
            const [, userCode] = /(?:Enter|Compare) .*?([0-9A-Z]{4}-[0-9A-Z]{4,})/.exec(line) ?? [];
            if (userCode !== undefined) decide(userCode, process);
          },
        },
      };
      const code = await runCli(args, process);
      return { code, out: recording.out.join("\n"), err: recording.err.join("\n"), process };
    },
    start,
    async beside(use) {
      const { process, ended } = start(["serve"]);
      try {
        while (!process.out.some((line) => /listens/.test(line))) {
          const over = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 0))]);
          assert.equal(over, undefined, process.err.join("\n"));
        }
        return await use();
      } finally {
        process.signal("SIGTERM");
        await ended;
      }
    },
    async [Symbol.asyncDispose]() {
      await sandbox.shutdown();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
