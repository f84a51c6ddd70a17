import assert from "node:assert/strict";
import type { StopSignal } from "../../src/cli/command.ts";
import { waitForSignIn, type WaitResult } from "../../src/cli/wait_for_sign_in.ts";
import type { PollResult } from "../../src/credential/sign_in.ts";
import { LeapingClock } from "./owner_rig.ts";

const pending: PollResult = { kind: "pending" };

/** Waits with the given answers to the polls, the last of which repeats; a code lives for 60 s. */
async function wait(
  answers: readonly (PollResult | Error)[],
  stopped = new Promise<StopSignal>(() => {}),
): Promise<{ result: WaitResult; leftMs: number[]; pollsAtMs: number[] }> {
  const clock = new LeapingClock();
  const startMs = clock.nowMs;
  const leftMs: number[] = [];
  const pollsAtMs: number[] = [];
  const result = await waitForSignIn({
    poll: () => {
      const answer = answers[Math.min(pollsAtMs.length, answers.length - 1)] ?? pending;
      pollsAtMs.push(clock.nowMs - startMs);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    pollIntervalMs: 5_000,
    endsAtMs: startMs + 60_000,
    stopped,
    tell: (ms) => void leftMs.push(ms),
    now: clock.now,
    timers: clock,
  });
  return { result, leftMs, pollsAtMs };
}

Deno.test("waitForSignIn() polls at the interval and tells the time that is left every second", async () => {
  const { result, leftMs, pollsAtMs } = await wait([pending, { kind: "complete", jwt: "jwt" }]);
  assert.deepEqual(result, { kind: "complete", jwt: "jwt" });
  assert.deepEqual(pollsAtMs, [5_000, 10_000]);
  assert.deepEqual(leftMs, Array.from({ length: 11 }, (_, second) => 60_000 - second * 1000));
});

for (
  const [answer, expected] of [
    [{ kind: "expired" }, { kind: "expired" }],
    [{ kind: "not_found" }, { kind: "expired" }],
    [{ kind: "error", message: "No." }, { kind: "error", message: "No." }],
  ] as const
) {
  Deno.test(`waitForSignIn() ends with ${expected.kind} when a poll finds ${answer.kind}`, async () => {
    assert.deepEqual((await wait([pending, answer])).result, expected);
  });
}

Deno.test("waitForSignIn() polls again after a poll that rejects, while the code lives", async () => {
  const { result } = await wait([new Error("locked"), new Error("locked"), { kind: "complete", jwt: "jwt" }]);
  assert.deepEqual(result, { kind: "complete", jwt: "jwt" });
});

Deno.test("waitForSignIn() rejects when polls still reject at the code's end", async () => {
  await assert.rejects(wait([new Error("locked")]), /locked/);
});

Deno.test("waitForSignIn() polls no more once the person gave up", async () => {
  const { result, pollsAtMs } = await wait([pending], Promise.resolve("SIGTERM"));
  assert.deepEqual(result, { kind: "cancelled", signal: "SIGTERM" });
  assert.deepEqual(pollsAtMs, []);
});
