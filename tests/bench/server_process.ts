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

/**
 * Starts `deno` with `args` in `cwd`, waits for the line of its output that names its origin, and asks for `path` there.
 * Rejects with what the process wrote when it ends before or the answer is not 200.
 */
export async function startServer(
  options: {
    readonly args: readonly string[];
    readonly cwd: URL;
    readonly env: Readonly<Record<string, string>>;
    readonly path: string;
  },
): Promise<ServerProcess> {
  const { args, cwd, env, path } = options;
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const startMs = performance.now();
  const child = command.spawn();
  const errors = new Response(child.stderr).text();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();

  async function stop(): Promise<void> {
    child.kill("SIGTERM");
    // Read to the end, so that the process can write what it has to say.
    while (!(await output.read()).done);
    await child.status;
  }

  const origin = await readOrigin(output);
  if (origin === undefined) throw new Error(`The server did not start:\n${await errors}`);
  const response = await fetch(`${origin}${path}`);
  await response.body?.cancel();
  const firstAnswerMs = performance.now() - startMs;
  if (response.status !== 200) {
    await stop();
    throw new Error(`${path} answered ${response.status}:\n${await errors}`);
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
