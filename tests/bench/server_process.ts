/**
 * A server in a process of its own, with the figures that its operator sees from outside.
 *
 * @module
 */

/** A server that has answered its first request. */
export interface ServerProcess extends AsyncDisposable {
  /** E.g. `http://127.0.0.1:40001`. */
  readonly origin: string;
  /** From the moment before the process was started until the first answer was read, milliseconds. */
  readonly firstAnswerMs: number;
  /** Resident memory once it has come to rest, bytes. Only on Linux. */
  settledMemoryBytes(): Promise<number>;
  /** Resident memory now, bytes. Only on Linux. */
  residentBytes(): Promise<number>;
  /** Processor time of all its threads so far, milliseconds, to about 10. Only on Linux. */
  cpuTimeMs(): Promise<number>;
}

/** Memory is at rest when this many readings in a row ... */
const steadyReadings = 10;

/** ... `readingPauseMs` apart ... */
const readingPauseMs = 100;

/** ... differ by no more than this. */
const steadyWithinBytes = 256 * 1024;

/** A process that never comes to rest is a finding too, not an endless benchmark. */
const maxReadings = 300;

/** How to start a server. */
export interface ServerOptions {
  /** The program; default: this Deno. */
  readonly command?: string;
  readonly args: readonly string[];
  readonly cwd: URL;
  readonly env: Readonly<Record<string, string>>;
  /** Asked first; must be answered with 200. */
  readonly path: string;
  /** Where it will listen; absent for a server that prints its origin. */
  readonly origin?: string;
}

/** How long a server may take until it answers, milliseconds. */
const startLimitMs = 30_000;

/**
 * Starts a server, waits until it is known where it listens, and asks for `path` there. Rejects with what the process
 * wrote when it ends before, or answers with another status than 200.
 */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { command = Deno.execPath(), args, cwd, env, path } = options;
  const startMs = performance.now();
  const child = new Deno.Command(command, {
    args: [...args],
    cwd,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(child.stderr).text();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();

  async function stop(): Promise<void> {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    // Read to the end, so that the process can write what it has to say.
    while (!(await output.read()).done);
    await child.status;
  }

  const origin = options.origin ?? await readOrigin(output);
  if (origin === undefined) throw new Error(`The server did not start:\n${await errors}`);
  const response = options.origin === undefined
    ? await fetch(`${origin}${path}`)
    : await firstAnswer(`${origin}${path}`);
  await response?.body?.cancel();
  const firstAnswerMs = performance.now() - startMs;
  if (response?.status !== 200) {
    await stop();
    throw new Error(`${path} answered ${response?.status ?? "nothing"}:\n${await errors}`);
  }
  return {
    origin,
    firstAnswerMs,
    settledMemoryBytes: () => settledMemoryBytes(child.pid),
    residentBytes: () => residentBytes(child.pid),
    cpuTimeMs: () => cpuTimeMs(child.pid),
    [Symbol.asyncDispose]: stop,
  };
}

/** The answer of a server that may not listen yet; undefined when it never does. */
async function firstAnswer(url: string): Promise<Response | undefined> {
  for (const endMs = performance.now() + startLimitMs; performance.now() < endMs;) {
    const response = await fetch(url).catch(() => undefined);
    if (response !== undefined) return response;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
}

async function readOrigin(output: ReadableStreamDefaultReader<string>): Promise<string | undefined> {
  let text = "";
  while (true) {
    const { done, value } = await output.read();
    if (done) return undefined;
    text += value;
    const origin = /http:\/\/127\.0\.0\.1:\d+(?=\s)/.exec(text)?.[0];
    if (origin !== undefined) return origin;
  }
}

async function settledMemoryBytes(pid: number): Promise<number> {
  const recent: number[] = [];
  for (let reading = 0; reading < maxReadings; reading++) {
    recent.push(await residentBytes(pid));
    if (recent.length > steadyReadings) recent.shift();
    const isSteady = recent.length === steadyReadings &&
      Math.max(...recent) - Math.min(...recent) <= steadyWithinBytes;
    if (isSteady) break;
    await new Promise((resolve) => setTimeout(resolve, readingPauseMs));
  }
  return Math.max(...recent);
}

/** `VmRSS` of proc_pid_status(5). */
async function residentBytes(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const kibibytes = /^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new Error("The process has no VmRSS: has it ended?");
  return Number(kibibytes) * 1024;
}

/** `utime` and `stime` of proc_pid_stat(5); a tick of Linux is 10 ms. */
async function cpuTimeMs(pid: number): Promise<number> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  // The name of the program, in parentheses, may hold anything; the third field follows it.
  const [utime = NaN, stime = NaN] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13).map(
    Number,
  );
  return (utime + stime) * 10;
}
