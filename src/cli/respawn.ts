/**
 * Starting again with Deno KV. KV is switched on by the deno.json of the program that runs, and a package's own does not
 * count (`deno run -A jsr:@authai/relay` has none), so that the flags have to be added by us.
 *
 * @module
 */
import { version } from "../version.ts";

/** What the relay needs that is not on by default: KV, and request signals that stay quiet after a full answer. */
const unstableFlags: readonly string[] = Object.freeze(["--unstable-kv", "--unstable-no-legacy-abort"]);

/** Windows knows no SIGTERM to listen to. */
const stopSignals: readonly Deno.Signal[] = Object.freeze(
  Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"],
);

/**
 * Runs the same command line in a process with Deno KV and resolves to its exit code. Resolves to undefined when that is
 * not needed, because KV is there, or not possible, because this process may not do everything: then the store's own
 * sentence tells the flag.
 */
export async function respawnWithKv(args: readonly string[]): Promise<number | undefined> {
  if ("openKv" in Deno || !await mayDoEverything()) return undefined;
  // JSR's modules have an address of their own, which only the jsr: specifier leads to.
  const program = Deno.mainModule.startsWith("https://jsr.io/")
    ? `jsr:@authai/relay@${version}`
    : Deno.mainModule;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", ...unstableFlags, program, ...args],
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
    // A terminal signals its whole process group: in one of its own the child gets each signal once, from us.
    detached: true,
  }).spawn();
  for (const signal of stopSignals) Deno.addSignalListener(signal, () => child.kill(signal));
  return (await child.status).code;
}

/** Only a process with all permissions (`-A`) may hand all of them on. */
async function mayDoEverything(): Promise<boolean> {
  const names = ["read", "write", "net", "env", "sys", "run", "ffi"] as const;
  const states = await Promise.all(names.map((name) => Deno.permissions.query({ name })));
  return states.every(({ state }) => state === "granted");
}
