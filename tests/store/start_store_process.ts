/**
 * Starts other Deno processes on a test's files, for the promises that only another process can test.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readLines } from "./lines.ts";

/** A process that waits for commands. */
export interface StoreProcess {
  /** Has the process do one command of store_process.ts; what it answers. */
  ask(command: string, path: string, id?: string, times?: number): Promise<unknown>;
  /** `kill -9`; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Ends the process in the ordinary way; it must not have failed. */
  end(): Promise<void>;
}

/** Starts a process that may touch nothing but `folder`, and waits until it is ready. */
export async function startStoreProcess(folder: string): Promise<StoreProcess> {
  const program = new URL("./store_process.ts", import.meta.url);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-config",
      "--no-lock",
      "--unstable-kv",
      `--allow-read=${folder}`,
      `--allow-write=${folder}`,
      program.href,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = child.stdin.getWriter();
  const output = readLines(child.stdout);
  const answer = async (): Promise<unknown> => {
    const { value, done } = await output.next();
    if (done) throw new Error("The process ended without an answer.");
    return JSON.parse(value);
  };
  assert.equal(await answer(), "ready");
  return {
    async ask(...command) {
      await input.write(new TextEncoder().encode(JSON.stringify(command) + "\n"));
      return await answer();
    },
    async kill() {
      child.kill("SIGKILL");
      await child.status;
      await input.abort();
      await output.return();
    },
    async end() {
      await input.close();
      const { done } = await output.next();
      assert.equal(done, true);
      assert.equal((await child.status).code, 0);
    },
  };
}

/** Runs `test` with `count` processes on an empty temporary folder, and removes all of it afterwards. */
export async function withStoreProcesses(
  count: number,
  test: (folder: string, processes: readonly StoreProcess[]) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const processes = await Promise.all(Array.from({ length: count }, () => startStoreProcess(folder)));
    await test(folder, processes);
    await Promise.all(processes.map((process) => process.end()));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
