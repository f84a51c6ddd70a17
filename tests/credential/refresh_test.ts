import assert from "node:assert/strict";
import { createRefresher } from "../../src/credential/refresh.ts";
import type { Session, Sessions } from "../../src/credential/session.ts";
import type { Grant, RefreshOutcome } from "../../src/provider/provider.ts";
import { aGrant, openBench } from "./scripted_provider.ts";

type Bench = Awaited<ReturnType<typeof openBench>>;

/** Signs in and moves the clock to a minute before the access token's end. */
async function signInThenAge(bench: Bench): Promise<Session> {
  const started = await bench.signIns.start(bench.provider);
  assert.ok(started.kind === "started");
  bench.clock.nowMs += 5_000;
  bench.provider.steps.push({ kind: "granted", grant: aGrant });
  const result = await bench.signIns.poll(started.sessionId);
  assert.ok(result.kind === "complete");
  const opened = await bench.sessions.open(result.jwt);
  assert.ok(opened.kind === "open");
  bench.clock.nowMs = aGrant.accessExpiresAtMs - 60_000;
  return opened.session;
}

function newer(bench: Bench, n: number): Grant {
  return {
    ...aGrant,
    accessToken: `canary-access-${n}`,
    refreshToken: `canary-refresh-${n}`,
    accessExpiresAtMs: bench.clock.nowMs + 3_600_000,
  };
}

function refresherOf({ sessions, now, observe }: Bench) {
  return createRefresher({ sessions, now, observe, pause: () => Promise.resolve() });
}

Deno.test("ensureFresh() costs nothing while the access token is young", async () => {
  await using bench = await openBench();
  const session = await signInThenAge(bench);
  bench.clock.nowMs = aGrant.accessExpiresAtMs - 5 * 60_000 - 1;
  assert.deepEqual(await refresherOf(bench).ensureFresh(session), { kind: "fresh", session });
  assert.deepEqual(bench.provider.redeemed, []);
});

Deno.test("ensureFresh() renews a short-lived token in the last fifth of its life only", async () => {
  await using bench = await openBench();
  const signedIn = await signInThenAge(bench);
  const lifeMs = 100_000;
  const grant = { ...newer(bench, 2), accessExpiresAtMs: bench.clock.nowMs + lifeMs };
  assert.equal(await bench.sessions.replaceGrant(signedIn, grant), "updated");
  const opened = await bench.sessions.reopen(signedIn);
  assert.ok(opened.kind === "open");
  const refresher = refresherOf(bench);
  bench.clock.nowMs += 79_999;
  assert.deepEqual(await refresher.ensureFresh(opened.session), { kind: "fresh", session: opened.session });
  bench.clock.nowMs += 1;
  bench.provider.refreshes.push({ kind: "refreshed", grant: newer(bench, 3) });
  await refresher.ensureFresh(opened.session);
  assert.deepEqual(bench.provider.redeemed, ["canary-refresh-2"]);
});

Deno.test("ensureFresh() redeems once for parallel calls and stores the new tokens before anybody has them", async () => {
  await using bench = await openBench();
  const session = await signInThenAge(bench);
  const refresher = refresherOf(bench);
  const grant = newer(bench, 2);
  bench.provider.refreshes.push({ kind: "refreshed", grant });
  const results = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const result = await refresher.ensureFresh(session);
      const stored = await bench.sessions.reopen(session);
      return [result, stored] as const;
    }),
  );
  assert.deepEqual(bench.provider.redeemed, ["canary-refresh"]);
  for (const [result, stored] of results) {
    assert.ok(result.kind === "fresh" && stored.kind === "open");
    assert.deepEqual(result.session.grant, grant);
    assert.deepEqual(stored.session.grant, grant);
    assert.equal(result.session.version, stored.session.version);
  }
});

Deno.test("ensureFresh() uses what another process has renewed meanwhile instead of redeeming again", async () => {
  await using bench = await openBench();
  const session = await signInThenAge(bench);
  const grant = newer(bench, 2);
  assert.equal(await bench.sessions.replaceGrant(session, grant), "updated");
  const result = await refresherOf(bench).ensureFresh(session);
  assert.ok(result.kind === "fresh");
  assert.deepEqual(result.session.grant, grant);
  assert.deepEqual(bench.provider.redeemed, []);
});

Deno.test("ensureFresh() goes on with the old token while it lives when the provider is down", async () => {
  await using bench = await openBench();
  const session = await signInThenAge(bench);
  bench.provider.refreshes.push(
    { kind: "unavailable", reason: "http_503" },
    { kind: "unavailable", reason: "http_503" },
    { kind: "refreshed", grant: newer(bench, 2) },
  );
  const refresher = refresherOf(bench);
  assert.deepEqual(await refresher.ensureFresh(session), { kind: "fresh", session });
  bench.clock.nowMs = aGrant.accessExpiresAtMs;
  assert.deepEqual(await refresher.ensureFresh(session), { kind: "unavailable" });
  assert.equal((await refresher.ensureFresh(session)).kind, "fresh");
});

Deno.test("ensureFresh() ends the session when the provider has ended the grant", async () => {
  await using bench = await openBench();
  const session = await signInThenAge(bench);
  bench.provider.refreshes.push({ kind: "ended", reason: "invalid_grant" });
  assert.deepEqual(await refresherOf(bench).ensureFresh(session), { kind: "ended" });
  assert.deepEqual(await bench.sessions.reopen(session), { kind: "refused", reason: "revoked" });
  assert.deepEqual(bench.events, [
    { kind: "refresh_failed", provider: "xai", ended: true, reason: "invalid_grant" },
  ]);
});

Deno.test("ensureFresh() does not end a session whose token another process redeemed a moment earlier", async () => {
  await using bench = await openBench();
  const session = await signInThenAge(bench);
  const grant = newer(bench, 2);
  bench.provider.refreshes.push(async (): Promise<RefreshOutcome> => {
    // The other process was first at the provider and stores its result while ours gets the refusal.
    await bench.sessions.replaceGrant(session, grant);
    return { kind: "ended", reason: "refresh_token_reused" };
  });
  const result = await refresherOf(bench).ensureFresh(session);
  assert.ok(result.kind === "fresh");
  assert.deepEqual(result.session.grant, grant);
});

Deno.test("ensureFresh() does not bring back a session that was revoked during the refresh", async () => {
  await using bench = await openBench();
  const session = await signInThenAge(bench);
  bench.provider.refreshes.push(async (): Promise<RefreshOutcome> => {
    await bench.sessions.delete(session);
    return { kind: "refreshed", grant: newer(bench, 2) };
  });
  assert.deepEqual(await refresherOf(bench).ensureFresh(session), { kind: "ended" });
  assert.equal((await bench.sessions.reopen(session)).kind, "refused");
});

Deno.test("ensureFresh() takes a time-out as undecided and lets other faults through", async () => {
  await using bench = await openBench();
  const session = await signInThenAge(bench);
  const refresher = refresherOf(bench);
  bench.provider.refreshes.push(() => Promise.reject(new DOMException("Signal timed out.", "TimeoutError")));
  assert.deepEqual(await refresher.ensureFresh(session), { kind: "fresh", session });
  bench.provider.refreshes.push(() => Promise.reject(new Error("A bug.")));
  await assert.rejects(refresher.ensureFresh(session), /A bug/);
  bench.provider.refreshes.push({ kind: "refreshed", grant: newer(bench, 2) });
  assert.equal(
    (await refresher.ensureFresh(session)).kind,
    "fresh",
    "a failed flight must not stay in the air",
  );
});

Deno.test("renewRejected() redeems for a refused token once, and not again when the token is another by now", async () => {
  await using bench = await openBench();
  const session = await signInThenAge(bench);
  const refresher = refresherOf(bench);
  const grant = newer(bench, 2);
  bench.provider.refreshes.push({ kind: "refreshed", grant });
  const first = await refresher.renewRejected(session);
  const second = await refresher.renewRejected(session);
  assert.ok(first.kind === "fresh" && second.kind === "fresh");
  assert.deepEqual(second.session.grant, grant);
  assert.deepEqual(bench.provider.redeemed, ["canary-refresh"]);
});

Deno.test("ensureFresh() writes the new tokens until they are written: the old ones are used up", async () => {
  await using bench = await openBench();
  const session = await signInThenAge(bench);
  const grant = newer(bench, 2);
  bench.provider.refreshes.push({ kind: "refreshed", grant });
  let failures = 4;
  const sessions: Sessions = {
    ...bench.sessions,
    replaceGrant(current, next) {
      return failures-- > 0
        ? Promise.reject(new Error("The disk is full."))
        : bench.sessions.replaceGrant(current, next);
    },
  };
  const result = await refresherOf({ ...bench, sessions }).ensureFresh(session);
  assert.ok(result.kind === "fresh");
  assert.deepEqual(result.session.grant, grant);
  const stored = await bench.sessions.reopen(session);
  assert.ok(stored.kind === "open");
  assert.deepEqual(stored.session.grant, grant);
});

Deno.test("ensureFresh() gives tokens back that came after the session was revoked", async () => {
  await using bench = await openBench();
  const session = await signInThenAge(bench);
  const grant = newer(bench, 2);
  bench.provider.refreshes.push(async (): Promise<RefreshOutcome> => {
    await bench.sessions.delete(session);
    return { kind: "refreshed", grant };
  });
  assert.deepEqual(await refresherOf(bench).ensureFresh(session), { kind: "ended" });
  assert.deepEqual(bench.provider.revoked, [grant]);
});
