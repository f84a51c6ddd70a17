import assert from "node:assert/strict";
import { join } from "node:path";
import { logFileName, openLogFiles } from "../../src/traffic/log_files.ts";

const name = "2026/11/22-09.jsonl";
const bytes = (text: string) => new TextEncoder().encode(text);

async function inFolder(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("logFileName() counts hours in UTC", () => {
  assert.equal(logFileName(Date.UTC(2026, 0, 1, 0, 0, 0, 0)), "2026/01/01-00.jsonl");
  assert.equal(logFileName(Date.UTC(2026, 11, 31, 23, 59, 59, 999)), "2026/12/31-23.jsonl");
});

Deno.test("LogFiles.append() closes the line in whose middle another process was killed", async () => {
  await inFolder(async (dir) => {
    await openLogFiles(dir).append(name, bytes('{"n":1}\n{"n":2'));
    const files = openLogFiles(dir);
    await files.append(name, bytes('{"n":3}\n'));
    await files.append(name, bytes('{"n":4}\n'));
    assert.equal(await Deno.readTextFile(join(dir, name)), '{"n":1}\n{"n":2\n{"n":3}\n{"n":4}\n');
    await Deno.writeTextFile(join(dir, name), '{"n":5', { append: true });
    openLogFiles(dir).appendSync(name, bytes('{"n":6}\n'));
    assert.match(await Deno.readTextFile(join(dir, name)), /\{"n":5\n\{"n":6\}\n$/);
  });
});

Deno.test("LogFiles.append() makes a file private that was not", async () => {
  await inFolder(async (dir) => {
    await Deno.mkdir(join(dir, "2026/11"), { recursive: true });
    await Deno.writeTextFile(join(dir, name), "", { mode: 0o644 });
    await openLogFiles(dir).append(name, bytes("{}\n"));
    assert.equal(((await Deno.stat(join(dir, name))).mode ?? 0) & 0o777, 0o600);
  });
});

Deno.test("LogFiles.append() goes on when somebody has removed the folder", async () => {
  await inFolder(async (dir) => {
    const files = openLogFiles(join(dir, "logs"));
    await files.append(name, bytes("1\n"));
    await Deno.remove(join(dir, "logs"), { recursive: true });
    await files.append(name, bytes("2\n"));
    assert.equal(await Deno.readTextFile(join(dir, "logs", name)), "2\n");
  });
});

Deno.test("LogFiles.list() tells the hours and sizes of the log's own files, the oldest first", async () => {
  await inFolder(async (dir) => {
    const files = openLogFiles(dir);
    assert.deepEqual(await openLogFiles(join(dir, "missing")).list(), []);
    await files.append("2026/11/22-10.jsonl", bytes("1234567\n"));
    await files.append("2025/12/31-23.jsonl", bytes("1\n"));
    await Deno.writeTextFile(join(dir, "2026", "11", "22-10.jsonl.bak"), "");
    await Deno.mkdir(join(dir, "2026", "11", "22-11.jsonl"));
    await Deno.writeTextFile(join(dir, "2024"), "");
    assert.deepEqual(await files.list(), [
      { name: "2025/12/31-23.jsonl", startsAtMs: Date.UTC(2025, 11, 31, 23), bytes: 2 },
      { name: "2026/11/22-10.jsonl", startsAtMs: Date.UTC(2026, 10, 22, 10), bytes: 8 },
    ]);
  });
});
