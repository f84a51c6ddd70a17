import assert from "node:assert/strict";
import { createBrowserClient } from "../../../src/page/client/browser_client.ts";
import { RelayError } from "../../../src/page/client/relay_error.ts";
import { manualTimers } from "../manual_timers.ts";
import { json, type Reply, sessionId, type StubRelay } from "../stub_relay.ts";
import { type Bench, clientTest, jwt } from "./client_bench.ts";

const poll = `GET /auth/poll/${sessionId}`;

function pollCount(relay: StubRelay): number {
  return relay.requests.filter(({ path }) => path.startsWith("/auth/poll/")).length;
}

/** Starts a sign-in and returns its end with the two timers that it sets first. */
async function waiting({ client, nextTimer, abort }: Bench) {
  const started = await client.start("openai", abort.signal);
  const outcome = client.waitForSignIn(started, abort.signal);
  const [deadline, interval] = [await nextTimer(), await nextTimer()];
  return { outcome, deadline, interval };
}

clientTest("start() sends the provider and reads the code", async ({ relay, client, abort }) => {
  const started = await client.start("xai", abort.signal);
  assert.equal(started.userCode, "WDJB-MJHT5");
  assert.equal(started.verificationUrl, "https://auth.openai.com/codex/device");
  assert.deepEqual(relay.requests.map(({ method, path, body }) => [method, path, body]), [
    ["POST", "/auth/start", '{"provider":"xai"}'],
  ]);
  assert.equal(relay.requests[0]?.headers.get("content-type"), "application/json");
});

clientTest(
  "start() rejects with the relay's sentence when the relay refuses",
  async ({ relay, client, abort }) => {
    const cases: [Reply, string, number | undefined][] = [
      [json({ error: "Grok is not enabled on this relay." }, 400), "Grok is not enabled on this relay.", 400],
      [json({ error: { message: "Too many sign-ins.", code: "x" } }, 429), "Too many sign-ins.", 429],
      [
        () => new Response("<h1>Bad gateway</h1>", { status: 502 }),
        "The relay answered with status 502. Try again later.",
        502,
      ],
      [
        () => new Response("<h1>Welcome</h1>"),
        "The relay gave an answer that this page cannot read. Reload the page and try again.",
        undefined,
      ],
    ];
    for (const [reply, message, status] of cases) {
      relay.on("POST /auth/start", reply);
      await assert.rejects(client.start("xai", abort.signal), (error) => {
        assert(error instanceof RelayError);
        assert.deepEqual([error.message, error.status], [message, status]);
        return true;
      });
    }
  },
);

clientTest(
  "start() refuses a verification address that would run as a script",
  async ({ relay, client, abort }) => {
    for (const verificationUrl of ["javascript:alert(1)", "data:text/html,x", "/relative", 7]) {
      relay.on(
        "POST /auth/start",
        json({
          sessionId,
          provider: "xai",
          userCode: "A",
          verificationUrl,
          expiresInMs: 1,
          pollIntervalMs: 1,
        }),
      );
      await assert.rejects(client.start("xai", abort.signal), RelayError);
    }
  },
);

clientTest(
  "start() says that the relay cannot be reached when it cannot",
  async ({ relay, client, abort }) => {
    await relay[Symbol.asyncDispose]();
    await assert.rejects(client.start("xai", abort.signal), /could not be reached/);
  },
);

clientTest("waitForSignIn() polls first after one interval and keeps the interval", async (bench) => {
  const { relay, nextTimer } = bench;
  relay.on(
    poll,
    json({ status: "pending" }),
    json({ status: "something_new", interval: 60 }),
    () => new Response("<html>hotel network</html>"),
    json({ status: "complete", jwt }),
  );
  const { outcome, deadline, interval } = await waiting(bench);
  assert.deepEqual([deadline.delayMs, interval.delayMs], [900_000, 5000]);
  assert.equal(pollCount(relay), 0);
  interval.fire();
  for (let polls = 1; polls <= 3; polls += 1) {
    const next = await nextTimer();
    assert.equal(next.delayMs, 5000);
    assert.equal(pollCount(relay), polls);
    next.fire();
  }
  assert.deepEqual(await outcome, { kind: "complete", jwt });
  assert.equal(deadline.cancelled, true);
});

clientTest("waitForSignIn() waits at least one second between polls", async (bench) => {
  bench.relay.on(
    "POST /auth/start",
    json({
      sessionId,
      userCode: "A",
      verificationUrl: "https://x.ai/",
      expiresInMs: 60_000,
      pollIntervalMs: 10,
    }),
  );
  const { outcome, interval, deadline } = await waiting(bench);
  assert.equal(interval.delayMs, 1000);
  deadline.fire();
  assert.deepEqual(await outcome, { kind: "expired" });
});

clientTest("waitForSignIn() goes on when a poll meets a network error", async (bench) => {
  let failures = 2;
  const timers = manualTimers();
  const flaky = createBrowserClient({
    baseUrl: bench.relay.baseUrl,
    fetch: (url, init) =>
      url.includes("/auth/poll/") && failures-- > 0 ? Promise.reject(new TypeError("cut")) : fetch(url, init),
    schedule: timers.schedule,
  });
  bench.relay.on(poll, json({ status: "complete", jwt }));
  const { outcome, interval } = await waiting({ ...bench, client: flaky, nextTimer: timers.next });
  interval.fire();
  (await timers.next()).fire();
  (await timers.next()).fire();
  assert.deepEqual(await outcome, { kind: "complete", jwt });
  assert.equal(pollCount(bench.relay), 1);
});

clientTest("waitForSignIn() ends on every status outside 2xx and on an error state", async (bench) => {
  const cases: [Reply, string][] = [
    [json({ status: "error", error: "session not found" }, 404), "session not found"],
    [json({ error: { message: "Slow down." } }, 429), "Slow down."],
    [() => new Response(null, { status: 503 }), "The relay answered with status 503. Try again later."],
    [json({ status: "error", error: "You refused the sign-in." }), "You refused the sign-in."],
  ];
  for (const [reply, message] of cases) {
    bench.relay.on(poll, reply);
    const { outcome, interval } = await waiting(bench);
    interval.fire();
    assert.deepEqual(await outcome, { kind: "failed", message });
  }
});

clientTest("waitForSignIn() reports expiry by the relay and by its own clock", async (bench) => {
  bench.relay.on(poll, json({ status: "expired" }));
  const told = await waiting(bench);
  told.interval.fire();
  assert.deepEqual(await told.outcome, { kind: "expired" });

  const silent = await waiting(bench);
  silent.deadline.fire();
  assert.deepEqual(await silent.outcome, { kind: "expired" });
  assert.equal(silent.interval.cancelled, true);
  assert.equal(pollCount(bench.relay), 1);
});

clientTest("waitForSignIn() gives up at the deadline when a poll hangs", async (bench) => {
  const arrived = Promise.withResolvers<void>();
  const release = Promise.withResolvers<Response>();
  bench.relay.on(poll, () => {
    arrived.resolve();
    return release.promise;
  });
  const { outcome, interval, deadline } = await waiting(bench);
  interval.fire();
  await arrived.promise;
  deadline.fire();
  assert.deepEqual(await outcome, { kind: "expired" });
  release.resolve(Response.json({ status: "pending" }));
});

clientTest("waitForSignIn() rejects and stops its timers when the caller aborts", async (bench) => {
  const { outcome, interval, deadline } = await waiting(bench);
  bench.abort.abort();
  await assert.rejects(outcome, { name: "AbortError" });
  assert.deepEqual([interval.cancelled, deadline.cancelled], [true, true]);
  assert.equal(pollCount(bench.relay), 0);
});

clientTest(
  "whoami(), models() and revoke() carry the JWT in the header only",
  async ({ relay, client, abort }) => {
    const owner = await client.whoami(jwt, abort.signal);
    assert.deepEqual(owner, {
      userId: "Q0hBVEdQVC1wZXJzb24tb3BhcXVlLWlkZW50aWZpZXI",
      provider: "openai",
      expiresAt: 1_796_600_000,
    });
    assert.deepEqual(await client.models(jwt, abort.signal), ["gpt-5.5", "gpt-5.5-mini"]);
    await client.revoke(jwt, abort.signal);
    assert.deepEqual(relay.requests.map(({ method, path }) => `${method} ${path}`), [
      "GET /auth/whoami",
      "GET /v1/models",
      "POST /auth/revoke",
    ]);
    for (const { headers, body } of relay.requests) {
      assert.equal(headers.get("authorization"), `Bearer ${jwt}`);
      assert.equal(body, "");
    }
  },
);

clientTest(
  "whoami() says that the session has ended when the relay answers 401",
  async ({ relay, client, abort }) => {
    relay.on("GET /auth/whoami", json({ error: "unauthorized" }, 401));
    await assert.rejects(client.whoami(jwt, abort.signal), (error) => {
      assert(error instanceof RelayError && error.sessionEnded);
      assert.equal(error.message, "Your session has ended. Sign in again.");
      return true;
    });
  },
);

clientTest(
  "revoke() takes a session that had ended for a success, and nothing else",
  async ({ relay, client, abort }) => {
    relay.on(
      "POST /auth/revoke",
      json({ error: "unauthorized" }, 401),
      json({ error: { message: "Try later." } }, 503),
    );
    await client.revoke(jwt, abort.signal);
    await assert.rejects(client.revoke(jwt, abort.signal), /^RelayError: Try later\.$/);
  },
);
