/**
 * The real Codex CLI (`npm:@openai/codex`, a binary of 300 MB) does a job through the relay: `deno task test:codex`.
 *
 * What version 0.169.0 sends, as seen here:
 * - `POST /v1/responses` with `stream: true`, `store: false`, `include: ["reasoning.encrypted_content"]`,
 *   `prompt_cache_key` (the session's UUID), `client_metadata`, `tool_choice: "auto"`, `parallel_tool_calls`, `reasoning`,
 *   `text.verbosity`; no `instructions` (they are a developer message), no `previous_response_id`: every request carries
 *   the whole conversation, items with their ids, reasoning with its ciphertext and `content: null`.
 * - Tools: functions (`exec_command`, `write_stdin`, ...), the custom tool `apply_patch` where the CLI knows the model,
 *   `web_search`, `tool_search`; a `namespace` of functions for models that it does not know. For `gpt-5.6-*` the tools
 *   are an item of the input, `additional_tools` (Responses-Lite), and a header says so.
 * - Headers `session-id`, `thread-id`, `x-client-request-id`, `x-codex-...`. Bodies are not compressed.
 * - No `GET /v1/models`: the catalogue is inside the binary.
 * - With `openai_base_url` (or `supports_websockets`) a WebSocket handshake at `GET /v1/responses` comes first, and each
 *   item has a member `internal_chat_message_metadata_passthrough`. Measured answers to the handshake: 426 makes the CLI
 *   use HTTP at once; after 401, 403, 404, 405 and 501 it tries six times more within six seconds; 400 ends the turn.
 */
import assert from "node:assert/strict";
import type { ProviderId } from "../../src/provider/provider.ts";
import { faultsInMidStream } from "./model_cases.ts";
import { type Rig, startRig } from "./rig.ts";

const codexPackage = "npm:@openai/codex@0.169.0";

/** No run takes longer than seconds; a CLI that waits for something shall fail the test instead of holding it up. */
const giveUpAfterMs = 120_000;

const patch = "*** Begin Patch\n*** Add File: patched.txt\n+from the patch\n*** End Patch\n";
const shellCall = `exec_command with ${JSON.stringify({ cmd: "echo from the shell | tee shell.txt" })}`;
const patchCall = `apply_patch with ${JSON.stringify(patch)}`;

/** The files that the job leaves behind. The CLI offers its patch tool only to models that it knows. */
const jobs: readonly {
  readonly provider: ProviderId;
  readonly model: string;
  readonly prompt: string;
  readonly files: Readonly<Record<string, string>>;
}[] = [
  {
    provider: "openai",
    model: "gpt-5.5",
    prompt: `Use ${shellCall}, after that ${patchCall}`,
    files: { "shell.txt": "from the shell\n", "patched.txt": "from the patch\n" },
  },
  ...([["xai", "grok-4.5"], ["github", "gpt-5.3-codex"], ["github", "claude-sonnet-4.6"]] as const).map(
    ([provider, model]) => ({
      provider,
      model,
      prompt: `Use ${shellCall}`,
      files: { "shell.txt": "from the shell\n" },
    }),
  ),
];

for (const { provider, model, prompt, files } of jobs) {
  Deno.test(`codex exec does its job with ${model} on ${provider}, and goes on when resumed`, async () => {
    await using bench = await startBench(provider);
    const done = await bench.codex({ config: bench.ownProvider(), model, args: [prompt] });
    done.succeeded();
    for (const [name, content] of Object.entries(files)) {
      assert.equal(await Deno.readTextFile(`${bench.workDir}/${name}`), content);
    }
    assert.match(done.said, /exec_command said: [\s\S]*from the shell/);
    // One call of the model per step, and nothing tried twice.
    assert.equal(bench.seen.splice(0).join("\n"), Array(Object.keys(files).length + 1).fill(call).join("\n"));

    const resumed = await bench.codex({
      config: bench.ownProvider(),
      model,
      args: ["resume", "--last", "Say hello"],
    });
    resumed.succeeded();
    assert.match(resumed.said, /You said: "Say hello"/);
    assert.deepEqual(bench.seen, [call]);
  });
}

Deno.test("codex exec uses HTTP at once when its WebSocket handshake is refused", async () => {
  await using bench = await startBench("openai");
  const done = await bench.codex({
    config: `openai_base_url = "${bench.rig.origin}/v1"`,
    model: "gpt-5.5",
    args: [`Use ${shellCall}`],
  });
  done.succeeded();
  assert.equal(await Deno.readTextFile(`${bench.workDir}/shell.txt`), "from the shell\n");
  assert.deepEqual(bench.seen, ["GET /v1/responses websocket 426", call, call]);
});

Deno.test("codex exec speaks Responses-Lite through the relay", async () => {
  await using bench = await startBench("openai");
  const done = await bench.codex({ config: bench.ownProvider(), model: "gpt-5.6-sol", args: ["Say hello"] });
  done.succeeded();
  assert.match(done.said, /You said: "Say hello"/);
  const [sent] = bench.rig.sandbox.control.requests({ upstream: "chatgpt", on: "call" });
  assert.equal(sent?.headers["x-openai-internal-codex-responses-lite"], "true");
  assert.match(sent?.body ?? "", /"type":"additional_tools"/);
});

Deno.test("codex exec fails when the upstream does, and repeats what may be repeated", async () => {
  await using bench = await startBench("openai");
  for (const kind of faultsInMidStream) {
    bench.rig.sandbox.control.addFault({ upstream: "chatgpt", on: "call", kind });
    const once = await bench.codex({
      config: bench.ownProvider("stream_max_retries = 0\nrequest_max_retries = 0"),
      model: "gpt-5.5",
      args: ["Count to 30"],
    });
    assert.notEqual(once.code, 0, kind.type);
    assert.ok(once.types.includes("turn.failed") && !once.types.includes("turn.completed"), kind.type);

    bench.rig.sandbox.control.addFault({ upstream: "chatgpt", on: "call", kind });
    const again = await bench.codex({ config: bench.ownProvider(), model: "gpt-5.5", args: ["Count to 30"] });
    assert.equal(again.code, 0, `${kind.type}: ${again.log}`);
    assert.match(again.said, /29 30$/);
  }
});

/** How a call of a model is written down. */
const call = "POST /v1/responses 200";

/** A relay in front of the sandbox, somebody who is signed in, and the folders of a CLI. */
async function startBench(provider: ProviderId) {
  const seen: string[] = [];
  const rig: Rig = await startRig({
    relay: {
      middleware: [async (context, next) => {
        await next();
        const { method, path, raw } = context.req;
        const upgrade = raw.headers.get("upgrade");
        if (path.startsWith("/v1")) {
          seen.push([method, path, ...(upgrade === null ? [] : [upgrade]), context.res.status].join(" "));
        }
      }],
    },
  });
  const token = await rig.signIn(provider);
  const homeDir = await Deno.makeTempDir({ prefix: "codex-home-" });
  const workDir = await Deno.makeTempDir({ prefix: "codex-work-" });

  /** Settings that make the relay a model provider of its own. */
  function ownProvider(members = ""): string {
    return `model_provider = "relay"
[model_providers.relay]
name = "Relay"
base_url = "${rig.origin}/v1"
wire_api = "responses"
env_key = "CODEX_API_KEY"
${members}`;
  }

  /** Runs `codex exec`. */
  async function codex(run: { config: string; model: string; args: string[] }): Promise<Outcome> {
    await Deno.writeTextFile(
      `${homeDir}/config.toml`,
      `model = "${run.model}"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
analytics.enabled = false
${run.config}`,
    );
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "-q", "--no-config", "--no-lock", codexPackage],
        ...["exec", "--skip-git-repo-check", "--json", ...run.args],
      ],
      cwd: workDir,
      env: { CODEX_HOME: homeDir, CODEX_API_KEY: token, NO_PROXY: "127.0.0.1", RUST_LOG: "error" },
      stdin: "null",
      signal: AbortSignal.timeout(giveUpAfterMs),
    }).output();
    return outcomeOf(code, new TextDecoder().decode(stdout), new TextDecoder().decode(stderr));
  }

  return {
    rig,
    /** The requests that reached the relay, as `METHOD path STATUS`. */
    seen,
    workDir,
    ownProvider,
    codex,
    async [Symbol.asyncDispose](): Promise<void> {
      await rig[Symbol.asyncDispose]();
      await Deno.remove(homeDir, { recursive: true });
      await Deno.remove(workDir, { recursive: true });
    },
  };
}

/** How a run ended. */
interface Outcome {
  readonly code: number;
  /** The types of the events that the CLI prints, in order. */
  readonly types: readonly string[];
  /** What the model said, its messages joined. */
  readonly said: string;
  /** Everything that was printed, for messages of failed assertions. */
  readonly log: string;
  /** Asserts that the job was done without a second try. */
  succeeded(): void;
}

function outcomeOf(code: number, stdout: string, stderr: string): Outcome {
  const events = stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  const items = events.flatMap((event) => event.type === "item.completed" ? [event.item] : []);
  const types: string[] = events.map((event) => event.type);
  const log = `${stdout}\n${stderr}`;
  return {
    code,
    types,
    said: items.filter((item) => item.type === "agent_message").map((item) => item.text).join("\n"),
    log,
    succeeded(): void {
      assert.equal(code, 0, log);
      assert.ok(types.includes("turn.completed"), log);
      assert.ok(!types.includes("error"), log);
      const commands = items.filter((item) => item.type === "command_execution");
      assert.ok(commands.every((command) => command.exit_code === 0), log);
    },
  };
}
