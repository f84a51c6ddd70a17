import assert from "node:assert/strict";
import { join } from "node:path";
import { openKvSharedState } from "../../src/store/kv_shared_state.ts";
import { sharedStateContract } from "../contract/shared_state_contract.ts";
import { startStoreProcess, withStoreProcesses } from "./start_store_process.ts";

sharedStateContract("Deno KV file", async () => {
  const folder = await Deno.makeTempDir();
  const open = () => openKvSharedState({ path: join(folder, "shared.kv") });
  const state = await open();
  return {
    state,
    reopen: open,
    cleanup: async () => {
      await state.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}, { persists: true });

sharedStateContract("Deno KV in memory", async () => {
  const state = await openKvSharedState({ path: ":memory:" });
  return { state, cleanup: () => state.close() };
}, { persists: false });

const nowMs = Date.now();
const expiresAtMs = nowMs + 15 * 60_000;
const limit = { maxOpen: 100, nowMs };

testInFolder("openKvSharedState() keeps all its files at mode 0600", async (folder) => {
  const state = await openKvSharedState({ path: join(folder, "shared.kv") });
  await state.createPollSession("a", new Uint8Array(8), expiresAtMs, limit);
  const modes: Record<string, number> = {};
  for await (const { name } of Deno.readDir(folder)) {
    modes[name] = ((await Deno.stat(join(folder, name))).mode ?? 0) & 0o777;
  }
  await state.close();
  assert.deepEqual(modes, { "shared.kv": 0o600, "shared.kv-shm": 0o600, "shared.kv-wal": 0o600 });
});

testInFolder(
  "openKvSharedState() refuses a file that is no database and leaves it as it is",
  async (folder) => {
    const path = join(folder, "notes.txt");
    await Deno.writeTextFile(path, "A shopping list, and nothing that SQLite could read.\n".repeat(200));
    const before = await Deno.readFile(path);
    await assert.rejects(openKvSharedState({ path }), /is not a database\. It was left as it is\./);
    assert.deepEqual(await Deno.readFile(path), before);
  },
);

testInFolder("openKvSharedState() refuses a damaged file and leaves it as it is", async (folder) => {
  const path = join(folder, "shared.kv");
  await (await openKvSharedState({ path })).close();
  const bytes = await Deno.readFile(path);
  // Behind the header of 100 bytes, which stays good, the first page says what tables there are.
  bytes.fill(0xa5, 100, 4096);
  await Deno.writeFile(path, bytes);
  await assert.rejects(openKvSharedState({ path }), /is damaged\. It was left as it is\./);
  assert.deepEqual(await Deno.readFile(path), bytes);
});

testInFolder("openKvSharedState() explains a folder that is missing", async (folder) => {
  const path = join(folder, "missing", "shared.kv");
  await assert.rejects(
    openKvSharedState({ path }),
    /cannot be opened for writing\. Check that its folder exists/,
  );
});

testInFolder("openKvSharedState() says how to enable Deno KV when it is not", async (folder) => {
  const module = new URL("../../src/store/kv_shared_state.ts", import.meta.url);
  const program = `import { openKvSharedState } from ${JSON.stringify(module.href)};
    await openKvSharedState({ path: ":memory:" }).catch((error) => console.log(error.message));`;
  const path = join(folder, "program.ts");
  await Deno.writeTextFile(path, program);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", "--no-lock", path],
  }).output();
  assert.equal(
    new TextDecoder().decode(stdout),
    'Deno KV is not enabled. Add "unstable": ["kv"] to the deno.json of the program, or run it with --unstable-kv.\n',
  );
});

Deno.test("every method is repeated with growing pauses while the engine is locked", async () => {
  const kv = await Deno.openKv(":memory:");
  const engine = withLocks(kv);
  const pausesMs: number[] = [];
  const state = await openKvSharedState({
    kv: engine.kv,
    random: () => 0.5,
    delay: (ms) => {
      pausesMs.push(ms);
      return Promise.resolve();
    },
  });
  const repeated = async <T>(run: () => Promise<T>): Promise<T> => {
    pausesMs.length = 0;
    engine.lockNext(4);
    const result = await run();
    assert.deepEqual(pausesMs, [2, 4, 8, 16]);
    return result;
  };
  const sealed = Uint8Array.of(1, 2, 3);
  assert.equal(await repeated(() => state.createPollSession("a", sealed, expiresAtMs, limit)), "created");
  const session = await repeated(() => state.getPollSession("a", nowMs));
  assert.deepEqual(session?.sealed, sealed);
  assert.ok(await repeated(() => state.replacePollSession("a", session.version, sealed)));
  await repeated(() => state.deletePollSession("a"));
  await repeated(() => state.putEntry("g", "a", "one", expiresAtMs));
  assert.equal((await repeated(() => state.getEntry("g", "a", nowMs)))?.value, "one");
  assert.equal((await repeated(() => state.listEntries("g", nowMs))).length, 1);
  const { version } = await state.getEntry("g", "a", nowMs) ?? {};
  const two = { value: "two", expiresAtMs };
  assert.equal(await repeated(() => state.replaceEntry("g", "a", version, two, nowMs)), true);
  await repeated(() => state.deleteEntry("g", "a"));
  assert.equal(await state.getEntry("g", "a", nowMs), undefined);
  await repeated(() => state.ping());
  assert.equal(await state.createPollSession("b", sealed, expiresAtMs, { maxOpen: 1, nowMs }), "created");
  await state.close();
  kv.close();
});

Deno.test("a method rejects after a bounded time when the engine stays locked", async () => {
  const kv = await Deno.openKv(":memory:");
  const engine = withLocks(kv);
  const pausesMs: number[] = [];
  const state = await openKvSharedState({
    kv: engine.kv,
    random: () => 1,
    delay: (ms) => {
      pausesMs.push(ms);
      return Promise.resolve();
    },
  });
  engine.lockNext(Infinity);
  await assert.rejects(state.ping(), /stayed locked by other processes/);
  const totalMs = pausesMs.reduce((sum, ms) => sum + ms, 0);
  assert.ok(totalMs > 2_000 && totalMs < 6_000, `${totalMs} ms`);
  kv.close();
});

Deno.test("a method does not repeat what failed for another reason than a lock", async () => {
  const kv = await Deno.openKv(":memory:");
  const engine = withLocks(kv, "disk I/O error");
  const state = await openKvSharedState({ kv: engine.kv, delay: () => assert.fail("It must not wait.") });
  engine.lockNext(1);
  await assert.rejects(state.ping(), /disk I\/O error/);
  kv.close();
});

Deno.test("close() leaves a KV open that the caller handed in", async () => {
  const kv = await Deno.openKv(":memory:");
  const state = await openKvSharedState({ kv });
  await state.close();
  await assert.rejects(state.ping());
  assert.equal((await kv.set(["still"], "open")).ok, true);
  kv.close();
});

Deno.test("replacePollSession() keeps the session in the engine until its expiry", async () => {
  const kv = await Deno.openKv(":memory:");
  const lifetimesMs: unknown[] = [];
  const state = await openKvSharedState({
    kv: watchSet(kv, (options) => lifetimesMs.push(options?.expireIn)),
    now: () => nowMs + 5 * 60_000,
  });
  await state.createPollSession("a", new Uint8Array(8), expiresAtMs, limit);
  const session = await state.getPollSession("a", nowMs);
  await state.replacePollSession("a", session?.version ?? "", new Uint8Array(8));
  assert.deepEqual(lifetimesMs, [16 * 60_000, 11 * 60_000]);
  kv.close();
});

Deno.test("createPollSession() removes the counters of past minutes", async () => {
  const kv = await Deno.openKv(":memory:");
  const state = await openKvSharedState({ kv });
  const sealed = new Uint8Array(8);
  for (let minute = 0; minute < 5; minute++) {
    await state.createPollSession(`key-${minute}`, sealed, expiresAtMs + minute * 60_000, limit);
  }
  const laterMs = expiresAtMs + 60 * 60_000;
  await state.createPollSession("later", sealed, laterMs + 60_000, { maxOpen: 100, nowMs: laterMs });
  const counters = await Array.fromAsync(kv.list({ prefix: ["poll_open"] }), ({ key }) => key[1]);
  assert.deepEqual(counters, [Math.floor((laterMs + 60_000) / 60_000)]);
  // A session that is deleted after its counter is gone must not leave a counter below zero behind.
  await state.deletePollSession("key-0");
  assert.equal(
    await state.createPollSession("last", sealed, laterMs, { maxOpen: 2, nowMs: laterMs }),
    "created",
  );
  kv.close();
});

Deno.test("openKvSharedState() works for four processes that open an empty file at once", async () => {
  await withStoreProcesses(4, async (folder, processes) => {
    for (let round = 0; round < 8; round++) {
      const path = join(folder, `shared-${round}.kv`);
      const answers = await Promise.all(processes.map((process) => process.ask("openShared", path)));
      assert.deepEqual(answers, ["done", "done", "done", "done"]);
    }
  });
});

Deno.test("replacePollSession() loses no write of two processes", async () => {
  await withStoreProcesses(2, async (folder, processes) => {
    const path = join(folder, "shared.kv");
    const state = await openKvSharedState({ path });
    await state.createPollSession("a", new TextEncoder().encode("0"), expiresAtMs, limit);
    await Promise.all(processes.map((process) => process.ask("incrementSession", path, "a", 200)));
    const session = await state.getPollSession("a", nowMs);
    await state.close();
    assert.equal(new TextDecoder().decode(session?.sealed), "400");
  });
});

Deno.test("createPollSession() counts the sessions of two processes", async () => {
  await withStoreProcesses(2, async (folder, processes) => {
    const path = join(folder, "shared.kv");
    await Promise.all(
      processes.map((process, index) => process.ask("createSessions", path, `p${index}`, 60)),
    );
    const state = await openKvSharedState({ path });
    const sealed = new Uint8Array(8);
    assert.equal(await state.createPollSession("a", sealed, expiresAtMs, { maxOpen: 120, nowMs }), "full");
    assert.equal(await state.createPollSession("a", sealed, expiresAtMs, { maxOpen: 121, nowMs }), "created");
    await state.close();
  });
});

testInFolder("a session that createPollSession() has stored survives kill -9", async (folder) => {
  const path = join(folder, "shared.kv");
  const process = await startStoreProcess(folder);
  await process.ask("createSession", path, "a");
  await process.kill();
  const state = await openKvSharedState({ path });
  const session = await state.getPollSession("a", nowMs);
  await state.close();
  assert.equal(new TextDecoder().decode(session?.sealed), "0");
});

/** A KV whose next commands fail before they do anything, as a local file does while another process writes. */
function withLocks(
  kv: Deno.Kv,
  message = "database is locked",
): { readonly kv: Deno.Kv; lockNext(count: number): void } {
  let left = 0;
  const meetLock = () => {
    if (left-- > 0) throw new TypeError(message);
  };
  const get: Deno.Kv["get"] = (...parameters) => {
    meetLock();
    return kv.get(...parameters);
  };
  const set: Deno.Kv["set"] = (...parameters) => {
    meetLock();
    return kv.set(...parameters);
  };
  const list: Deno.Kv["list"] = (...parameters) => {
    meetLock();
    return kv.list(...parameters);
  };
  const atomic: Deno.Kv["atomic"] = () => {
    const operation = kv.atomic();
    const commit = operation.commit.bind(operation);
    operation.commit = () => Promise.try(meetLock).then(commit);
    return operation;
  };
  return {
    kv: override(kv, { get, set, list, atomic }),
    lockNext: (count) => {
      left = count;
    },
  };
}

/** A KV that reports the options of each `set` in an atomic operation. */
function watchSet(kv: Deno.Kv, seen: (options?: { readonly expireIn?: number }) => void): Deno.Kv {
  const atomic: Deno.Kv["atomic"] = () => {
    const operation = kv.atomic();
    const set = operation.set.bind(operation);
    operation.set = (key, value, options) => {
      seen(options);
      return set(key, value, options);
    };
    return operation;
  };
  return override(kv, { atomic });
}

function override(kv: Deno.Kv, methods: Partial<Deno.Kv>): Deno.Kv {
  return new Proxy(kv, {
    get(target, name) {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function testInFolder(what: string, run: (folder: string) => Promise<void>): void {
  Deno.test(what, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await run(folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
