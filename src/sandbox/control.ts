/**
 * Driving the sandbox: who approves, what goes wrong, and what was seen. Used by tests in the same process, and over HTTP
 * by control_http.ts.
 *
 * @module
 */
import { decide, findApproval } from "./approvals.ts";
import type {
  Fault,
  PendingApproval,
  RecordedRequest,
  SandboxContext,
  SandboxUser,
  Switches,
} from "./contract.ts";
import type { FaultQueue } from "./fault_queue.ts";
import type { RequestFilter, RequestLog } from "./request_log.ts";
import type { SwitchChanges } from "./switches.ts";

/** How a control command ended. */
export type ControlOutcome =
  | { readonly kind: "done" }
  /** `reason` is a sentence. */
  | { readonly kind: "refused"; readonly reason: string };

/** The controls of a running sandbox. */
export interface SandboxControl {
  /** Everyone who can sign in. */
  readonly users: readonly SandboxUser[];
  /** The device sign-ins that are open, oldest first. */
  approvals(): readonly PendingApproval[];
  /** Approves the sign-in under a user code for a named person, as a click on the page would. */
  approve(userCode: string, userName: string): ControlOutcome;
  /** Denies it. */
  deny(userCode: string): ControlOutcome;
  /** Scripts a misbehaviour; faults strike in the order in which they were added. */
  addFault(fault: Fault): void;
  /** The faults that have not struck yet. */
  faults(): readonly Fault[];
  /** Lets every hanging request go on; returns how many there were. */
  release(): number;
  /** The remembered requests that match, oldest first. */
  requests(filter?: RequestFilter): readonly RecordedRequest[];
  /** Resolves when at least `count` (1 when absent) requests match; rejects when `signal` aborts first. */
  waitForRequests(
    filter: RequestFilter,
    count?: number,
    signal?: AbortSignal,
  ): Promise<readonly RecordedRequest[]>;
  /** What the upstreams count, by upstream and name, e.g. `chatgpt.refreshes`. */
  counters(): Readonly<Record<string, number>>;
  /** The switches as they are now. */
  switches(): Switches;
  /** Changes switches; the others stay. */
  setSwitches(changes: SwitchChanges): void;
  /** Ends a person's grants at an upstream, as if they had signed the app out there. */
  revokeGrants(upstream: Fault["upstream"], userName: string): ControlOutcome;
  /** Everything as it was at the start: nobody signed in, no faults, no records. Hanging requests go on. */
  reset(): void;
}

/** The parts that the controls reach into. */
export interface ControlParts {
  /** What the upstreams are given. */
  readonly context: SandboxContext;
  /** The scripted faults. */
  readonly faults: FaultQueue;
  /** The memory of requests. */
  readonly log: RequestLog;
  /** Changes switches; the others stay. */
  setSwitches(changes: SwitchChanges): void;
  /** What the upstreams have counted. */
  counters(): Readonly<Record<string, number>>;
  /** Ends every grant of a person at one upstream. */
  revokeGrants(upstream: Fault["upstream"], user: SandboxUser): void;
  /** Forgets who is signed in, and sets the switches back. */
  forgetEverything(): void;
}

const DONE: ControlOutcome = Object.freeze({ kind: "done" });

/** Binds the controls to the parts. */
export function createControl(parts: ControlParts): SandboxControl {
  const { context, faults, log } = parts;
  const userNamed = (name: string) => context.users.find((user) => user.name === name);
  const noUser = (name: string): ControlOutcome => ({
    kind: "refused",
    reason: `There is no person '${name}'. Take one of: ${
      context.users.map((user) => user.name).join(", ")
    }.`,
  });
  const conclude = (userCode: string, decision: Parameters<typeof decide>[1]): ControlOutcome => {
    const found = findApproval(context, userCode);
    if (found.kind === "unknown") return { kind: "refused", reason: found.message };
    decide(found.approval, decision);
    return DONE;
  };

  return {
    users: context.users,
    approvals: () => [...context.approvals],
    approve(userCode, userName) {
      const user = userNamed(userName);
      return user === undefined ? noUser(userName) : conclude(userCode, { approvedBy: user });
    },
    deny: (userCode) => conclude(userCode, "denied"),
    addFault: (fault) => faults.add(fault),
    faults: () => faults.waiting(),
    release: () => faults.release(),
    requests: (filter = {}) => log.find(filter),
    waitForRequests: (filter, count, signal) => log.wait(filter, count ?? 1, signal),
    counters: () => parts.counters(),
    switches: () => context.switches(),
    setSwitches: (changes) => parts.setSwitches(changes),
    revokeGrants(upstream, userName) {
      const user = userNamed(userName);
      if (user === undefined) return noUser(userName);
      parts.revokeGrants(upstream, user);
      return DONE;
    },
    reset() {
      context.approvals.length = 0;
      faults.clear();
      parts.forgetEverything();
      log.clear();
    },
  };
}
