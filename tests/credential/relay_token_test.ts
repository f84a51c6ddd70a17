import assert from "node:assert/strict";
import { join } from "node:path";
import { openRelayToken } from "../../src/credential/relay_token.ts";
import {
  makeRelayToken,
  parseRelayToken,
  readPreviousTokens,
  readRelayTokenFile,
  rotateRelayToken,
} from "../../src/credential/relay_token_file.ts";

/** Runs `test` with the path of a token file that does not exist yet. */
async function withPath(test: (path: string, dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await test(join(dir, "data", "relay_token"), dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A clock that stands still until it is moved. */
function clock(): { nowMs: number; now: () => number } {
  const self = { nowMs: 1_800_000_000_000, now: () => self.nowMs };
  return self;
}

async function tokenAt(path: string): Promise<string> {
  const file = await readRelayTokenFile(path);
  assert.equal(file.kind, "token");
  return file.kind === "token" ? file.token : "";
}

Deno.test("makeRelayToken() makes 32 random bytes once, in files that only their owner may read", () =>
  withPath(async (path) => {
    assert.deepEqual(await makeRelayToken(path), { made: true });
    const token = await tokenAt(path);
    assert.match(token, /^[A-Za-z0-9_-]{43}$/);
    assert.deepEqual(await makeRelayToken(path), { made: false });
    assert.equal(await tokenAt(path), token);
    await rotateRelayToken(path, { graceMs: 1000, now: clock().now });
    const dir = join(path, "..");
    const names = [];
    for await (const { name } of Deno.readDir(dir)) {
      names.push(name);
      assert.equal(((await Deno.stat(join(dir, name))).mode ?? 0) & 0o777, 0o600, name);
    }
    assert.deepEqual(names.sort(), ["relay_token", "relay_token.lock", "relay_token.previous"]);
    assert.equal(((await Deno.stat(dir)).mode ?? 0) & 0o777, 0o700);
  }));

Deno.test("makeRelayToken() and rotateRelayToken() need no chmod: the mode is right from the first byte", () =>
  withPath(async (path) => {
    const { chmod, chmodSync, umask } = Deno;
    const refuse = () => {
      throw new Error("A file had another mode before.");
    };
    const before = umask(0);
    Object.assign(Deno, { chmod: refuse, chmodSync: refuse });
    try {
      await makeRelayToken(path);
      await rotateRelayToken(path, { graceMs: 1000, now: clock().now });
    } finally {
      Object.assign(Deno, { chmod, chmodSync });
      umask(before);
    }
    for (const name of [path, `${path}.previous`]) {
      assert.equal(((await Deno.stat(name)).mode ?? 0) & 0o777, 0o600, name);
    }
  }));

Deno.test("rotateRelayToken() replaces the token as a whole and never writes an old one down", () =>
  withPath(async (path) => {
    const time = clock();
    await makeRelayToken(path);
    const first = await tokenAt(path);
    using reader = await Deno.open(path);
    const { token, previousUntilMs } = await rotateRelayToken(path, { graceMs: 5000, now: time.now });
    assert.notEqual(token, first);
    assert.equal(await tokenAt(path), token);
    assert.equal(previousUntilMs, time.nowMs + 5000);
    assert.equal(await new Response(reader.readable).text(), `${first}\n`);
    const beside = await Deno.readTextFile(`${path}.previous`);
    assert.ok(!beside.includes(first) && !beside.includes(token), beside);
  }));

Deno.test("rotateRelayToken() makes the first token where there is none", () =>
  withPath(async (path) => {
    const { token, previousUntilMs } = await rotateRelayToken(path, { graceMs: 5000, now: clock().now });
    assert.equal(previousUntilMs, undefined);
    assert.equal(await tokenAt(path), token);
    assert.deepEqual(await readPreviousTokens(path), []);
  }));

Deno.test("rotateRelayToken() does not overwrite a file of something else", () =>
  withPath(async (path, dir) => {
    const notes = join(dir, "notes.txt");
    await Deno.writeTextFile(notes, "two words\n", { mode: 0o600 });
    const changes = [
      () => rotateRelayToken(notes, { graceMs: 0, now: Date.now }),
      () => makeRelayToken(notes),
    ];
    for (const change of changes) {
      await assert.rejects(change, /notes\.txt has no relay token: its content must be/);
    }
    assert.equal(await Deno.readTextFile(notes), "two words\n");
    assert.equal((await readRelayTokenFile(path)).kind, "absent");
  }));

Deno.test("accepts() takes the token of the file and nothing else", () =>
  withPath(async (path) => {
    await makeRelayToken(path);
    const token = await tokenAt(path);
    const relayToken = openRelayToken({ path, now: clock().now });
    assert.equal(await relayToken.accepts(token), true);
    for (const wrong of ["", token.slice(1), `${token}x`, token.toLowerCase(), `${token}\n`]) {
      assert.equal(await relayToken.accepts(wrong), false, JSON.stringify(wrong));
    }
  }));

Deno.test("accepts() takes a new token at its first request, and the one before until its grace is over", () =>
  withPath(async (path) => {
    const time = clock();
    await makeRelayToken(path);
    const first = await tokenAt(path);
    const relayToken = openRelayToken({ path, now: time.now });
    assert.equal(await relayToken.accepts(first), true);
    const { token } = await rotateRelayToken(path, { graceMs: 600_000, now: time.now });
    assert.equal(await relayToken.accepts(token), true);
    time.nowMs += 599_999;
    assert.equal(await relayToken.accepts(first), true);
    time.nowMs += 1;
    assert.equal(await relayToken.accepts(first), false);
    assert.equal(await relayToken.accepts(token), true);
  }));

Deno.test("accepts() ends an old token although nobody presents the new one", () =>
  withPath(async (path) => {
    const time = clock();
    await makeRelayToken(path);
    const first = await tokenAt(path);
    const relayToken = openRelayToken({ path, now: time.now });
    assert.equal(await relayToken.accepts(first), true);
    await rotateRelayToken(path, { graceMs: 1000, now: time.now });
    assert.equal(await relayToken.accepts(first), true);
    time.nowMs += 1000;
    assert.equal(await relayToken.accepts(first), false);
  }));

Deno.test("accepts() ends the old token at once when the grace is 0, also those of earlier rotations", () =>
  withPath(async (path) => {
    const time = clock();
    await makeRelayToken(path);
    const first = await tokenAt(path);
    const second = (await rotateRelayToken(path, { graceMs: 600_000, now: time.now })).token;
    const relayToken = openRelayToken({ path, now: time.now });
    assert.deepEqual([await relayToken.accepts(first), await relayToken.accepts(second)], [true, true]);
    const { token } = await rotateRelayToken(path, { graceMs: 0, now: time.now });
    assert.deepEqual([await relayToken.accepts(first), await relayToken.accepts(second)], [false, false]);
    assert.equal(await relayToken.accepts(token), true);
  }));

Deno.test("accepts() keeps the grace of each token when rotations follow one another", () =>
  withPath(async (path) => {
    const time = clock();
    await makeRelayToken(path);
    const first = await tokenAt(path);
    const second = (await rotateRelayToken(path, { graceMs: 1000, now: time.now })).token;
    time.nowMs += 600;
    await rotateRelayToken(path, { graceMs: 1000, now: time.now });
    const relayToken = openRelayToken({ path, now: time.now });
    time.nowMs += 399;
    assert.deepEqual([await relayToken.accepts(first), await relayToken.accepts(second)], [true, true]);
    time.nowMs += 1;
    assert.deepEqual([await relayToken.accepts(first), await relayToken.accepts(second)], [false, true]);
    time.nowMs += 600;
    assert.equal(await relayToken.accepts(second), false);
    assert.equal(
      (await rotateRelayToken(path, { graceMs: 1000, now: time.now })).previousUntilMs,
      time.nowMs + 1000,
    );
    assert.equal((await readPreviousTokens(path)).length, 1, "tokens whose grace is over stay behind");
  }));

Deno.test("accepts() knows the graces again after a restart", () =>
  withPath(async (path) => {
    const time = clock();
    await makeRelayToken(path);
    const first = await tokenAt(path);
    await rotateRelayToken(path, { graceMs: 1000, now: time.now });
    assert.equal(await openRelayToken({ path, now: time.now }).accepts(first), true);
    time.nowMs += 1000;
    assert.equal(await openRelayToken({ path, now: time.now }).accepts(first), false);
  }));

Deno.test("accepts() follows a file that appears, is edited, is damaged and vanishes", () =>
  withPath(async (path) => {
    const relayToken = openRelayToken({ path, now: clock().now });
    const write = async (text: string) => {
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await Deno.remove(path).catch(() => undefined);
      await Deno.writeTextFile(path, text, { mode: 0o600 });
    };
    assert.equal(await relayToken.accepts("by-hand"), false);
    await write(" by-hand \n");
    assert.equal(await relayToken.accepts("by-hand"), true);
    await write("by-hand-2");
    assert.deepEqual([await relayToken.accepts("by-hand"), await relayToken.accepts("by-hand-2")], [
      false,
      true,
    ]);
    await write("two words");
    assert.deepEqual([await relayToken.accepts("two words"), await relayToken.accepts("")], [false, false]);
    await Deno.remove(path);
    assert.equal(await relayToken.accepts("by-hand-2"), false);
    await write("by-hand-2");
    assert.equal(await relayToken.accepts("by-hand-2"), true);
  }));

Deno.test("accepts() takes only the token of the environment when there is one", () =>
  withPath(async (path) => {
    await makeRelayToken(path);
    const override = { token: "from-the-environment", name: "AUTH_AI_BEARER_TOKEN" };
    const relayToken = openRelayToken({ override, path, now: clock().now });
    assert.equal(await relayToken.accepts(override.token), true);
    assert.equal(await relayToken.accepts(await tokenAt(path)), false);
    assert.equal(await relayToken.accepts(""), false);
  }));

Deno.test("describe() tells source and fingerprint, and never a token", () =>
  withPath(async (path) => {
    const now = clock().now;
    assert.deepEqual(await openRelayToken({ path, now }).describe(), { source: "none" });
    await Deno.mkdir(join(path, ".."));
    await Deno.writeTextFile(path, "canary-in-file", { mode: 0o600 });
    const inFile = await openRelayToken({ path, now }).describe();
    assert.deepEqual(inFile, { source: "file", fingerprint: "e3f26254f353", path });
    const override = { token: "canary-in-env", name: "AIRELAYS_BEARER_TOKEN" };
    const inEnvironment = await openRelayToken({ override, path, now }).describe();
    assert.deepEqual([inEnvironment.source, inEnvironment.variable, inEnvironment.path], [
      "environment",
      "AIRELAYS_BEARER_TOKEN",
      path,
    ]);
    assert.doesNotMatch(JSON.stringify([inFile, inEnvironment]), /canary/);
  }));

Deno.test("parseRelayToken() takes what a client can send in a header", () => {
  assert.equal(parseRelayToken(" abc~+/=-._ \n"), "abc~+/=-._");
  for (const text of ["", " ", "a b", "a,b", "a\nb", "\u00e4", "x".repeat(4097)]) {
    assert.equal(parseRelayToken(text), undefined, JSON.stringify(text));
  }
});

Deno.test("rotateRelayToken() of several processes at once loses no token: each is accepted during its grace", () =>
  withPath(async (path) => {
    await makeRelayToken(path);
    const first = await tokenAt(path);
    const module = new URL("../../src/credential/relay_token_file.ts", import.meta.url).href;
    const code = `
      import { rotateRelayToken } from ${JSON.stringify(module)};
      for (let turn = 0; turn < 5; turn++) {
        const options = { graceMs: 600_000, now: Date.now };
        console.log((await rotateRelayToken(${JSON.stringify(path)}, options)).token);
      }`;
    const dir = join(path, "..");
    const runs = await Promise.all([1, 2, 3].map(() =>
      new Deno.Command(Deno.execPath(), {
        args: [
          "run",
          "--no-prompt",
          "--config=deno.json",
          `--allow-read=${dir}`,
          `--allow-write=${dir}`,
          `data:text/typescript,${encodeURIComponent(code)}`,
        ],
        cwd: new URL("../..", import.meta.url),
      }).output()
    ));
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const tokens = runs.flatMap(({ stdout }) => text(stdout).split("\n").filter((line) => line !== ""));
    assert.equal(new Set(tokens).size, 15, runs.map(({ stderr }) => text(stderr)).join("\n"));
    const relayToken = openRelayToken({ path, now: Date.now });
    assert.ok(tokens.includes(await tokenAt(path)));
    for (const token of [first, ...tokens]) assert.equal(await relayToken.accepts(token), true, token);
  }));
