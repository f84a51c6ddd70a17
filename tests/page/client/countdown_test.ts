import assert from "node:assert/strict";
import { minutesAndSeconds, startCountdown } from "../../../src/page/client/countdown.ts";
import { manualTimers } from "../manual_timers.ts";

Deno.test("startCountdown() tells each full second, the last time 0", async () => {
  const { schedule, next } = manualTimers();
  const told: number[] = [];
  let nowMs = 1000;
  startCountdown(3500, { nowMs: () => nowMs, schedule }, (seconds) => told.push(seconds));
  const delays: number[] = [];
  while (told.at(-1) !== 0) {
    const timer = await next();
    delays.push(timer.delayMs);
    nowMs += timer.delayMs;
    timer.fire();
  }
  assert.deepEqual(told, [3, 2, 1, 0]);
  assert.deepEqual(delays, [500, 1000, 1000]);
});

Deno.test("startCountdown() shows the true rest when the tab slept, and stops when told", async () => {
  const { schedule, next } = manualTimers();
  const told: number[] = [];
  let nowMs = 0;
  const stop = startCountdown(600_000, { nowMs: () => nowMs, schedule }, (seconds) => told.push(seconds));
  nowMs = 590_000;
  (await next()).fire();
  assert.deepEqual(told, [600, 10]);
  stop();
  assert.equal((await next()).cancelled, true);
});

Deno.test("minutesAndSeconds() pads the seconds", () => {
  assert.deepEqual([0, 9, 60, 605, 900].map(minutesAndSeconds), ["0:00", "0:09", "1:00", "10:05", "15:00"]);
});
