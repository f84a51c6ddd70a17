import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openTrafficLog } from "../../src/traffic/traffic_log.ts";
import { readLines } from "../store/lines.ts";
import { namesBelow, parseLines } from "./log_bench.ts";

Deno.test("openTrafficLog() keeps after kill -9 what had its time, and goes on in the same file", async () => {
  const parent = await Deno.makeTempDir();
  const dir = join(parent, "logs");
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      `--allow-read=${parent}`,
      `--allow-write=${parent}`,
      fileURLToPath(import.meta.resolve("./logging_process.ts")),
      dir,
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    const said: string[] = [];
    for await (const line of readLines(child.stdout)) {
      said.push(line);
      if (line === "held") child.kill("SIGKILL");
    }
    assert.deepEqual(said, ["written", "held"]);
    assert.equal((await child.status).signal, "SIGKILL");
    const [name = ""] = await namesBelow(dir);
    const left = parseLines(await Deno.readTextFile(join(dir, name)));
    assert.equal(left[0]?.["lost"], 1);

    const loggedAtMs = Date.parse(String(left[0]?.["logged_at"]));
    const log = openTrafficLog({
      ...{ dir, retentionDays: 14, maxBytes: 1_000_000, now: () => loggedAtMs },
      warn: (sentence) => assert.fail(sentence),
    });
    log.observe({ kind: "log_resumed", lost: 3 });
    await log.close();
    assert.deepEqual(parseLines(await Deno.readTextFile(join(dir, name))).at(-1)?.["lost"], 3);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});
