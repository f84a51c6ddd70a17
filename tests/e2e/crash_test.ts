/**
 * `kill -9` at every point of a sign-in, with real relay processes on one data directory. A dead relay owns a sign-in for up
 * to twelve more seconds of real time, so the cases run beside each other.
 */
import assert from "node:assert/strict";
import type { ProviderId } from "../../src/provider/provider.ts";
import type { Fault } from "../../src/sandbox/contract.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { type Project, withProject } from "../cli/spawned_relay.ts";
import {
  type PollAnswer,
  pollInterval,
  providerCases,
  providerIds,
  type RelayClient,
  type RelayProcess,
  type StartedSignIn,
  startRelay,
} from "./relay_process.ts";
import { openStoredSignIns } from "./stored_sign_in.ts";

Deno.test("a sign-in is completed although its relay is killed", async (test) => {
  await beside(test, {
    "and then started again": (step) => dieAtEveryMoment(step, "restarted"),
    "and another one runs beside it": (step) => dieAtEveryMoment(step, "beside"),
    "before or after the record is stored": dieWhileStoring,
    "before it reads what a provider answered": dieUnread,
  });
});

Deno.test("two relays make one exchange of a sign-in, however many polls meet at its completion", async (test) => {
  await withSandbox(1, async (project, sandbox) => {
    const relays = await Promise.all([startRelay(project, sandbox), startRelay(project, sandbox)]);
    const [first] = relays;
    assert.ok(first !== undefined);
    const signIns = await Promise.all(providerIds.map((provider) => first.start(provider)));
    await due(signIns);
    for (const signIn of signIns) {
      await test.step(signIn.provider, async () => {
        const { upstream } = providerCases[signIn.provider];
        const last = signIn.provider === "xai" ? "poll" : "exchange";
        approve(sandbox, signIn);
        sandbox.control.addFault({ upstream, on: last, kind: { type: "hang" } });
        const pollAll = () =>
          Array.from({ length: 8 }, () => relays.map(({ poll }) => poll(signIn.sessionId))).flat();
        const racing = pollAll();
        await sandbox.control.waitForRequests({ upstream, on: last }, 1, patience());
        for (const late of await Promise.all(pollAll())) assert.deepEqual(late, { status: "pending" });
        assert.equal(sandbox.control.release(), 1);

        const jwts = (await Promise.all(racing)).flatMap(({ jwt }) => jwt ?? []);
        for (const { poll } of relays) jwts.push(complete(await poll(signIn.sessionId)));
        assert.equal(new Set(jwts).size, 1);
        for (const on of ["poll", "exchange", "user"] as const) {
          const isStep = on === "poll" || on === last || (on === "user" && signIn.provider === "github");
          assert.equal(sandbox.control.requests({ upstream, on }).length, isStep ? 1 : 0, on);
        }
      });
    }
  });
});

/** A moment at which a relay dies. */
interface Moment {
  readonly name: string;
  /** Whose sign-ins have that moment; absent: everyone's. */
  readonly providers?: readonly ProviderId[];
  /** Brings a sign-in there whose poll is due. Resolves to the JWT where the client has it by then. */
  reach(bed: Bed, signIn: StartedSignIn): Promise<string | void>;
}

/** What the way to a moment needs. */
interface Bed {
  readonly project: Project;
  readonly sandbox: Sandbox;
  readonly relay: RelayProcess;
}

/** While a provider has the request of a step, and has not looked at it yet. */
function during(on: Fault["on"], name: string, providers: readonly ProviderId[] = providerIds): Moment {
  return { name, providers, reach: (bed, signIn) => pollUntilHung(bed, signIn, on) };
}

const moments: readonly Moment[] = [
  { name: "right after the start", reach: () => Promise.resolve() },
  {
    name: "after a poll that found it pending",
    async reach({ sandbox, relay }, { provider, sessionId }) {
      const filter = { upstream: providerCases[provider].upstream, on: "poll" } as const;
      const before = sandbox.control.requests(filter).length;
      assert.deepEqual(await relay.poll(sessionId), { status: "pending" });
      assert.equal(sandbox.control.requests(filter).length, before + 1, "the provider was not asked");
    },
  },
  {
    name: "after the approval, before the next poll",
    reach: ({ sandbox }, signIn) => Promise.resolve(approve(sandbox, signIn)),
  },
  during("poll", "while the provider has the poll"),
  during("exchange", "between the poll and the exchange", ["openai"]),
  during("user", "between the poll and the look-up of the account", ["github"]),
  during("exchange", "between the look-up of the account and the exchange", ["github"]),
  {
    name: "after the completion, before its client got the answer",
    async reach({ project, sandbox, relay }, signIn) {
      approve(sandbox, signIn);
      await using stored = await openStoredSignIns(project.dataDir);
      relay.poll(signIn.sessionId).catch(() => undefined);
      await stored.until(signIn.sessionId, ({ status }) => status === "complete");
    },
  },
  {
    name: "after its client got the answer",
    async reach({ sandbox, relay }, signIn) {
      approve(sandbox, signIn);
      return complete(await relay.poll(signIn.sessionId));
    },
  },
];

/** One relay dies with a sign-in of each provider at each moment; `successor` answers from then on. */
async function dieAtEveryMoment(step: Deno.TestContext, successor: "restarted" | "beside"): Promise<void> {
  await withSandbox(1, async (project, sandbox) => {
    const relay = await startRelay(project, sandbox);
    const other = successor === "beside" ? await startRelay(project, sandbox) : undefined;
    const cases = await Promise.all(
      moments.flatMap((moment) =>
        (moment.providers ?? providerIds).map(async (provider) => ({
          moment,
          signIn: await relay.start(provider),
        }))
      ),
    );
    await due(cases.map(({ signIn }) => signIn));
    const steps: Record<string, () => Promise<void>> = {};
    const jwts = new Map<string, string | void>();
    // One after the other: a scripted fault strikes the next request of its kind, whoever sends it.
    for (const { moment, signIn } of cases) {
      jwts.set(signIn.sessionId, await moment.reach({ project, sandbox, relay }, signIn));
    }
    await relay.kill();
    const heir = other ?? await startRelay(project, sandbox);
    for (const { moment, signIn } of cases) {
      steps[`${moment.name} (${signIn.provider})`] = async () => {
        if (isWaiting(sandbox, signIn)) approve(sandbox, signIn);
        const jwt = await finish(heir, signIn);
        assert.equal(jwt, jwts.get(signIn.sessionId) ?? jwt);
      };
    }
    await beside(step, steps);
  });
}

/** Relays die when the provider has given the grant for good, at the two moments between the writes to two files. */
async function dieWhileStoring(step: Deno.TestContext): Promise<void> {
  await beside(step, {
    "after the grant is stored, before the record is": () => dieAtLock("grant"),
    "after the record is stored, before the sign-in says so": () => dieAtLock("record"),
  });
}

async function dieAtLock(last: "grant" | "record"): Promise<void> {
  await withSandbox(1, async (project, sandbox) => {
    // A relay that waits for a lock of the database does nothing else: each sign-in has one of its own.
    const cases = await Promise.all(providerIds.map(async (provider) => {
      const relay = await startRelay(project, sandbox);
      return { relay, signIn: await relay.start(provider) };
    }));
    await due(cases.map(({ signIn }) => signIn));
    {
      await using stored = await openStoredSignIns(project.dataDir);
      const recordIds: string[] = [];
      using states = new DisposableStack();
      {
        using _records = stored.lockRecords();
        for (const { relay, signIn } of cases) {
          approve(sandbox, signIn);
          relay.poll(signIn.sessionId).catch(() => undefined);
          const state = await stored.until(
            signIn.sessionId,
            (state) => state.status === "pending" && state.grant !== undefined,
          );
          assert.ok(state.status === "pending");
          recordIds.push(state.recordId);
        }
        if (last === "grant") await Promise.all(cases.map(({ relay }) => relay.kill()));
        else states.use(stored.lockStates());
      }
      if (last === "record") {
        await Promise.all(recordIds.map((id) => stored.untilRecord(id)));
        await Promise.all(cases.map(({ relay }) => relay.kill()));
      }
    }
    const asked = sandbox.control.requests().length;
    const heir = await startRelay(project, sandbox);
    const answers = await Promise.all(cases.map(({ signIn }) => heir.pollToEnd(signIn)));
    assert.equal(sandbox.control.requests().length, asked, "a provider was asked again");
    for (const [index, answer] of answers.entries()) {
      await works(heir, complete(answer), providerIds[index] ?? "openai");
    }
  });
}

/**
 * The one gap: what a provider has used up for a relay that dies before it has read the answer is gone. Such a sign-in ends
 * with a sentence, or stays pending until its code's end where the provider does not tell; it is never completed wrongly. A
 * step that uses nothing up is repeated.
 */
const unread: readonly { provider: ProviderId; on: Fault["on"]; end: "complete" | "error" | "pending" }[] = [
  { provider: "openai", on: "poll", end: "pending" },
  { provider: "openai", on: "exchange", end: "error" },
  { provider: "xai", on: "poll", end: "error" },
  { provider: "github", on: "poll", end: "error" },
  { provider: "github", on: "user", end: "complete" },
  { provider: "github", on: "exchange", end: "complete" },
];

async function dieUnread(step: Deno.TestContext): Promise<void> {
  await withSandbox(1, async (project, sandbox) => {
    const relay = await startRelay(project, sandbox);
    const cases = await Promise.all(
      unread.map(async (entry) => ({ ...entry, signIn: await relay.start(entry.provider) })),
    );
    await due(cases.map(({ signIn }) => signIn));
    for (const { on, signIn } of cases) await pollUntilHung({ project, sandbox, relay }, signIn, on);
    // A stopped process reads nothing, but the system takes what is sent to it.
    relay.process.signal("SIGSTOP");
    assert.equal(sandbox.control.release(), cases.length);
    await sandbox.control.waitForRequests({ end: "sent" }, sandbox.control.requests().length, patience());
    await relay.kill();

    const polls = { upstream: "chatgpt", on: "poll" } as const;
    const asked = sandbox.control.requests(polls).length;
    const heir = await startRelay(project, sandbox);
    const steps: Record<string, () => Promise<void>> = {};
    for (const { provider, on, end, signIn } of cases) {
      steps[`${on} (${provider}): ${end}`] = async () => {
        if (end === "complete") return void await finish(heir, signIn);
        if (end === "error") {
          const answer = await heir.pollToEnd(signIn);
          assert.equal(answer.status, "error");
          assert.match(answer.error ?? "", /^(ChatGPT|Grok|GitHub) ended the sign-in\. Start it again\.$/);
          return;
        }
        const polled = sandbox.control.waitForRequests({ ...polls, end: "sent" }, asked + 1, patience());
        assert.deepEqual(await Promise.race([polled.then(() => "asked"), heir.pollToEnd(signIn)]), "asked");
        assert.deepEqual(await heir.poll(signIn.sessionId), { status: "pending" });
      };
    }
    await beside(step, steps);
  });
}

/** Completes a sign-in at another relay than the one that began it, and uses what comes of it. Returns the JWT. */
async function finish(heir: RelayClient, signIn: StartedSignIn): Promise<string> {
  const jwt = complete(await heir.pollToEnd(signIn));
  await works(heir, jwt, signIn.provider);
  return jwt;
}

async function works(relay: RelayClient, jwt: string, provider: ProviderId): Promise<void> {
  assert.equal((await relay.whoami(jwt)).user.provider, provider);
  assert.match(await relay.chat(jwt, providerCases[provider].model), /Hello from/);
}

function complete(answer: PollAnswer): string {
  assert.equal(answer.status, "complete", JSON.stringify(answer));
  return answer.jwt ?? "";
}

function approve(sandbox: Sandbox, { userCode }: StartedSignIn): void {
  assert.deepEqual(sandbox.control.approve(userCode, "ada"), { kind: "done" });
}

function isWaiting(sandbox: Sandbox, { userCode }: StartedSignIn): boolean {
  return sandbox.control.approvals().some((one) => one.userCode === userCode && one.state === "waiting");
}

/** Approves a sign-in and polls it; the provider has the request of step `on` then, and does nothing with it. */
async function pollUntilHung({ sandbox, relay }: Bed, signIn: StartedSignIn, on: Fault["on"]): Promise<void> {
  const filter = { upstream: providerCases[signIn.provider].upstream, on };
  const before = sandbox.control.requests(filter).length;
  approve(sandbox, signIn);
  sandbox.control.addFault({ ...filter, kind: { type: "hang" } });
  relay.poll(signIn.sessionId).catch(() => undefined);
  await sandbox.control.waitForRequests(filter, before + 1, patience());
}

/** Ends a wait for something that never comes. */
function patience(): AbortSignal {
  return AbortSignal.timeout(30_000);
}

/** Resolves when the providers may be asked about all of these. */
async function due(signIns: readonly StartedSignIn[]): Promise<void> {
  await pollInterval(Math.max(...signIns.map(({ pollIntervalMs }) => pollIntervalMs)));
}

async function withSandbox(
  pollIntervalSeconds: number,
  test: (project: Project, sandbox: Sandbox) => Promise<void>,
): Promise<void> {
  const sandbox = await startSandbox({ pollIntervalSeconds });
  try {
    await withProject((project) => test(project, sandbox));
  } finally {
    await sandbox.shutdown();
  }
}

/** Runs steps beside each other. */
async function beside(
  test: Deno.TestContext,
  steps: Readonly<Record<string, (step: Deno.TestContext) => Promise<void>>>,
): Promise<void> {
  const unsanitized = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  await Promise.all(Object.entries(steps).map(([name, fn]) => test.step({ name, fn, ...unsanitized })));
}
