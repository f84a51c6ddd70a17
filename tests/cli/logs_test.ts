import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { openLogTail } from "../../src/cli/log_tail.ts";
import { logText } from "../../src/cli/log_text.ts";
import { recordingProcess } from "./recording_process.ts";
import { startOwnerRig } from "./owner_rig.ts";

async function withDir(test: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(join(dir, "logs"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function append(dir: string, name: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(join(dir, name)), { recursive: true });
  await Deno.writeTextFile(join(dir, name), text, { append: true });
}

const hours = ["2026/11/21-23.jsonl", "2026/11/22-00.jsonl"] as const;

for (
  const [count, expected] of [
    [0, []],
    [1, ["d"]],
    [2, ["c", "d"]],
    [3, ["b", "c", "d"]],
    [4, ["a", "b", "c", "d"]],
    [9, ["a", "b", "c", "d"]],
  ] as const
) {
  Deno.test(`next() begins with the last ${count} lines, over the files`, () =>
    withDir(async (dir) => {
      await append(dir, hours[0], "a\nb\n");
      await append(dir, hours[1], "c\nd\n");
      const tail = await openLogTail(dir, count);
      assert.deepEqual(await tail.next(), expected);
      assert.deepEqual(await tail.next(), []);
    }));
}

Deno.test("next() gives a line once it is whole, and goes on with the next file", () =>
  withDir(async (dir) => {
    const tail = await openLogTail(dir, 5);
    assert.deepEqual(await tail.next(), []);
    await append(dir, hours[0], "a\nhalf");
    assert.deepEqual(await tail.next(), ["a"]);
    await append(dir, hours[0], " and half\n");
    await append(dir, hours[1], "b\n");
    assert.deepEqual(await tail.next(), ["half and half", "b"]);
    await append(dir, hours[1], "c\n");
    assert.deepEqual(await tail.next(), ["c"]);
  }));

Deno.test("next() finds the last lines of a file that is longer than what is read at once", () =>
  withDir(async (dir) => {
    const lines = Array.from({ length: 3000 }, (_, at) => `${at} ${"x".repeat(at % 97)}`);
    await append(dir, hours[0], `${lines.join("\n")}\n`);
    for (const count of [1, 700, 1500, 2999, 3000, 3001]) {
      const tail = await openLogTail(dir, count);
      assert.deepEqual(await tail.next(), lines.slice(-count));
    }
  }));

const line =
  '{"logged_at":"2026-11-22T09:30:00.000Z","kind":"upstream_error","request_id":"req_01KAPR5G3KX2","provider":"xai","status":503,"code":null,"text":"two words"}';

Deno.test("logText() puts the time, the request and the kind first, and leaves out what is null", () => {
  const { terminal } = recordingProcess();
  assert.equal(
    logText(terminal, line),
    '2026-11-22 09:30:00.000  5G3KX2  upstream_error          provider=xai status=503 text="two words"',
  );
});

Deno.test("logText() leaves out what is empty", () => {
  const { terminal } = recordingProcess();
  const adaptation =
    '{"logged_at":"2026-11-22T09:30:00.000Z","kind":"adaptation","from":"chat","to":"responses","ignored":"","names":[]}';
  assert.equal(
    logText(terminal, adaptation),
    "2026-11-22 09:30:00.000          adaptation              from=chat to=responses",
  );
});

Deno.test("logText() colours what a person looks for, on a terminal", () => {
  const { terminal } = recordingProcess({}, { colors: true });
  assert.ok(logText(terminal, line).includes("\x1b[31mupstream_error"));
});

Deno.test("logText() lets nothing through that a terminal obeys", () => {
  const { terminal } = recordingProcess();
  const hostile = { logged_at: "\u009b1m", kind: "\x1b[2J", a: "\x1b]0;x\x07", b: "\u009b31m" };
  for (const text of [logText(terminal, JSON.stringify(hostile)), logText(terminal, "\x1b[2J no json")]) {
    assert.doesNotMatch(text, /\p{Cc}/u);
  }
});

Deno.test("logs prints lines readable, or as they are with --json, as many as --lines says", async () => {
  await using rig = await startOwnerRig();
  await append(join(rig.dataDir, "logs"), hours[0], `${line}\n${line}\n${line}\n`);
  assert.equal((await rig.run(["logs", "-n", "2"])).out.split("\n").length, 2);
  const { code, out, err } = await rig.run(["logs", "--json", "--lines=1"]);
  assert.deepEqual([code, out, err], [0, line, ""]);
});

Deno.test("logs -f goes on with what is added until Ctrl+C", async () => {
  await using rig = await startOwnerRig();
  const dir = join(rig.dataDir, "logs");
  await append(dir, hours[0], `${line}\n`);
  const { process, ended } = rig.start(["logs", "-f", "--json"]);
  const seen = async (count: number) => {
    while (process.out.length < count) await new Promise((resolve) => setTimeout(resolve, 0));
  };
  await seen(1);
  await append(dir, hours[1], '{"later":true}\n');
  await seen(2);
  assert.deepEqual(process.out, [line, '{"later":true}']);
  process.signal("SIGINT");
  assert.equal(await ended, 0);
});

Deno.test("logs says where the log would be when there is none, and that it is off when it is", async () => {
  await using rig = await startOwnerRig();
  const empty = await rig.run(["logs"]);
  assert.equal(empty.err, `There are no lines in ${join(rig.dataDir, "logs")} yet.`);
  rig.environment["AUTH_AI_LOG_ENABLED"] = "false";
  const off = await rig.run(["logs"]);
  assert.equal(off.err, "The traffic log is off: logging.enabled is false.");
});
