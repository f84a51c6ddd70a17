/**
 * Builds and runs the image without Docker: does what the Dockerfile says in a clean directory, as root as a builder would,
 * and then starts the entry point as the image's user. What only an engine can show (the base image, isolation) is not
 * shown here.
 */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const context = fileURLToPath(new URL("../..", import.meta.url));
const isRoot = Deno.uid() === 0;

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

function parseDockerfile(text: string): Instruction[] {
  const lines = text.replace(/^#.*\n/gm, "").replace(/\\\n\s*/g, "").split("\n").filter((line) =>
    line !== ""
  );
  return lines.map((line) => {
    const [, name = "", rest = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    return { name, rest };
  });
}

/** A stage of the build, its file system below `root`. */
interface Stage {
  readonly root: string;
  readonly env: Record<string, string>;
  workdir: string;
  user: string;
  entrypoint: string[];
  command: string[];
  healthcheck: string[];
}

/** The paths of the image that occur in the Dockerfile, moved below the root of the stage. */
function inRoot(stage: Stage, text: string): string {
  return text.replace(
    /(^|[\s=])(\/(?:app|data|deno-dir)\b)/g,
    (_, before, path) => `${before}${stage.root}${path}`,
  );
}

async function run(command: string, args: string[], options: Deno.CommandOptions = {}): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, ...options }).output();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`);
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  await run("cp", ["-R", from, to]);
}

/** What the builder is sent: .dockerignore leaves out everything and takes single names back in. */
async function sentNames(): Promise<string[]> {
  const lines = (await Deno.readTextFile(join(context, ".dockerignore"))).split("\n");
  const rules = lines.filter((line) => line !== "" && !line.startsWith("#"));
  assert.equal(rules[0], "*");
  assert.ok(rules.slice(1).every((rule) => /^![\w.]+$/.test(rule)), "a rule that this test does not know");
  return rules.slice(1).map((rule) => rule.slice(1));
}

async function build(dir: string, path: string): Promise<Stage> {
  const stages = new Map<string, Stage>();
  const sent = await sentNames();
  let stage: Stage | undefined;
  for (const { name, rest } of parseDockerfile(await Deno.readTextFile(join(context, "Dockerfile")))) {
    if (name === "FROM") {
      const [, base = "", alias] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
      assert.match(base, /^denoland\/deno:\d+\.\d+\.\d+(@sha256:[0-9a-f]{64})?$/, "the base is not pinned");
      const root = join(dir, alias ?? "image");
      await Deno.mkdir(root);
      stage = {
        root,
        env: { PATH: path },
        workdir: "/",
        user: "0:0",
        entrypoint: [],
        command: [],
        healthcheck: [],
      };
      stages.set(alias ?? "image", stage);
      continue;
    }
    assert.ok(stage !== undefined);
    switch (name) {
      case "ENV":
        for (const [, key = "", value = ""] of rest.matchAll(/(\w+)=(\S+)/g)) {
          stage.env[key] = inRoot(stage, value);
        }
        break;
      case "WORKDIR":
        stage.workdir = rest;
        await Deno.mkdir(stage.root + rest, { recursive: true });
        break;
      case "COPY": {
        const [, alias, words = ""] = /^(?:--from=(\S+) )?(.*)$/.exec(rest) ?? [];
        const names = words.split(" ");
        const target = names.pop() ?? "";
        const from = alias === undefined ? undefined : stages.get(alias);
        for (const source of names) {
          if (from !== undefined) {
            await copy(from.root + source, stage.root + target);
          } else {
            assert.ok(sent.includes(source), `${source} is not sent to the builder`);
            await copy(join(context, source), join(stage.root, stage.workdir, target));
          }
        }
        break;
      }
      case "RUN":
        await run("sh", ["-euc", inRoot(stage, rest)], { cwd: stage.root + stage.workdir, env: stage.env });
        break;
      case "USER":
        stage.user = rest;
        break;
      case "HEALTHCHECK":
        stage.healthcheck = JSON.parse(rest.replace(/^.*? CMD /, ""));
        break;
      case "ENTRYPOINT":
        stage.entrypoint = JSON.parse(rest);
        break;
      case "CMD":
        stage.command = JSON.parse(rest);
        break;
      default:
        assert.ok(["VOLUME", "EXPOSE"].includes(name), `${name} is not known here`);
    }
  }
  assert.ok(stage !== undefined);
  return stage;
}

/** A command inside the image, as its user and with its environment only. */
function inside(stage: Stage, words: readonly string[], env: Record<string, string>): Deno.Command {
  const [uid, gid] = stage.user.split(":");
  return new Deno.Command("setpriv", {
    args: [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", ...words.map((word) => inRoot(stage, word))],
    cwd: stage.root + stage.workdir,
    clearEnv: true,
    env: { ...stage.env, ...env },
    stdout: "piped",
    stderr: "piped",
  });
}

/** True as soon as the text of the stream matches, false when it has ended before. */
async function firstMatch(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  pattern: RegExp,
): Promise<boolean> {
  let text = "";
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    text += value ?? "";
    if (pattern.test(text)) return true;
    if (done) return false;
  }
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

Deno.test({
  name: `the image builds, runs as an ordinary user and is healthy${isRoot ? "" : " (skipped: needs root)"}`,
  ignore: !isRoot,
  async fn() {
    const dir = await Deno.makeTempDir();
    try {
      await Deno.chmod(dir, 0o755);
      // The base image brings Deno; everyone may run this copy, wherever the original is.
      await copy(Deno.execPath(), join(dir, "bin", "deno"));
      const image = await build(dir, `${join(dir, "bin")}:/usr/bin:/bin`);
      await checkFiles(image);
      await checkRun(image);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  },
});

async function checkFiles(image: Stage): Promise<void> {
  const names = (await Array.fromAsync(Deno.readDir(join(image.root, "app")))).map(({ name }) => name);
  assert.deepEqual(names.sort(), ["deno.json", "deno.lock", "src"]);
  const { uid, mode } = await Deno.stat(join(image.root, "data"));
  assert.notEqual(uid, 0);
  assert.equal(image.user.split(":")[0], String(uid));
  assert.equal((mode ?? 0) & 0o777, 0o700);
  for (const path of ["app/src/main.ts", "deno-dir"]) {
    const stat = await Deno.stat(join(image.root, path));
    assert.equal(stat.uid, 0, path);
    assert.equal((stat.mode ?? 0) & 0o022, 0, path);
  }
}

async function checkRun(image: Stage): Promise<void> {
  const env = { AUTH_AI_HOST: "127.0.0.1", AUTH_AI_PORT: String(freePort()) };
  const healthy = async () => (await inside(image, image.healthcheck, env).output()).success;
  assert.equal(await healthy(), false);
  const relay = inside(image, [...image.entrypoint, ...image.command], env).spawn();
  const errors = new Response(relay.stderr).text();
  let running = true;
  relay.status.then(() => running = false);
  try {
    const started = await firstMatch(relay.stdout, /listens/);
    assert.ok(started, started ? "" : await errors);
    assert.equal(await healthy(), true);
    const secrets = await Deno.stat(join(image.root, "data", "secrets.toml"));
    assert.equal(String(secrets.uid), image.user.split(":")[0]);
    assert.equal((secrets.mode ?? 0) & 0o777, 0o600);
    relay.kill("SIGTERM");
    assert.equal((await relay.status).code, 0, await errors);
    assert.equal(await healthy(), false);
  } finally {
    if (running) relay.kill("SIGKILL");
    await errors;
  }
}
