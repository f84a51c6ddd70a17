/**
 * The README's first screen, run as it stands: one command in one terminal, one pasted block in another. `npx` itself is
 * left out, because it would put a process in between that forwards no signals: the same Deno runs the same task.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

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
    const printed = await readUntil(sandbox.stdout, "Ctrl+C stops.");
    assert.ok(printed.includes(paste), `The README's block is not the one that is printed:\n${printed}`);
    const terminal = await new Deno.Command("bash", { args: ["-c", paste], stdout: "piped", stderr: "piped" })
      .output();
    const [stdout, stderr] = [terminal.stdout, terminal.stderr].map((bytes) =>
      new TextDecoder().decode(bytes)
    );
    assert.ok(terminal.success, stderr);
    const data = (stdout ?? "").split("\n").filter((line) => line.startsWith("data: ")).map((line) =>
      line.slice(6)
    );
    assert.equal(data.at(-1), "[DONE]", stdout);
    const text = data.slice(0, -1).map((line) => JSON.parse(line).choices[0]?.delta.content ?? "").join("");
    assert.equal(text, 'Hello from gpt-5.5! You said: "Say hello.".');
  } finally {
    // The task runs the server as a child of its own: both are in our hands through the signal that Ctrl+C sends.
    sandbox.kill("SIGINT");
    await sandbox.status;
  }
});

async function readUntil(stream: ReadableStream<Uint8Array<ArrayBuffer>>, end: string): Promise<string> {
  let text = "";
  // The pipe stays open: the program goes on writing to it after we have read enough.
  for await (const part of stream.pipeThrough(new TextDecoderStream()).values({ preventCancel: true })) {
    text += part;
    if (text.includes(end)) return text;
  }
  throw new Error(`The sandbox ended early:\n${text}`);
}
