import assert from "node:assert/strict";
import type { Limiter, LimitSubject } from "../../src/guard/limits.ts";
import {
  address,
  admitted,
  type Instance,
  type LimiterRig,
  send,
  session,
  testLimiters,
} from "./limiter_rig.ts";

const client = address("192.0.2.1");
const burst = 40;
/** What instances together may admit of a burst. */
const burstAndTenth = burst * 1.1;

async function startTwo({ start, advance }: LimiterRig): Promise<readonly [Limiter, Limiter]> {
  const { limiter: one } = await start();
  const { limiter: other } = await start();
  await advance(0);
  return [one, other];
}

testLimiters("two instances that are hit at once admit one burst together", async (rig) => {
  const [one, other] = await startTwo(rig);
  assert.equal(send(one, client, 100) + send(other, client, 100), burst);
  // What they had for themselves comes back to all of them only once.
  await rig.advance(20_000);
  const again = send(one, client, 100) + send(other, client, 100);
  assert.ok(again > burst * 0.8 && again <= burstAndTenth, `${again}`);
});

testLimiters(
  "two instances that are hit in turn, request by request, admit one burst together",
  async (rig) => {
    const [one, other] = await startTwo(rig);
    let count = 0;
    for (let sent = 0; sent < 100; sent++) count += send(sent % 2 === 0 ? one : other, client, 1);
    assert.equal(count, burst);
  },
);

testLimiters(
  "two instances admit one burst together when first one and then the other is hit",
  async (rig) => {
    const [one, other] = await startTwo(rig);
    const start = rig.now();
    let count = 0;
    for (let step = 0; step < 30; step++) {
      count += send(one, client, 10);
      await rig.advance(50);
    }
    for (let step = 0; step < 30; step++) {
      count += send(other, client, 10);
      await rig.advance(50);
    }
    const allowed = burst + (rig.now() - start) * 120 / 60_000;
    assert.ok(count <= allowed + burst * 0.1, `${count} of ${allowed}`);
    assert.ok(count >= burst, `${count} of ${allowed}`);
  },
);

testLimiters(
  "two instances admit a minute's requests together, however the client divides them",
  async (rig) => {
    const [one, other] = await startTwo(rig);
    let seed = 7;
    const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    let count = 0;
    let leaning = 0.5;
    for (let step = 0; step < 1_200; step++) {
      // Now and then the client moves from one instance to the other.
      if (step % 150 === 0) leaning = random();
      for (let sent = 0; sent < 4; sent++) count += send(random() < leaning ? one : other, client, 1);
      await rig.advance(50);
    }
    const allowed = burst + 120;
    assert.ok(count <= allowed * 1.1, `${count} of ${allowed}`);
    assert.ok(count >= allowed * 0.75, `${count} of ${allowed}`);
  },
);

testLimiters(
  "an instance gets the whole limit within a second when the other does not need its part",
  async (rig) => {
    const [one, other] = await startTwo(rig);
    assert.equal(send(one, client, 11), 11);
    await rig.advance(1_000);
    const more = send(one, client, 100);
    assert.ok(11 + more >= burst && 11 + more <= burst + 2, `${more}`);
    // A client that comes back to the other one is not refused at once.
    assert.equal(send(other, client, 10), 2);
    await rig.advance(25_000);
    // Everything has come back, the parts too.
    assert.equal(send(one, client, 100), burst / 2);
    assert.equal(send(other, client, 100), burst / 2);
  },
);

testLimiters("a client that keeps to one instance of two gets its 120 requests a minute", async (rig) => {
  const [one] = await startTwo(rig);
  let count = 0;
  for (let step = 0; step < 1_200; step++) {
    count += send(one, client, 1);
    await rig.advance(50);
  }
  assert.ok(count >= 150 && count <= 162, `${count}`);
});

testLimiters("two instances hold 8 requests of a client together, hit at once and in turn", async (rig) => {
  const instances = await startTwo(rig);
  const held = instances.flatMap((limiter) => enterAll(limiter, client, 20));
  assert.equal(held.length, 8);
  for (let step = 0; step < 20; step++) {
    await rig.advance(250);
    assert.equal(instances.flatMap((limiter) => enterAll(limiter, client, 5)).length, 0);
  }
});

testLimiters("an instance gets the other's places within a second, and gives them back", async (rig) => {
  const [one, other] = await startTwo(rig);
  const held = enterAll(one, client, 20);
  assert.equal(held.length, 4);
  await rig.advance(1_000);
  held.push(...enterAll(one, client, 20));
  assert.equal(held.length, 7);
  const elsewhere = enterAll(other, client, 20);
  assert.equal(elsewhere.length, 1);
  for (const leave of held.splice(0, 5)) leave();
  for (let step = 0; step < 4; step++) {
    await rig.advance(250);
    elsewhere.push(...enterAll(other, client, 20));
    assert.ok(held.length + elsewhere.length <= 8);
  }
  assert.ok(elsewhere.length >= 4, `${elsewhere.length}`);
});

testLimiters("the places and the spending of a killed instance come free when it is missed", async (rig) => {
  const one = await rig.start();
  const other = await rig.start();
  await rig.advance(1_000);
  enterAll(one.limiter, client, 20);
  await rig.advance(1_000);
  enterAll(one.limiter, client, 20);
  assert.equal(enterAll(other.limiter, client, 20).length, 1);
  await one.kill();
  await rig.advance(2_000);
  assert.equal(enterAll(other.limiter, client, 20).length, 0);
  await rig.advance(5_000);
  assert.equal(enterAll(other.limiter, client, 20).length, 7);
  assert.deepEqual(other.errors, []);
});

testLimiters("an instance that comes takes nothing that another has admitted already", async (rig) => {
  const { limiter: one } = await rig.start();
  assert.equal(send(one, client, 100), burst);
  const streams = enterAll(one, session("01A"), 8);
  assert.equal(streams.length, 8);
  const { limiter: other } = await rig.start();
  const joiningMs = 1_000;
  assert.ok(send(one, client, 100) + send(other, client, 100) <= burst * 0.1 + joiningMs * 120 / 60_000);
  assert.equal(enterAll(other, session("01A"), 8).length, 0);
  streams[0]?.();
  await rig.advance(1_000);
  assert.equal([one, other].flatMap((limiter) => enterAll(limiter, session("01A"), 8)).length, 1);
});

testLimiters("an instance that goes leaves what clients have spent to the others", async (rig) => {
  const one = await rig.start();
  const other = await rig.start();
  assert.equal(send(one.limiter, client, 100), burst / 2);
  await one.stop();
  await rig.advance(500);
  const count = send(other.limiter, client, 100);
  assert.ok(count >= burst / 2 && count <= burst / 2 + 2, `${count}`);
  await rig.advance(20_000);
  assert.equal(send(other.limiter, client, 100), burst);
});

testLimiters("an instance that comes after a killed one is ready soon, and has everything", async (rig) => {
  const one = await rig.start();
  await one.kill();
  const before = rig.now();
  const { limiter } = await rig.start();
  assert.ok(rig.now() - before <= 1_300);
  await rig.advance(100);
  assert.equal(send(limiter, client, 100), burst);
});

testLimiters("five instances admit one burst and hold 8 requests together", async (rig) => {
  const limiters: Limiter[] = [];
  for (let index = 0; index < 5; index++) limiters.push((await rig.start()).limiter);
  assert.equal(limiters.reduce((sum, limiter) => sum + send(limiter, client, 100), 0), burst);
  const held = limiters.flatMap((limiter) => enterAll(limiter, session("01A"), 20));
  assert.equal(held.length, 8);
  let count = 0;
  const start = rig.now();
  for (let step = 0; step < 300; step++) {
    for (const [index, limiter] of limiters.entries()) {
      if (step % 50 < 10 * (index + 1)) count += send(limiter, client, 2);
    }
    await rig.advance(100);
  }
  const allowed = (rig.now() - start) * 120 / 60_000;
  assert.ok(count <= allowed + burst * 0.1, `${count} of ${allowed}`);
});

testLimiters("a block made by one instance is known to the other within half a second", async (rig) => {
  const [one, other] = await startTwo(rig);
  for (let failure = 1; failure <= 8; failure++) await one.authenticationFailed(client.address);
  await rig.advance(500);
  assert.equal(send(other, client, 1), 0);
  assert.equal(other.state().blockedClients, 1);
});

testLimiters("failures at two instances are one count, also when they come at once", async (rig) => {
  const [one, other] = await startTwo(rig);
  const outcomes = await Promise.all(
    Array.from(
      { length: 30 },
      (_, index) => (index % 2 === 0 ? one : other).authenticationFailed(client.address),
    ),
  );
  // Each lets at most those pass that it has counted before it hears of the other's.
  const answered = outcomes.filter(({ refused }) => refused === undefined).length;
  assert.equal(answered, 8);
  assert.equal(send(one, client, 1) + send(other, client, 1), 0);
});

for (const seed of [1, 2, 3, 4, 5, 6]) {
  testLimiters(
    `instances that come and go admit no more than one would, at any time (seed ${seed})`,
    async (rig) => {
      let state = seed;
      const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
      const instances = [await rig.start(), await rig.start()];
      const admissions: number[] = [];
      const streams: { readonly leave: () => void; readonly at: Instance }[] = [];
      let leaning = 0;
      for (let step = 0; step < 500; step++) {
        const chance = random();
        if (chance < 0.01 && instances.length < 4) instances.push(await rig.start());
        else if (chance < 0.02 && instances.length > 1) {
          const [gone] = instances.splice(Math.floor(random() * instances.length), 1);
          await gone?.stop();
          // Streams of a stopped process have ended with it.
          streams.splice(0, streams.length, ...streams.filter(({ at }) => at !== gone));
        }
        if (random() < 0.03) leaning = random();
        const load = step % 120 < 90 ? 4 : 0;
        for (let sent = 0; sent < load; sent++) {
          const index = random() < 0.8
            ? Math.floor(leaning * instances.length)
            : Math.floor(random() * instances.length);
          const at = instances[index];
          if (at === undefined) continue;
          const count = send(at.limiter, client, 1);
          for (let one = 0; one < count; one++) admissions.push(rig.now());
          const entered = at.limiter.enter(stream);
          if (entered.kind === "admitted") streams.push({ leave: () => entered.leave(), at });
        }
        assert.ok(streams.length <= 8, `${streams.length} streams`);
        if (random() < 0.2) streams.splice(Math.floor(random() * streams.length), 1)[0]?.leave();
        await rig.jump(20 + Math.floor(random() * 200));
      }
      for (const [first, fromMs] of admissions.entries()) {
        for (let last = first + Math.floor(burst / 2); last < admissions.length; last += 7) {
          const allowed = burstAndTenth + ((admissions[last] ?? 0) - fromMs) * 120 / 60_000;
          const count = last - first + 1;
          assert.ok(count <= allowed + 1, `${count} of ${allowed} from ${first}`);
        }
      }
      assert.ok(admissions.length > 40, `${admissions.length}`);
      for (const { errors } of instances) assert.deepEqual(errors, []);
    },
  );
}

/** Limited in concurrency only. */
const stream = session("01B");

function enterAll(limiter: Limiter, subject: LimitSubject, count: number): (() => void)[] {
  const places: (() => void)[] = [];
  for (let sent = 0; sent < count; sent++) {
    const entered = limiter.enter(subject);
    if (entered.kind === "admitted") places.push(() => admitted(entered).leave());
  }
  return places;
}
