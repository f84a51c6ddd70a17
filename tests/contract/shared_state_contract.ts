/**
 * What every {@linkcode SharedState} has to do, as one suite that each driver's test registers.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { CreateOutcome, SharedState } from "../../src/store/shared_state.ts";

/** A state under test, empty when it is handed over. */
export interface SharedStateSubject {
  readonly state: SharedState;
  /** Opens the same state once more, as another process would; undefined where it ends with the first. */
  readonly reopen?: () => Promise<SharedState>;
  /** Closes `state` and removes what is left. */
  readonly cleanup: () => Promise<void>;
}

// Near the real time, because engines may remove by their own clock what expired in the past. Later moments are
// handed in.
const nowMs = Date.now();
const expiresAtMs = nowMs + 15 * 60_000;
/** How long after its expiry a session may still count as open. */
const countGraceMs = 60_000;

/** Registers the suite for the driver called `name`. */
export function sharedStateContract(
  name: string,
  open: () => Promise<SharedStateSubject>,
  options: { readonly persists: boolean },
): void {
  function test(what: string, run: (subject: SharedStateSubject) => Promise<void>): void {
    Deno.test(`${what} (${name})`, async () => {
      const subject = await open();
      try {
        await run(subject);
      } finally {
        await subject.cleanup();
      }
    });
  }

  test("getPollSession() returns what createPollSession() stored", async ({ state }) => {
    assert.equal(await create(state, "a", { sealed: bytes(1) }), "created");
    const session = await state.getPollSession("a", nowMs);
    assert.deepEqual(session?.sealed, bytes(1));
    assert.equal(session.expiresAtMs, expiresAtMs);
  });

  test("getPollSession() resolves to undefined when the key is unknown", async ({ state }) => {
    await create(state, "a");
    for (const key of ["b", "", "A", "a "]) assert.equal(await state.getPollSession(key, nowMs), undefined);
  });

  test("getPollSession() hides a session from the millisecond of its expiry on", async ({ state }) => {
    await create(state, "a");
    assert.notEqual(await state.getPollSession("a", expiresAtMs - 1), undefined);
    assert.equal(await state.getPollSession("a", expiresAtMs), undefined);
  });

  test("createPollSession() rejects when the key is taken, and leaves the first session", async ({ state }) => {
    await create(state, "a", { sealed: bytes(1) });
    await assert.rejects(create(state, "a", { sealed: bytes(2) }), Error);
    assert.deepEqual((await state.getPollSession("a", nowMs))?.sealed, bytes(1));
  });

  test("createPollSession() stores 32 KiB and rejects more with RangeError", async ({ state }) => {
    const large = new Uint8Array(32 * 1024).fill(9);
    assert.equal(await create(state, "a", { sealed: large }), "created");
    assert.deepEqual((await state.getPollSession("a", nowMs))?.sealed, large);
    await assert.rejects(create(state, "b", { sealed: new Uint8Array(32 * 1024 + 1) }), RangeError);
    assert.equal(await state.getPollSession("b", nowMs), undefined);
  });

  test("createPollSession() resolves to full and stores nothing when maxOpen sessions are open", async ({ state }) => {
    assert.equal(await create(state, "a", { maxOpen: 2 }), "created");
    assert.equal(await create(state, "b", { maxOpen: 2, expiresAtMs: expiresAtMs + 90_000 }), "created");
    assert.equal(await create(state, "c", { maxOpen: 2 }), "full");
    assert.equal(await state.getPollSession("c", nowMs), undefined);
    assert.equal(await create(state, "c", { maxOpen: 3 }), "created");
    assert.equal(await create(state, "d", { maxOpen: 0 }), "full");
  });

  test("createPollSession() counts every session of a burst", async ({ state }) => {
    const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
    const outcomes = await Promise.all(keys.map((key) => create(state, key)));
    assert.deepEqual([...new Set(outcomes)], ["created"]);
    assert.equal(await create(state, "one-more", { maxOpen: 40 }), "full");
    assert.equal(await create(state, "one-more", { maxOpen: 41 }), "created");
  });

  test("createPollSession() counts a session until it expires", async ({ state }) => {
    await create(state, "a", { maxOpen: 1 });
    const later = { maxOpen: 1, expiresAtMs: expiresAtMs + 15 * 60_000 };
    assert.equal(await create(state, "b", { ...later, nowMs: expiresAtMs - 1 }), "full");
    assert.equal(await create(state, "b", { ...later, nowMs: expiresAtMs + countGraceMs }), "created");
    assert.equal(await create(state, "c", { ...later, nowMs: expiresAtMs + countGraceMs }), "full");
  });

  test("deletePollSession() makes room for another session, once", async ({ state }) => {
    await create(state, "a", { maxOpen: 2 });
    await create(state, "b", { maxOpen: 2 });
    await state.deletePollSession("a");
    await state.deletePollSession("a");
    assert.equal(await state.getPollSession("a", nowMs), undefined);
    assert.equal(await create(state, "c", { maxOpen: 2 }), "created");
    assert.equal(await create(state, "d", { maxOpen: 2 }), "full");
  });

  test("deletePollSession() counts right when a session is deleted by many at once", async ({ state }) => {
    await create(state, "a");
    await create(state, "b");
    await Promise.all(Array.from({ length: 10 }, () => state.deletePollSession("a")));
    assert.equal(await create(state, "c", { maxOpen: 1 }), "full");
    assert.equal(await create(state, "c", { maxOpen: 2 }), "created");
  });

  test("deletePollSession() counts right when many sessions end at once", async ({ state }) => {
    const keys = Array.from({ length: 12 }, (_, index) => `key-${index}`);
    for (const key of keys) await create(state, key);
    await Promise.all(keys.slice(0, 10).map((key) => state.deletePollSession(key)));
    assert.equal(await create(state, "one-more", { maxOpen: 2 }), "full");
    assert.equal(await create(state, "one-more", { maxOpen: 3 }), "created");
  });

  test("deletePollSession() resolves when there is no such session", async ({ state }) => {
    await state.deletePollSession("never");
  });

  test("replacePollSession() replaces the ciphertext and keeps the expiry", async ({ state }) => {
    await create(state, "a", { sealed: bytes(1) });
    const version = await state.replacePollSession("a", await versionOf(state, "a"), bytes(2));
    const session = await state.getPollSession("a", nowMs);
    assert.deepEqual(session, { sealed: bytes(2), expiresAtMs, version });
    assert.equal(await state.getPollSession("a", expiresAtMs), undefined);
  });

  test("replacePollSession() resolves to a version that serves for the next replacement", async ({ state }) => {
    await create(state, "a");
    let version: string | undefined = await versionOf(state, "a");
    const seen = new Set([version]);
    for (let round = 2; round < 6; round++) {
      version = await state.replacePollSession("a", version, bytes(round));
      assert.ok(version !== undefined && !seen.has(version));
      seen.add(version);
    }
    assert.deepEqual((await state.getPollSession("a", nowMs))?.sealed, bytes(5));
  });

  test("replacePollSession() resolves to undefined and changes nothing when somebody wrote before", async ({ state }) => {
    await create(state, "a");
    const stale = await versionOf(state, "a");
    await state.replacePollSession("a", stale, bytes(2));
    assert.equal(await state.replacePollSession("a", stale, bytes(3)), undefined);
    assert.equal(await state.replacePollSession("a", "", bytes(3)), undefined);
    assert.equal(await state.replacePollSession("a", "no version at all", bytes(3)), undefined);
    assert.deepEqual((await state.getPollSession("a", nowMs))?.sealed, bytes(2));
  });

  test("replacePollSession() does not bring a deleted session back", async ({ state }) => {
    await create(state, "a");
    const version = await versionOf(state, "a");
    await state.deletePollSession("a");
    assert.equal(await state.replacePollSession("a", version, bytes(2)), undefined);
    assert.equal(await state.replacePollSession("never", version, bytes(2)), undefined);
    assert.equal(await state.getPollSession("a", nowMs), undefined);
  });

  test("replacePollSession() succeeds exactly once when many expect the same version", async ({ state }) => {
    await create(state, "a");
    const version = await versionOf(state, "a");
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => state.replacePollSession("a", version, bytes(index))),
    );
    const winner = outcomes.findIndex((outcome) => outcome !== undefined);
    assert.equal(outcomes.filter((outcome) => outcome !== undefined).length, 1);
    assert.deepEqual(await state.getPollSession("a", nowMs), {
      sealed: bytes(winner),
      expiresAtMs,
      version: outcomes[winner],
    });
  });

  test("replacePollSession() rejects more than 32 KiB with RangeError", async ({ state }) => {
    await create(state, "a", { sealed: bytes(1) });
    const version = await versionOf(state, "a");
    await assert.rejects(state.replacePollSession("a", version, new Uint8Array(32 * 1024 + 1)), RangeError);
    assert.deepEqual((await state.getPollSession("a", nowMs))?.sealed, bytes(1));
  });

  test("getEntry() returns what putEntry() stored last, until it expires", async ({ state }) => {
    await state.putEntry("g", "a", "one", expiresAtMs);
    await state.putEntry("g", "a", "two", expiresAtMs + 1);
    const entry = await state.getEntry("g", "a", nowMs);
    assert.equal(entry?.value, "two");
    assert.equal(entry.expiresAtMs, expiresAtMs + 1);
    assert.notEqual(await state.getEntry("g", "a", expiresAtMs), undefined);
    assert.equal(await state.getEntry("g", "a", expiresAtMs + 1), undefined);
    assert.equal(await state.getEntry("h", "a", nowMs), undefined);
    assert.equal(await state.getEntry("g", "b", nowMs), undefined);
  });

  test("listEntries() lists one group by ascending key, from a key on, without expired ones", async ({ state }) => {
    for (const key of ["b", "a", "d", "c"]) await state.putEntry("g", key, `value ${key}`, expiresAtMs);
    await state.putEntry("g", "bb", "short", nowMs + 1_000);
    await state.putEntry("h", "b", "other group", expiresAtMs);
    const keys = async (atMs: number, from?: string) =>
      (await state.listEntries("g", atMs, from === undefined ? {} : { from })).map(({ key }) => key);
    assert.deepEqual(await keys(nowMs), ["a", "b", "bb", "c", "d"]);
    assert.deepEqual(await keys(nowMs + 1_000), ["a", "b", "c", "d"]);
    assert.deepEqual(await keys(nowMs, "bb"), ["bb", "c", "d"]);
    assert.deepEqual(await keys(nowMs, "e"), []);
    assert.deepEqual(await state.listEntries("none", nowMs), []);
    const [first] = await state.listEntries("g", nowMs);
    assert.deepEqual(first, await state.getEntry("g", "a", nowMs));
  });

  test("listEntries() lists every one of 1 200 entries", async ({ state }) => {
    const keys = Array.from({ length: 1_200 }, (_, index) => `key-${String(index).padStart(5, "0")}`);
    await Promise.all(keys.map((key) => state.putEntry("g", key, "", expiresAtMs)));
    assert.deepEqual((await state.listEntries("g", nowMs)).map(({ key }) => key), keys);
  });

  test("replaceEntry() creates an entry once when many try", async ({ state }) => {
    const outcomes = await Promise.all(
      Array.from(
        { length: 20 },
        (_, index) => state.replaceEntry("g", "a", undefined, { value: String(index), expiresAtMs }, nowMs),
      ),
    );
    assert.equal(outcomes.filter((done) => done).length, 1);
    assert.equal((await state.getEntry("g", "a", nowMs))?.value, String(outcomes.indexOf(true)));
  });

  test("replaceEntry() replaces only what was read, and takes an expired entry for none", async ({ state }) => {
    await state.putEntry("g", "a", "one", expiresAtMs);
    const version = (await state.getEntry("g", "a", nowMs))?.version;
    const later = { value: "two", expiresAtMs: expiresAtMs + 5_000 };
    assert.equal(await state.replaceEntry("g", "a", undefined, later, nowMs), false);
    assert.equal(await state.replaceEntry("g", "a", "no version", later, nowMs), false);
    assert.equal(await state.replaceEntry("g", "a", version, later, nowMs), true);
    assert.equal(await state.replaceEntry("g", "a", version, { value: "three", expiresAtMs }, nowMs), false);
    assert.equal((await state.getEntry("g", "a", nowMs))?.value, "two");
    const third = { value: "three", expiresAtMs: expiresAtMs + 90_000 };
    assert.equal(await state.replaceEntry("g", "a", undefined, third, expiresAtMs + 4_999), false);
    assert.equal(await state.replaceEntry("g", "a", undefined, third, expiresAtMs + 5_000), true);
  });

  test("replaceEntry() loses no increment of many at once", async ({ state }) => {
    const increment = async () => {
      while (true) {
        const entry = await state.getEntry("g", "n", nowMs);
        const next = { value: String(Number(entry?.value ?? 0) + 1), expiresAtMs };
        if (await state.replaceEntry("g", "n", entry?.version, next, nowMs)) return;
      }
    };
    await Promise.all(Array.from({ length: 25 }, increment));
    assert.equal((await state.getEntry("g", "n", nowMs))?.value, "25");
  });

  test("deleteEntry() removes an entry, or only the version that was read", async ({ state }) => {
    await state.putEntry("g", "a", "one", expiresAtMs);
    const stale = (await state.getEntry("g", "a", nowMs))?.version ?? "";
    await state.putEntry("g", "a", "two", expiresAtMs);
    await state.deleteEntry("g", "a", stale);
    assert.equal((await state.getEntry("g", "a", nowMs))?.value, "two");
    await state.deleteEntry("g", "a", (await state.getEntry("g", "a", nowMs))?.version ?? "");
    assert.equal(await state.getEntry("g", "a", nowMs), undefined);
    await state.putEntry("g", "a", "three", expiresAtMs);
    await state.deleteEntry("g", "a");
    await state.deleteEntry("g", "a");
    assert.equal(await state.getEntry("g", "a", nowMs), undefined);
  });

  test("putEntry() stores 30 000 characters and rejects more with RangeError", async ({ state }) => {
    const value = "\u20ac".repeat(30_000);
    await state.putEntry("g", "a", value, expiresAtMs);
    assert.equal((await state.getEntry("g", "a", nowMs))?.value, value);
    await assert.rejects(state.putEntry("g", "b", value + "x", expiresAtMs), RangeError);
    const version = (await state.getEntry("g", "a", nowMs))?.version;
    const tooLong = { value: value + "x", expiresAtMs };
    await assert.rejects(state.replaceEntry("g", "a", version, tooLong, nowMs), RangeError);
  });

  test("ping() resolves while the state is open", async ({ state }) => {
    await state.ping();
  });

  test("close() may be called twice, and every other method rejects afterwards", async ({ state }) => {
    await create(state, "a");
    await state.close();
    await state.close();
    await assert.rejects(create(state, "b"));
    await assert.rejects(state.getPollSession("a", nowMs));
    await assert.rejects(state.replacePollSession("a", "", bytes(1)));
    await assert.rejects(state.deletePollSession("a"));
    await assert.rejects(state.listEntries("g", nowMs));
    await assert.rejects(state.getEntry("g", "a", nowMs));
    await assert.rejects(state.putEntry("g", "a", "", expiresAtMs));
    await assert.rejects(state.replaceEntry("g", "a", undefined, { value: "", expiresAtMs }, nowMs));
    await assert.rejects(state.deleteEntry("g", "a"));
    await assert.rejects(state.ping());
  });

  if (!options.persists) return;

  test("a reopened state has every session and counts them", async ({ state, reopen }) => {
    assert.ok(reopen, "A driver that persists must be able to reopen.");
    await create(state, "a", { sealed: bytes(1) });
    await create(state, "b");
    await state.deletePollSession("b");
    await state.putEntry("g", "a", "kept", expiresAtMs);
    await state.close();
    const again = await reopen();
    try {
      assert.equal((await again.getEntry("g", "a", nowMs))?.value, "kept");
      assert.deepEqual((await again.getPollSession("a", nowMs))?.sealed, bytes(1));
      assert.equal(await again.getPollSession("b", nowMs), undefined);
      assert.equal(await create(again, "c", { maxOpen: 1 }), "full");
    } finally {
      await again.close();
    }
  });

  test("two states on the same data see each other's writes at once", async ({ state, reopen }) => {
    assert.ok(reopen, "A driver that persists must be able to reopen.");
    const other = await reopen();
    try {
      await create(state, "a", { sealed: bytes(1), maxOpen: 1 });
      assert.deepEqual((await other.getPollSession("a", nowMs))?.sealed, bytes(1));
      assert.equal(await create(other, "b", { maxOpen: 1 }), "full");
      const version = await versionOf(state, "a");
      assert.notEqual(await other.replacePollSession("a", version, bytes(2)), undefined);
      assert.equal(await state.replacePollSession("a", version, bytes(3)), undefined);
      assert.deepEqual((await state.getPollSession("a", nowMs))?.sealed, bytes(2));
      await other.deletePollSession("a");
      assert.equal(await state.getPollSession("a", nowMs), undefined);
      await state.putEntry("g", "a", "one", expiresAtMs);
      const entry = await other.getEntry("g", "a", nowMs);
      assert.equal(entry?.value, "one");
      assert.equal(
        await other.replaceEntry("g", "a", entry.version, { value: "two", expiresAtMs }, nowMs),
        true,
      );
      assert.deepEqual((await state.listEntries("g", nowMs)).map(({ value }) => value), ["two"]);
    } finally {
      await other.close();
    }
  });
}

interface Creation {
  readonly sealed: Uint8Array;
  readonly expiresAtMs: number;
  readonly maxOpen: number;
  readonly nowMs: number;
}

function create(state: SharedState, key: string, change: Partial<Creation> = {}): Promise<CreateOutcome> {
  const creation = { sealed: bytes(0), expiresAtMs, maxOpen: 1_000, nowMs, ...change };
  return state.createPollSession(key, creation.sealed, creation.expiresAtMs, {
    maxOpen: creation.maxOpen,
    nowMs: creation.nowMs,
  });
}

async function versionOf(state: SharedState, key: string): Promise<string> {
  const session = await state.getPollSession(key, nowMs);
  assert.ok(session, "The session must exist.");
  return session.version;
}

function bytes(seed: number): Uint8Array {
  return Uint8Array.from({ length: 64 + seed }, (_, index) => (index + seed) % 256);
}
