import assert from "node:assert/strict";
import { createLimiter } from "../../src/guard/limiter.ts";
import { type Admitted, defaultLimitSettings } from "../../src/guard/limits.ts";
import { openKvSharedState } from "../../src/store/kv_shared_state.ts";
import type { SharedState } from "../../src/store/shared_state.ts";
import { address, admitted, refused, send, session, testLimiters } from "./limiter_rig.ts";

const client = address("192.0.2.1");

testLimiters(
  "enter() admits 40 requests at once, refuses the 41st, and one more every 500 ms",
  async ({ advance, start }) => {
    const { limiter } = await start();
    assert.equal(send(limiter, client, 40), 40);
    const { code, retryAfterSeconds, headers } = refused(limiter.enter(client));
    assert.deepEqual({ code, retryAfterSeconds }, { code: "rate_limit_exceeded", retryAfterSeconds: 1 });
    assert.deepEqual(headers, {
      "retry-after": "1",
      "x-ratelimit-limit-requests": "40",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "20s",
    });
    await advance(499);
    assert.equal(send(limiter, client, 1), 0);
    await advance(1);
    assert.equal(send(limiter, client, 2), 1);
    await advance(60_000);
    assert.equal(send(limiter, client, 50), 40);
  },
);

testLimiters(
  "enter() admits a burst and 120 requests in the first minute, and 120 in the next",
  async ({ advance, start }) => {
    const { limiter } = await start();
    const perMinute = async () => {
      let count = 0;
      for (let step = 0; step < 600; step++) {
        count += send(limiter, client, 3);
        await advance(100);
      }
      return count;
    };
    assert.equal(await perMinute(), 40 + 119);
    assert.equal(await perMinute(), 120);
  },
);

testLimiters("enter() tells the wait until the next request in whole seconds", async ({ advance, start }) => {
  const { limiter } = await start({ settings: { ratePerMinute: 6, rateBurst: 2 } });
  assert.equal(send(limiter, client, 3), 2);
  assert.equal(refused(limiter.enter(client)).retryAfterSeconds, 10);
  await advance(2_500);
  assert.equal(refused(limiter.enter(client)).retryAfterSeconds, 8);
  await advance(7_500);
  assert.equal(send(limiter, client, 2), 1);
});

testLimiters("enter() tells on every admission what is left", async ({ advance, start }) => {
  const { limiter } = await start();
  assert.deepEqual(admitted(limiter.enter(client)).headers, {
    "x-ratelimit-limit-requests": "40",
    "x-ratelimit-remaining-requests": "39",
    "x-ratelimit-reset-requests": "1s",
  });
  send(limiter, client, 3);
  await advance(1_000);
  assert.equal(admitted(limiter.enter(client)).headers["x-ratelimit-remaining-requests"], "37");
});

testLimiters(
  "enter() admits 8 requests that last, refuses the 9th, and admits it when one has ended",
  async ({ start }) => {
    const { limiter } = await start();
    const places = Array.from({ length: 8 }, () => admitted(limiter.enter(client)));
    const { code, retryAfterSeconds } = refused(limiter.enter(client));
    assert.deepEqual({ code, retryAfterSeconds }, {
      code: "too_many_concurrent_requests",
      retryAfterSeconds: 1,
    });
    assert.equal(limiter.state(client.address).client?.activeRequests, 8);
    places[3]?.leave();
    places[3]?.leave();
    assert.equal(send(limiter, client, 1), 1);
    const ninth = admitted(limiter.enter(client));
    assert.equal(send(limiter, client, 1), 0);
    ninth.leave();
    for (const place of places) place.leave();
    assert.equal(limiter.state(client.address).client?.activeRequests, 0);
  },
);

testLimiters(
  "enter() takes nothing of the rate for a request that is refused for its company",
  async ({ start }) => {
    const { limiter } = await start();
    const places = Array.from({ length: 8 }, () => limiter.enter(client) as Admitted);
    assert.equal(send(limiter, client, 100), 0);
    for (const place of places) place.leave();
    assert.equal(send(limiter, client, 100), 32);
  },
);

testLimiters(
  "hold() keeps the place of a stream until it ends, each release counted once",
  async ({ start }) => {
    const { limiter } = await start({ settings: { concurrentRequests: 1 } });
    const place = admitted(limiter.enter(client));
    const [first, second] = [place.hold(), place.hold()];
    place.leave();
    assert.equal(send(limiter, client, 1), 0);
    first();
    first();
    place.leave();
    assert.equal(send(limiter, client, 1), 0);
    second();
    assert.equal(send(limiter, client, 1), 1);
    assert.throws(() => place.hold(), /cannot be held/);
  },
);

testLimiters("enter() limits each address and each session by itself", async ({ start }) => {
  const { limiter } = await start();
  assert.equal(send(limiter, client, 41), 40);
  assert.equal(send(limiter, address("192.0.2.2"), 41), 40);
  assert.equal(send(limiter, session("192.0.2.1"), 41), 40);
  assert.equal(send(limiter, session("01A"), 41), 40);
});

testLimiters("admitStart() has an allowance of its own and no concurrency", async ({ start }) => {
  const { limiter } = await start();
  send(limiter, client, 40);
  const outcomes = Array.from({ length: 41 }, () => limiter.admitStart(client.address).kind);
  assert.equal(outcomes.lastIndexOf("admitted"), 39);
  assert.equal(outcomes[40], "refused");
});

testLimiters(
  "authenticationFailed() blocks at the 8th failure for 900 s, whatever comes then",
  async ({ advance, start }) => {
    const { limiter } = await start();
    for (let failure = 1; failure <= 7; failure++) {
      assert.equal(send(limiter, client, 1), 1);
      assert.deepEqual(await limiter.authenticationFailed(client.address), { blocked: false });
      // A success in between clears nothing.
      assert.equal(send(limiter, client, 1), 1);
    }
    assert.deepEqual(await limiter.authenticationFailed(client.address), { blocked: true });
    const { code, retryAfterSeconds, headers } = refused(limiter.enter(client));
    assert.deepEqual({ code, retryAfterSeconds }, { code: "ip_temporarily_blocked", retryAfterSeconds: 900 });
    assert.deepEqual(headers, { "retry-after": "900" });
    assert.equal(limiter.state(client.address).client?.blockedForSeconds, 900);
    assert.equal(limiter.state().blockedClients, 1);
    await advance(899_999);
    assert.equal(refused(limiter.enter(client)).retryAfterSeconds, 1);
    await advance(1);
    assert.equal(send(limiter, client, 1), 1);
    assert.deepEqual(await limiter.authenticationFailed(client.address), { blocked: false });
  },
);

testLimiters("authenticationFailed() counts what lies inside the window only", async ({ advance, start }) => {
  const { limiter } = await start();
  for (let failure = 1; failure <= 7; failure++) await limiter.authenticationFailed(client.address);
  await advance(300_000);
  assert.equal(limiter.state(client.address).client?.failedAuthAttempts, 0);
  for (let failure = 1; failure <= 7; failure++) {
    assert.deepEqual(await limiter.authenticationFailed(client.address), { blocked: false });
    await advance(40_000);
  }
  // The first of these seven is older than the window by now.
  await advance(25_000);
  assert.deepEqual(await limiter.authenticationFailed(client.address), { blocked: false });
  assert.deepEqual(await limiter.authenticationFailed(client.address), { blocked: true });
});

testLimiters(
  "authenticationFailed() lets 8 of 30 guesses sent together learn their outcome",
  async ({ start }) => {
    const { limiter } = await start();
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, () => limiter.authenticationFailed(client.address)),
    );
    assert.equal(outcomes.filter(({ refused }) => refused === undefined).length, 8);
    assert.equal(outcomes[29]?.refused?.code, "ip_temporarily_blocked");
  },
);

testLimiters(
  "enter() admits sessions, and other addresses, while an address is blocked",
  async ({ start }) => {
    const { limiter } = await start();
    for (let failure = 1; failure <= 8; failure++) await limiter.authenticationFailed(client.address);
    assert.equal(send(limiter, client, 1), 0);
    assert.equal(send(limiter, session("01A"), 40), 40);
    assert.equal(send(limiter, address("192.0.2.2"), 40), 40);
    assert.equal(limiter.admitStart(client.address).kind, "admitted");
  },
);

for (const how of ["kill", "stop"] as const) {
  testLimiters(
    `a block and the failures before one survive a restart (${how})`,
    async ({ advance, start }) => {
      const first = await start();
      for (let failure = 1; failure <= 8; failure++) await first.limiter.authenticationFailed(client.address);
      const other = address("192.0.2.2");
      for (let failure = 1; failure <= 7; failure++) await first.limiter.authenticationFailed(other.address);
      await first[how]();
      await advance(100_000);
      const { limiter, errors } = await start();
      assert.ok(refused(limiter.enter(client)).retryAfterSeconds <= 800);
      assert.equal(send(limiter, session("01A"), 1), 1);
      assert.equal(send(limiter, other, 1), 1);
      assert.deepEqual(await limiter.authenticationFailed(other.address), { blocked: true });
      assert.deepEqual(errors, []);
    },
  );
}

testLimiters("wrong credentials from web pages block pages and not programs", async ({ start }) => {
  const { limiter } = await start();
  const program = limiter.addressOf(new Headers(), "127.0.0.1");
  for (const mark of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
    const page = limiter.addressOf(new Headers(mark), "127.0.0.1");
    for (let failure = 1; failure <= 4; failure++) await limiter.authenticationFailed(page);
  }
  const page = limiter.addressOf(new Headers({ origin: "https://mine.example" }), "127.0.0.1");
  assert.equal(refused(limiter.enter({ kind: "address", address: page })).code, "ip_temporarily_blocked");
  // Rate and concurrency are those of the address.
  assert.equal(send(limiter, { kind: "address", address: program }, 41), 40);
  assert.equal(limiter.state(program).client?.failedAuthAttempts, 0);
});

testLimiters("a block and failures of a clock that was set back count no longer", async ({ start, jump }) => {
  const dayMs = 86_400_000;
  const ahead = await start();
  await jump(dayMs);
  const other = address("192.0.2.2");
  for (let failure = 1; failure <= 8; failure++) await ahead.limiter.authenticationFailed(client.address);
  for (let failure = 1; failure <= 7; failure++) await ahead.limiter.authenticationFailed(other.address);
  await jump(-dayMs);
  const started = await start();
  for (const { limiter } of [ahead, started]) {
    assert.equal(send(limiter, client, 1), 1);
    assert.equal(limiter.state().blockedClients, 0);
    assert.deepEqual(await limiter.authenticationFailed(other.address), { blocked: false });
  }
});

testLimiters(
  "what a client has spent survives a stop, and a kill after a second",
  async ({ advance, start }) => {
    const first = await start();
    assert.equal(send(first.limiter, client, 40), 40);
    await first.stop();
    const second = await start();
    assert.equal(send(second.limiter, client, 1), 0);
    await advance(2_000);
    assert.equal(send(second.limiter, client, 10), 4);
    await advance(1_000);
    await second.kill();
    const third = await start();
    // The joining took a moment, in which some came back.
    assert.ok(send(third.limiter, client, 40) <= 8);
  },
);

testLimiters("a blocked address is not forgotten for a flood of others", async ({ start }) => {
  const { limiter } = await start();
  for (let failure = 1; failure <= 8; failure++) await limiter.authenticationFailed(client.address);
  for (let other = 0; other < 60_000; other++) {
    send(limiter, address(`2001:db8:0:${other.toString(16)}::/64`), 1);
  }
  assert.equal(send(limiter, client, 1), 0);
});

testLimiters(
  "the table of clients shrinks by itself, and keeps who has something under way",
  async ({ advance, start }) => {
    const { limiter } = await start();
    for (let index = 0; index < 1_000; index++) send(limiter, address(`192.0.2.${index}`), 1);
    const held = admitted(limiter.enter(client));
    assert.equal(limiter.state().trackedClients, 1_000);
    await advance(2_000);
    assert.equal(limiter.state().trackedClients, 1);
    assert.equal(limiter.state().activeClients, 1);
    held.leave();
    await advance(2_000);
    assert.equal(limiter.state().trackedClients, 0);
  },
);

testLimiters(
  "a flood of addresses makes the table no larger than 50 000, and locks nobody out",
  async ({ advance, start }) => {
    const { limiter } = await start();
    const held = Array.from({ length: 8 }, () => admitted(limiter.enter(client)));
    for (let index = 0; index < 120_000; index++) {
      assert.equal(send(limiter, address(`2001:db8:${index >> 16}:${index & 0xffff}::/64`), 1), 1);
    }
    assert.equal(limiter.state().trackedClients, 50_000);
    assert.equal(send(limiter, client, 1), 0, "Its streams must still count.");
    for (const place of held) place.leave();
    assert.equal(send(limiter, session("01A"), 1), 1);
    await advance(2_000);
    assert.ok(limiter.state().trackedClients <= 2);
  },
);

testLimiters("an exempt address has no limits, no failures and no block", async ({ start }) => {
  const { limiter } = await start({ settings: { exemptAddresses: ["10.0.0.0/8"] } });
  const exempt = limiter.addressOf(new Headers(), "10.1.2.3");
  assert.equal(exempt.exempt, true);
  const subject = { kind: "address", address: exempt } as const;
  const places = Array.from({ length: 100 }, () => admitted(limiter.enter(subject)));
  assert.deepEqual(places[99]?.headers, {});
  places[0]?.hold()();
  places[0]?.leave();
  for (let failure = 0; failure < 20; failure++) {
    assert.deepEqual(await limiter.authenticationFailed(exempt), { blocked: false });
  }
  assert.equal(limiter.enter(subject).kind, "admitted");
  assert.equal(limiter.state(exempt).client, undefined);
  assert.equal(limiter.state().trackedClients, 0);
});

testLimiters(
  "wrong credentials with invented X-Forwarded-For entries block the one who sends them",
  async ({ start }) => {
    const { limiter } = await start({ settings: { trustForwardedFor: true } });
    const seen = [];
    for (let guess = 1; guess <= 12; guess++) {
      const headers = new Headers({ "x-forwarded-for": `203.0.113.${guess}, 198.51.100.7` });
      const from = limiter.addressOf(headers, "127.0.0.1");
      const entered = limiter.enter({ kind: "address", address: from });
      seen.push(entered.kind);
      if (entered.kind === "admitted") {
        await limiter.authenticationFailed(from);
        entered.leave();
      }
    }
    assert.deepEqual(seen, [...Array(8).fill("admitted"), ...Array(4).fill("refused")]);
  },
);

testLimiters("neighbours in one IPv6 /64 are one client, others are not", async ({ start }) => {
  const { limiter } = await start();
  const from = (host: string) =>
    ({ kind: "address", address: limiter.addressOf(new Headers(), host) }) as const;
  let count = 0;
  for (let host = 0; host < 60; host++) count += send(limiter, from(`2001:db8:1:2::${host.toString(16)}`), 1);
  assert.equal(count, 40);
  assert.equal(send(limiter, from("2001:db8:1:3::1"), 1), 1);
});

testLimiters(
  "without the shared state an instance limits and blocks by itself, and catches up",
  async ({ advance, start }) => {
    let isDown = true;
    const { limiter, errors } = await start({ wrap: (shared) => failing(shared, () => isDown) });
    assert.equal(send(limiter, client, 41), 40);
    for (let failure = 1; failure <= 7; failure++) await limiter.authenticationFailed(client.address);
    assert.deepEqual(await limiter.authenticationFailed(client.address), { blocked: true });
    const other = address("192.0.2.2");
    for (let failure = 1; failure <= 7; failure++) await limiter.authenticationFailed(other.address);
    assert.ok(errors.length >= 16);
    isDown = false;
    await advance(1_000);
    assert.deepEqual(await limiter.authenticationFailed(other.address), { blocked: true });
  },
);

Deno.test("createLimiter() refuses limits that are no whole numbers above 0", async () => {
  const shared = await openKvSharedState({ path: ":memory:" });
  for (const name of ["ratePerMinute", "rateBurst", "concurrentRequests", "failedAuthBlockMs"]) {
    for (const value of [0, -1, 1.5, NaN, Infinity]) {
      const settings = { ...defaultLimitSettings, [name]: value };
      assert.throws(() => createLimiter({ settings, shared }), new RegExp(`The limit ${name} must be`));
    }
  }
  assert.throws(
    () => createLimiter({ settings: { ...defaultLimitSettings, trustedProxyHops: 0 }, shared }),
    TypeError,
  );
  await shared.close();
});

Deno.test("createLimiter() gets ready and closes on real timers", async () => {
  const shared = await openKvSharedState({ path: ":memory:" });
  const limiter = createLimiter({ settings: defaultLimitSettings, shared });
  await limiter.ready;
  assert.equal(send(limiter, client, 41), 40);
  await limiter.close();
  await limiter.close();
  await shared.close();
});

function failing(shared: SharedState, isDown: () => boolean): SharedState {
  return new Proxy(shared, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...parameters: unknown[]) =>
        isDown() ? Promise.reject(new Error("The engine is away.")) : method.apply(target, parameters);
    },
  });
}
