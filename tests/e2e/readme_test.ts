/**
 * The README's shell blocks, run as they stand: one terminal with what goes on running, one with the block that is pasted
 * into a second. `npx` itself is left out, because it would put a process in between that forwards no signals: the same
 * Deno runs the same task.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { withProject } from "../cli/spawned_relay.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const npx = "npx -y deno@2.9.6 ";

/** The shell blocks of the README, in order. */
async function shellBlocks(): Promise<string[]> {
  const text = await Deno.readTextFile(`${root}/README.md`);
  return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? "");
}

Deno.test("the README's first two blocks start the sandbox, sign in and stream an answer", async () => {
  const [command = "", paste = ""] = await shellBlocks();
  assert.ok(command.startsWith(npx), command);
  const sandbox = new Deno.Command(Deno.execPath(), {
    args: command.slice(npx.length).trim().split(" "),
    cwd: root,
    stdout: "piped",
    stderr: "null",
  }).spawn();
  try {
    const printed = await readUntil(sandbox.stdout.pipeThrough(new TextDecoderStream()), "Ctrl+C stops.");
    assert.ok(printed.includes(paste), `The README's block is not the one that is printed:\n${printed}`);
    const terminal = await new Deno.Command("bash", { args: ["-c", paste], stdout: "piped", stderr: "piped" })
      .output();
    const [stdout, stderr] = [terminal.stdout, terminal.stderr].map((bytes) =>
      new TextDecoder().decode(bytes)
    );
    assert.ok(terminal.success, stderr);
    assertHello(stdout ?? "");
  } finally {
    // The task runs the server as a child of its own: both are in our hands through the signal that Ctrl+C sends.
    sandbox.kill("SIGINT");
    await sandbox.status;
  }
});

Deno.test("the README's blocks for a personal relay sign in, serve, and stream an answer", async () => {
  const blocks = await shellBlocks();
  const at = blocks.findIndex((block) => block.startsWith("authai-relay() {"));
  const [setUp = "", use = ""] = blocks.slice(at);
  const sandbox = await startSandbox({ port: 0, pollIntervalSeconds: 1 });
  try {
    await withProject(async ({ dir }) => {
      const pidFile = join(dir, "pid");
      const terminal = (script: string) =>
        new Deno.Command("bash", {
          args: [
            "-c",
            `npx() { (echo $BASHPID >'${pidFile}'; shift 2; exec '${Deno.execPath()}' "$@"); }\n${script}`,
          ],
          cwd: dir,
          env: sandbox.settings,
          stdout: "piped",
          stderr: "piped",
        });
      const first = terminal(setUp).spawn();
      const errors = new Response(first.stderr).text();
      const shown = first.stdout.pipeThrough(new TextDecoderStream());
      try {
        const [, code = ""] = /2\. Enter +(\S+)/.exec(await readUntil(shown, "3. Approve")) ?? [];
        assert.deepEqual(sandbox.control.approve(code, "ada"), { kind: "done" });
        await readUntil(shown, "Ctrl+C stops.");
        const { stdout } = await terminal(use).output();
        assertHello(new TextDecoder().decode(stdout));
      } finally {
        Deno.kill(Number(await Deno.readTextFile(pidFile)), "SIGINT");
        const { code } = await first.status;
        await shown.cancel();
        assert.deepEqual([code, (await errors).replace(/^Stopping\. .*\nStopped\.\n/m, "")], [0, ""]);
      }
    });
  } finally {
    await sandbox.shutdown();
  }
});

/** Judges the streamed chat completion that both second terminals show. */
function assertHello(stdout: string): void {
  const data = stdout.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
  assert.equal(data.at(-1), "[DONE]", stdout);
  const text = data.slice(0, -1).map((line) => JSON.parse(line).choices[0]?.delta.content ?? "").join("");
  assert.equal(text, 'Hello from gpt-5.5! You said: "Say hello.".');
}

/** Reads on until `end` has come; what came with this call. */
async function readUntil(stream: ReadableStream<string>, end: string): Promise<string> {
  let text = "";
  // The pipe stays open: the program goes on writing to it after we have read enough.
  for await (const part of stream.values({ preventCancel: true })) {
    text += part;
    if (text.includes(end)) return text;
  }
  throw new Error(`The program ended early:\n${text}`);
}
