/**
 * The program as a process of its own, under the permission sets of deno.json.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A directory with the project's deno.json, lock and src, whose `./data` is its own. */
export interface Project {
  readonly dir: string;
  readonly dataDir: string;
  /** Starts `authai-relay ...args` under a permission set and nothing in the environment but `env`. */
  start(set: "serve" | "sandbox", args: readonly string[], env?: Record<string, string>): SpawnedRelay;
}

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running program. */
export interface SpawnedRelay {
  /** Resolves to the match when standard output matches; rejects with all output when the process ends before. */
  output(pattern: RegExp): Promise<RegExpExecArray>;
  /** As `output`, for standard error. */
  errors(pattern: RegExp): Promise<RegExpExecArray>;
  signal(name: Deno.Signal): void;
  readonly ended: Promise<Ended>;
}

/** Runs `test` in a fresh project; what still runs afterwards is killed. */
export async function withProject(test: (project: Project) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const running = new Set<Deno.ChildProcess>();
  try {
    for (const name of ["deno.json", "deno.lock"]) await Deno.copyFile(join(root, name), join(dir, name));
    await Deno.symlink(join(root, "src"), join(dir, "src"));
    await test({
      dir,
      dataDir: join(dir, "data"),
      start(set, args, env = {}) {
        const child = new Deno.Command(Deno.execPath(), {
          args: ["run", "-q", "--no-check", "--no-prompt", `-P=${set}`, "src/main.ts", ...args],
          cwd: dir,
          clearEnv: true,
          env: { ...cacheEnvironment(), ...env },
          stdout: "piped",
          stderr: "piped",
        }).spawn();
        running.add(child);
        child.status.then(() => running.delete(child));
        return follow(child);
      },
    });
  } finally {
    for (const child of running) {
      child.kill("SIGKILL");
      await child.status;
    }
    await Deno.remove(dir, { recursive: true });
  }
}

/** Where Deno finds its cache; the rest of the environment is not the program's business. */
function cacheEnvironment(): Record<string, string> {
  const names = ["HOME", "DENO_DIR", "PATH", "XDG_CACHE_HOME"];
  return Object.fromEntries(names.flatMap((name) => {
    const text = Deno.env.get(name);
    return text === undefined ? [] : [[name, text]];
  }));
}

function follow(child: Deno.ChildProcess): SpawnedRelay {
  const stdout = watch(child.stdout);
  const stderr = watch(child.stderr);
  const ended = (async () => {
    const [{ code }] = await Promise.all([child.status, stdout.done, stderr.done]);
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  })();
  const until = async (watched: Watched, pattern: RegExp) => {
    const match = await watched.match(pattern);
    if (match !== null) return match;
    const { code, ...output } = await ended;
    throw new Error(`The program ended with ${code} before ${pattern}:\n${output.stdout}\n${output.stderr}`);
  };
  return {
    output: (pattern) => until(stdout, pattern),
    errors: (pattern) => until(stderr, pattern),
    signal: (name) => child.kill(name),
    ended,
  };
}

interface Watched {
  text(): string;
  /** The match as soon as there is one, or null when the stream has ended without. */
  match(pattern: RegExp): Promise<RegExpExecArray | null>;
  readonly done: Promise<void>;
}

function watch(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Watched {
  let text = "";
  let arrival = Promise.withResolvers<void>();
  let over = false;
  const done = (async () => {
    for await (const part of stream.pipeThrough(new TextDecoderStream())) {
      text += part;
      arrival.resolve();
      arrival = Promise.withResolvers();
    }
    over = true;
    arrival.resolve();
  })();
  return {
    text: () => text,
    async match(pattern) {
      for (;;) {
        const match = pattern.exec(text);
        if (match !== null || over) return match;
        await arrival.promise;
      }
    },
    done,
  };
}
