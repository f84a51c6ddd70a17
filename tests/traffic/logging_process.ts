/**
 * A process that logs until it is killed: `logging_process.ts <folder>`. Prints `written` when a line has come to its file by
 * itself, then logs another one, prints `held`, and lives on.
 */
import { openTrafficLog } from "../../src/traffic/traffic_log.ts";

const [dir = ""] = Deno.args;
await Deno.mkdir(dir);
const log = openTrafficLog({
  dir,
  retentionDays: 14,
  maxBytes: 1_000_000,
  now: Date.now,
  warn: (sentence) => {
    throw new Error(sentence);
  },
});
const written = Promise.withResolvers<void>();
const watcher = Deno.watchFs(dir);
log.observe({ kind: "log_resumed", lost: 1 });
(async () => {
  for await (const { paths } of watcher) {
    if (paths.some((path) => path.endsWith(".jsonl") && Deno.statSync(path).size > 0)) written.resolve();
  }
})();
await written.promise;
say("written");
log.observe({ kind: "log_resumed", lost: 2 });
say("held");

function say(word: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${word}\n`));
}
