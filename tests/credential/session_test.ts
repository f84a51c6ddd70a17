import assert from "node:assert/strict";
import { revoke } from "../../src/credential/revoke.ts";
import { createSessions } from "../../src/credential/session.ts";
import { createJwtKeyRing, createSessionJwt } from "../../src/crypto/session_jwt.ts";
import { aGrant, openBench, ScriptedProvider } from "./scripted_provider.ts";

type Bench = Awaited<ReturnType<typeof openBench>>;

async function signIn(bench: Bench): Promise<string> {
  const started = await bench.signIns.start(bench.provider);
  assert.ok(started.kind === "started");
  bench.clock.nowMs += 5_000;
  bench.provider.steps.push({ kind: "granted", grant: aGrant });
  const result = await bench.signIns.poll(started.sessionId);
  assert.ok(result.kind === "complete");
  return result.jwt;
}

Deno.test("open() names the reason of each refusal for the log", async () => {
  await using bench = await openBench();
  const jwt = await signIn(bench);
  const opened = await bench.sessions.open(jwt);
  assert.ok(opened.kind === "open");
  const { recordId, key, expiresAtS } = opened.session;
  const claims = { recordId, key, provider: "xai", issuedAtS: expiresAtS - 60, expiresAtS } as const;
  const foreign = createSessionJwt(createJwtKeyRing({ current: new Uint8Array(32).fill(1), previous: [] }));

  const cases: [string, string | undefined][] = [
    ["missing", undefined],
    ["malformed", "not-a-jwt"],
    ["signature", await foreign.sign(claims)],
    ["expired", await bench.sessionJwt.sign({ ...claims, issuedAtS: 1, expiresAtS: 2 })],
    ["revoked", await bench.sessionJwt.sign({ ...claims, recordId: "01ARZ3NDEKTSV4RRFFQ69G5FAV" })],
    ["wrong_key", await bench.sessionJwt.sign({ ...claims, key: new Uint8Array(32) })],
    ["provider_disabled", await bench.sessionJwt.sign({ ...claims, provider: "github" })],
  ];
  for (const [reason, token] of cases) {
    assert.deepEqual(await bench.sessions.open(token), { kind: "refused", reason }, reason);
  }
});

Deno.test("open() refuses a record under another provider than it was sealed for", async () => {
  await using bench = await openBench();
  const jwt = await signIn(bench);
  const opened = await bench.sessions.open(jwt);
  assert.ok(opened.kind === "open");
  const { recordId, key, expiresAtS } = opened.session;
  const sessions = createSessions({
    ...bench.signInParts,
    providers: new Map([["github", new ScriptedProvider("github")]]),
  });
  const moved = await bench.sessionJwt.sign({ recordId, key, provider: "github", issuedAtS: 1, expiresAtS });
  assert.deepEqual(await sessions.open(moved), { kind: "refused", reason: "wrong_key" });
});

Deno.test("revoke() ends the session here even when the provider fails, and tells the provider", async () => {
  await using bench = await openBench();
  const jwt = await signIn(bench);
  const opened = await bench.sessions.open(jwt);
  assert.ok(opened.kind === "open");
  await revoke(opened.session, bench.sessions);
  assert.deepEqual(bench.provider.revoked, [aGrant]);
  assert.deepEqual(await bench.sessions.open(jwt), { kind: "refused", reason: "revoked" });

  const other = await bench.sessions.open(await signIn(bench));
  assert.ok(other.kind === "open");
  bench.provider.revoke = () => Promise.reject(new Error("The provider is down."));
  await revoke(other.session, bench.sessions);
  assert.equal((await bench.sessions.reopen(other.session)).kind, "refused");
});

Deno.test("open() takes the user id from the sealed part, whatever the database says", async () => {
  await using bench = await openBench();
  const jwt = await signIn(bench);
  const opened = await bench.sessions.open(jwt);
  assert.ok(opened.kind === "open");
  const record = await bench.store.records.get(opened.session.recordId, bench.clock.nowMs);
  assert.equal(record?.accountIdHash, opened.session.userId);
  const sessions = createSessions({
    ...bench.signInParts,
    records: {
      ...bench.store.records,
      get: () =>
        Promise.resolve(record === undefined ? undefined : { ...record, accountIdHash: "somebody-else" }),
    },
  });
  const reread = await sessions.open(jwt);
  assert.ok(reread.kind === "open");
  assert.equal(reread.session.userId, opened.session.userId);
});
