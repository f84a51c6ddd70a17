import assert from "node:assert/strict";
import { createSignIns, type SignIns } from "../../src/credential/sign_in.ts";
import type { AdvanceOutcome, Provider } from "../../src/provider/provider.ts";
import type { RecordStore } from "../../src/store/record_store.ts";
import { aGrant, aSignIn, openBench } from "./scripted_provider.ts";

async function start(signIns: SignIns, provider: Provider): Promise<string> {
  const started = await signIns.start(provider);
  assert.equal(started.kind, "started");
  return started.kind === "started" ? started.sessionId : "";
}

Deno.test("start() returns what the contract promises, and an interval of at least a second", async () => {
  await using bench = await openBench();
  bench.provider.starts.push({ kind: "started", signIn: { ...aSignIn, intervalMs: 0 } });
  const started = await bench.signIns.start(bench.provider);
  assert.ok(started.kind === "started");
  assert.match(started.sessionId, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(started.userCode, "ABCD-1234");
  assert.equal(started.verificationUrl, "https://provider.example/device");
  assert.equal(started.expiresInMs, 900_000);
  assert.equal(started.pollIntervalMs, 1_000);
});

Deno.test("start() says failed when the provider does, and leaves nothing to poll", async () => {
  await using bench = await openBench();
  bench.provider.starts.push({ kind: "failed", reason: "http_503" });
  assert.deepEqual(await bench.signIns.start(bench.provider), { kind: "failed" });
  assert.deepEqual(bench.events, [{ kind: "sign_in_failed", provider: "xai", reason: "http_503" }]);
});

Deno.test("poll() does not know ids that were never given out", async () => {
  await using bench = await openBench();
  for (const id of ["", "x", "../../etc/passwd", "A".repeat(43), "A".repeat(10_000), "%00", "\u{1F600}"]) {
    assert.deepEqual(await bench.signIns.poll(id), { kind: "not_found" }, JSON.stringify(id.slice(0, 50)));
  }
});

Deno.test("poll() leaves the provider alone until its interval has passed, however often the client asks", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  for (let polls = 0; polls < 20; polls++) {
    assert.deepEqual(await bench.signIns.poll(id), { kind: "pending" });
  }
  assert.equal(bench.provider.advancedWith.length, 0);

  bench.clock.nowMs += 5_000;
  bench.provider.steps.push({ kind: "pending" });
  for (let polls = 0; polls < 20; polls++) {
    assert.deepEqual(await bench.signIns.poll(id), { kind: "pending" });
  }
  assert.equal(bench.provider.advancedWith.length, 1);
});

Deno.test("poll() counts the interval from the provider's answer, not from the request", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  bench.clock.nowMs += 5_000;
  bench.provider.steps.push(() => {
    bench.clock.nowMs += 4_000;
    return { kind: "pending" };
  });
  await bench.signIns.poll(id);
  bench.clock.nowMs += 4_999;
  await bench.signIns.poll(id);
  assert.equal(bench.provider.advancedWith.length, 1);
});

Deno.test("poll() adds five seconds for good on slow_down, or what the provider names if that is more", async () => {
  const cases: [AdvanceOutcome, number][] = [
    [{ kind: "slow_down" }, 10_000],
    [{ kind: "slow_down", intervalMs: 25_000 }, 25_000],
    [{ kind: "slow_down", intervalMs: 1_000 }, 10_000],
  ];
  for (const [outcome, intervalMs] of cases) {
    await using bench = await openBench();
    const id = await start(bench.signIns, bench.provider);
    bench.clock.nowMs += 5_000;
    bench.provider.steps.push(outcome, { kind: "pending" }, { kind: "pending" });
    for (let round = 1; round <= 3; round++) {
      assert.deepEqual(await bench.signIns.poll(id), { kind: "pending" });
      assert.equal(bench.provider.advancedWith.length, round);
      bench.clock.nowMs += intervalMs - 1;
      await bench.signIns.poll(id);
      assert.equal(bench.provider.advancedWith.length, round, "asked before the longer interval was over");
      bench.clock.nowMs += 1;
    }
  }
});

Deno.test("poll() survives hiccups of the provider and honours its Retry-After up to a minute", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  bench.provider.steps.push(
    { kind: "unavailable", reason: "http_503" },
    { kind: "unavailable", reason: "http_429", retryAfterMs: 20_000 },
    { kind: "unavailable", reason: "http_429", retryAfterMs: 86_400_000 },
    { kind: "granted", grant: aGrant },
  );
  for (const pauseMs of [5_000, 5_000, 20_000]) {
    bench.clock.nowMs += pauseMs;
    assert.deepEqual(await bench.signIns.poll(id), { kind: "pending" });
  }
  bench.clock.nowMs += 59_999;
  assert.deepEqual(await bench.signIns.poll(id), { kind: "pending" });
  bench.clock.nowMs += 1;
  assert.equal((await bench.signIns.poll(id)).kind, "complete");
});

Deno.test("poll() hands out a JWT that opens the grant, and again until the session expires", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  bench.clock.nowMs += 5_000;
  bench.provider.steps.push({ kind: "granted", grant: aGrant });
  const first = await bench.signIns.poll(id);
  const second = await bench.signIns.poll(id);
  assert.ok(first.kind === "complete");
  assert.deepEqual(second, first);
  const opened = await bench.sessions.open(first.jwt);
  assert.ok(opened.kind === "open");
  assert.deepEqual(opened.session.grant, aGrant);
  assert.equal(opened.session.expiresAtS, Math.floor(bench.clock.nowMs / 1000) + 14 * 86_400);

  bench.clock.nowMs += 36 * 60_000;
  assert.deepEqual(await bench.signIns.poll(id), { kind: "not_found" });
});

Deno.test("poll() stops answering with the JWT once its session is revoked", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  bench.clock.nowMs += 5_000;
  bench.provider.steps.push({ kind: "granted", grant: aGrant });
  const complete = await bench.signIns.poll(id);
  assert.ok(complete.kind === "complete");
  const opened = await bench.sessions.open(complete.jwt);
  assert.ok(opened.kind === "open");
  await bench.sessions.delete(opened.session);
  assert.deepEqual(await bench.signIns.poll(id), { kind: "expired" });
  assert.deepEqual(await bench.signIns.poll(id), { kind: "not_found" });
});

Deno.test("poll() asks the provider once when many polls meet the moment of completion", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  bench.clock.nowMs += 5_000;
  // Were a second step taken, the script would run out and the poll would reject.
  bench.provider.steps.push({ kind: "granted", grant: aGrant });
  const results = await Promise.all(Array.from({ length: 25 }, () => bench.signIns.poll(id)));
  assert.equal(bench.provider.advancedWith.length, 1);
  assert.equal(results.filter(({ kind }) => kind === "complete").length >= 1, true);
  assert.ok(results.every(({ kind }) => kind === "complete" || kind === "pending"));
  assert.equal((await bench.signIns.poll(id)).kind, "complete");
});

Deno.test("poll() keeps the provider's progress over the death of the instance that made it", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  bench.clock.nowMs += 5_000;
  const { promise: never } = Promise.withResolvers<AdvanceOutcome>();
  const reached = Promise.withResolvers<void>();
  bench.provider.steps.push({ kind: "advanced", flow: { code: "canary-code" } }, () => {
    reached.resolve();
    return never;
  });
  // This poll hangs in its second step for good: to the stores it looks like a process that died there.
  void bench.signIns.poll(id);
  await reached.promise;

  const restarted = createSignIns(bench.signInParts);
  assert.deepEqual(await restarted.poll(id), { kind: "pending" }, "the dead owner's time is not over yet");
  bench.clock.nowMs += 12_000;
  bench.provider.steps.push({ kind: "granted", grant: aGrant });
  assert.equal((await restarted.poll(id)).kind, "complete");
  assert.deepEqual(bench.provider.advancedWith.at(-1), { code: "canary-code" });
});

Deno.test("poll() finds the record again when the former owner died after storing it", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  bench.clock.nowMs += 5_000;
  bench.provider.steps.push({ kind: "granted", grant: aGrant });
  const inserted = Promise.withResolvers<void>();
  const dying = createSignIns({
    ...bench.signInParts,
    records: withInsert(bench.store.records, async (record) => {
      await bench.store.records.insert(record);
      inserted.resolve();
      await new Promise(() => {});
    }),
  });
  void dying.poll(id);
  await inserted.promise;
  bench.clock.nowMs += 12_000;
  const result = await bench.signIns.poll(id);
  assert.ok(result.kind === "complete");
  assert.equal((await bench.sessions.open(result.jwt)).kind, "open");
});

Deno.test("poll() completes when a slow former owner stored the record a moment before", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  bench.clock.nowMs += 5_000;
  bench.provider.steps.push({ kind: "granted", grant: aGrant });
  const raced = createSignIns({
    ...bench.signInParts,
    records: withInsert(bench.store.records, async (record) => {
      await bench.store.records.insert(record);
      await bench.store.records.insert(record);
    }),
  });
  assert.equal((await raced.poll(id)).kind, "complete");
});

Deno.test("poll() tells no failure of a former owner after another instance has completed the sign-in", async () => {
  const failures: AdvanceOutcome[] = [
    { kind: "failed", message: "The code was used.", reason: "invalid_grant" },
    { kind: "expired" },
  ];
  for (const failure of failures) {
    await using bench = await openBench();
    const id = await start(bench.signIns, bench.provider);
    bench.clock.nowMs += 5_000;
    bench.provider.steps.push(async () => {
      // The process stood still for longer than it owns the sign-in, and its late request finds the code used up.
      bench.clock.nowMs += 12_000;
      assert.equal((await createSignIns(bench.signInParts).poll(id)).kind, "complete");
      return failure;
    }, { kind: "granted", grant: aGrant });
    assert.deepEqual(await bench.signIns.poll(id), { kind: "pending" });
    assert.deepEqual(bench.events, []);
    assert.equal((await bench.signIns.poll(id)).kind, "complete");
  }
});

Deno.test("poll() does not lose the grant to a database that is down at the wrong moment", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  bench.clock.nowMs += 5_000;
  bench.provider.steps.push({ kind: "granted", grant: aGrant });
  const broken = createSignIns({
    ...bench.signInParts,
    records: withInsert(bench.store.records, () => Promise.reject(new Error("The disk is full."))),
  });
  await assert.rejects(broken.poll(id), /disk is full/);
  bench.clock.nowMs += 12_000;
  assert.equal((await bench.signIns.poll(id)).kind, "complete");
  assert.equal(bench.provider.advancedWith.length, 1);
});

Deno.test("poll() does not bring a session back that was revoked while a slow owner stood still", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  bench.clock.nowMs += 5_000;
  bench.provider.steps.push({ kind: "granted", grant: aGrant });
  // The owner stands still between storing the grant and storing the record.
  const still = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const identity = bench.signInParts.identity;
  const shared = bench.store.shared;
  let writes = 0;
  const slow = createSignIns({
    ...bench.signInParts,
    identity,
    shared: {
      ...shared,
      async replacePollSession(key, version, sealed) {
        const next = await shared.replacePollSession(key, version, sealed);
        if (++writes === 2) {
          reached.resolve();
          await still.promise;
        }
        return next;
      },
    },
  });
  const late = slow.poll(id);
  await reached.promise;
  bench.clock.nowMs += 12_000;
  const result = await bench.signIns.poll(id);
  assert.ok(result.kind === "complete");
  const opened = await bench.sessions.open(result.jwt);
  assert.ok(opened.kind === "open");
  await bench.sessions.delete(opened.session);
  still.resolve();
  assert.deepEqual(await late, { kind: "pending" });
  assert.deepEqual(await bench.sessions.open(result.jwt), { kind: "refused", reason: "revoked" });
});

Deno.test("poll() goes on when the clock was set back", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  bench.clock.nowMs -= 60 * 60_000;
  bench.provider.steps.push({ kind: "granted", grant: aGrant });
  assert.equal((await bench.signIns.poll(id)).kind, "complete");
});

Deno.test("poll() ends for good when the person refused, the code ended or the provider gave up", async () => {
  const cases: [AdvanceOutcome, unknown][] = [
    [{ kind: "denied" }, { kind: "error", message: "The sign-in was refused on the provider's page." }],
    [{ kind: "expired" }, { kind: "expired" }],
    [
      { kind: "failed", message: "This account has no Copilot seat.", reason: "no_copilot_access" },
      { kind: "error", message: "This account has no Copilot seat." },
    ],
  ];
  for (const [outcome, expected] of cases) {
    await using bench = await openBench();
    const id = await start(bench.signIns, bench.provider);
    bench.clock.nowMs += 5_000;
    bench.provider.steps.push(outcome);
    assert.deepEqual(await bench.signIns.poll(id), expected);
    bench.clock.nowMs += 60_000;
    assert.deepEqual(await bench.signIns.poll(id), expected);
    assert.equal(bench.provider.advancedWith.length, 1);
  }
});

Deno.test("a code whose provider names a longer life than 30 minutes ends after 30 minutes here", async () => {
  await using bench = await openBench();
  bench.provider.starts.push({ kind: "started", signIn: { ...aSignIn, expiresInMs: 86_400_000 } });
  const started = await bench.signIns.start(bench.provider);
  assert.ok(started.kind === "started");
  assert.equal(started.expiresInMs, 1_800_000);
  bench.clock.nowMs += 1_799_999;
  bench.provider.steps.push({ kind: "pending" });
  assert.deepEqual(await bench.signIns.poll(started.sessionId), { kind: "pending" });
  bench.clock.nowMs += 1;
  assert.deepEqual(await bench.signIns.poll(started.sessionId), { kind: "expired" });
});

Deno.test("poll() says expired when the code's time is over, without asking the provider", async () => {
  await using bench = await openBench();
  const id = await start(bench.signIns, bench.provider);
  bench.clock.nowMs += 900_000;
  assert.deepEqual(await bench.signIns.poll(id), { kind: "expired" });
  assert.equal(bench.provider.advancedWith.length, 0);
});

Deno.test("two sign-ins of one account are two sessions with the same user id, each revoked alone", async () => {
  await using bench = await openBench();
  const sessions = [];
  for (let device = 0; device < 2; device++) {
    const id = await start(bench.signIns, bench.provider);
    bench.clock.nowMs += 5_000;
    bench.provider.steps.push({ kind: "granted", grant: aGrant });
    const result = await bench.signIns.poll(id);
    assert.ok(result.kind === "complete");
    const opened = await bench.sessions.open(result.jwt);
    assert.ok(opened.kind === "open");
    sessions.push({ jwt: result.jwt, session: opened.session });
  }
  const [phone, laptop] = sessions;
  assert.ok(phone !== undefined && laptop !== undefined);
  assert.equal(phone.session.userId, laptop.session.userId);
  assert.notEqual(phone.session.recordId, laptop.session.recordId);
  await bench.sessions.delete(phone.session);
  assert.deepEqual(await bench.sessions.open(phone.jwt), { kind: "refused", reason: "revoked" });
  assert.equal((await bench.sessions.open(laptop.jwt)).kind, "open");
});

/** The same store with another `insert`. */
function withInsert(records: RecordStore, insert: RecordStore["insert"]): RecordStore {
  return {
    insert,
    get: (id, nowMs) => records.get(id, nowMs),
    update: (id, expectedVersion, update) => records.update(id, expectedVersion, update),
    delete: (id) => records.delete(id),
    sweepExpired: (nowMs, limit) => records.sweepExpired(nowMs, limit),
    ping: () => records.ping(),
    close: () => records.close(),
  };
}
