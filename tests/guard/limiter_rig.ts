/**
 * Limiters on one Deno KV file and one clock that the test moves.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { createLimiter } from "../../src/guard/limiter.ts";
import {
  type Admitted,
  defaultLimitSettings,
  type Entered,
  type Limiter,
  type LimitSettings,
  type LimitSubject,
  type Refused,
} from "../../src/guard/limits.ts";
import { openKvSharedState } from "../../src/store/kv_shared_state.ts";
import type { SharedState } from "../../src/store/shared_state.ts";

/** What a limiter under test is started with. */
export interface Start {
  readonly settings?: Partial<LimitSettings>;
  /** The shared state as this limiter sees it. */
  readonly wrap?: (shared: SharedState) => SharedState;
}

/** The common ground of a test's limiters. */
export interface LimiterRig {
  /** Milliseconds since the epoch; stands still between calls of `advance`. */
  now(): number;
  /** Lets the time go by, and everything happen in turn that was scheduled for it. */
  advance(ms: number): Promise<void>;
  /** Lets the time jump, and everything that was scheduled up to then happen side by side. */
  jump(ms: number): Promise<void>;
  /** Starts an instance on the file, and lets as much time go by as it needs to be ready. */
  start(start?: Start): Promise<Instance>;
}

/** A limiter with its own connection to the file. */
export interface Instance {
  readonly limiter: Limiter;
  /** Errors of its exchange. */
  readonly errors: readonly unknown[];
  /** Ends as a killed process does: without a word. */
  kill(): Promise<void>;
  /** Ends in the ordinary way. */
  stop(): Promise<void>;
}

/** Registers a test with a rig; everything that it started is ended afterwards. */
export function testLimiters(what: string, run: (rig: LimiterRig) => Promise<void>): void {
  Deno.test(what, async () => {
    const folder = await Deno.makeTempDir();
    const instances: Instance[] = [];
    const tasks = new Set<Task>();
    // Near the real time: the engine removes by its own clock what expired in the past.
    let nowMs = Date.now();

    async function advance(ms: number): Promise<void> {
      const untilMs = nowMs + ms;
      for (;;) {
        const due = [...tasks].filter(({ atMs }) => atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        tasks.delete(due);
        nowMs = Math.max(nowMs, due.atMs);
        await due.run();
      }
      nowMs = untilMs;
    }

    async function jump(ms: number): Promise<void> {
      nowMs += ms;
      const due = [...tasks].filter(({ atMs }) => atMs <= nowMs);
      for (const task of due) tasks.delete(task);
      await Promise.all(due.map(({ run }) => run()));
    }

    async function start({ settings, wrap = (shared) => shared }: Start = {}): Promise<Instance> {
      const shared = await openKvSharedState({ path: join(folder, "shared.kv") });
      const errors: unknown[] = [];
      const own = new Set<Task>();
      let isOver = false;
      const limiter = createLimiter({
        settings: { ...defaultLimitSettings, ...settings },
        shared: wrap(shared),
        now: () => nowMs,
        schedule: (task, delayMs) => {
          const entry = { atMs: nowMs + delayMs, run: task };
          if (!isOver) tasks.add(entry);
          own.add(entry);
          return () => void tasks.delete(entry);
        },
        instanceId: `instance-${instances.length}`,
        onError: (error) => errors.push(error),
      });
      const end = async (how: () => Promise<void>) => {
        if (isOver) return;
        isOver = true;
        for (const task of own) tasks.delete(task);
        await how();
        await shared.close();
      };
      const instance: Instance = {
        limiter,
        errors,
        kill: () => end(() => Promise.resolve()),
        stop: () => end(() => limiter.close()),
      };
      instances.push(instance);
      let isReady = false;
      void limiter.ready.then(() => isReady = true);
      for (let waitedMs = 0; !isReady; waitedMs += 50) {
        assert.ok(waitedMs <= 3_000, "The limiter did not get ready.");
        await advance(waitedMs === 0 ? 0 : 50);
      }
      return instance;
    }

    try {
      await run({ now: () => nowMs, advance, jump, start });
    } finally {
      for (const instance of instances) await instance.kill();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

interface Task {
  readonly atMs: number;
  readonly run: () => Promise<void>;
}

/** An address as a subject. */
export function address(key: string): LimitSubject & { readonly kind: "address" } {
  return { kind: "address", address: { key, exempt: false } };
}

/** A session as a subject. */
export function session(recordId: string): LimitSubject {
  return { kind: "session", recordId };
}

/** Sends `count` requests one after another, each of which has left before the next comes; how many were admitted. */
export function send(limiter: Limiter, subject: LimitSubject, count: number): number {
  let admitted = 0;
  for (let sent = 0; sent < count; sent++) {
    const entered = limiter.enter(subject);
    if (entered.kind !== "admitted") continue;
    entered.leave();
    admitted++;
  }
  return admitted;
}

/** The outcome as an admission. */
export function admitted(entered: Entered): Admitted {
  assert.equal(entered.kind, "admitted");
  return entered as Admitted;
}

/** The outcome as a refusal. */
export function refused(entered: Entered): Refused {
  assert.equal(entered.kind, "refused");
  return entered as Refused;
}
