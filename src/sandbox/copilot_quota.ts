/**
 * Premium requests: what a seat has left, and how answers tell it.
 *
 * Source: facts page github-copilot, sections 8 and 9.
 *
 * @module
 */
import type { SandboxUser } from "./contract.ts";
import type { CopilotSeat } from "./copilot_seats.ts";

/** Premium requests spent, by GitHub user id. */
export type PremiumSpent = Map<number, number>;

/** Premium requests (free plan: chats) that are left this month; never negative. */
export function remainingOf(spent: PremiumSpent, user: SandboxUser, seat: CopilotSeat): number {
  if (seat.refusesCalls === "quota_exceeded") return 0;
  return Math.max(0, seat.entitlement - (spent.get(user.githubId) ?? 0));
}

/**
 * Books one call. Calls that an agent made by itself (`X-Initiator: agent`) cost nothing; without the header a call counts
 * as the person's. On the free plan each call of the person is one chat.
 */
export function spend(
  spent: PremiumSpent,
  user: SandboxUser,
  seat: CopilotSeat,
  initiator: string | null,
  multiplier: number,
): void {
  if (initiator === "agent") return;
  const cost = seat.plan === "free" ? 1 : multiplier;
  spent.set(user.githubId, (spent.get(user.githubId) ?? 0) + cost);
}

/** The snapshot headers of a call's answer. `rem` is a percentage, `ent` -1 means unlimited. */
export function quotaHeaders(
  spent: PremiumSpent,
  user: SandboxUser,
  seat: CopilotSeat,
  nowMs: number,
): Readonly<Record<string, string>> {
  const percent = (remainingOf(spent, user, seat) / seat.entitlement * 100).toFixed(1);
  const reset = new Date(nextMonthMs(nowMs)).toISOString().replace(".000Z", "Z");
  const snapshot = (entitlement: number, remaining: string) =>
    new URLSearchParams({ ent: String(entitlement), ov: "0.0", ovPerm: "false", rem: remaining, rst: reset })
      .toString();
  return seat.plan === "free" ? { "x-quota-snapshot-chat": snapshot(seat.entitlement, percent) } : {
    "x-quota-snapshot-chat": snapshot(-1, "100.0"),
    "x-quota-snapshot-premium_models": snapshot(seat.entitlement, percent),
    "x-quota-snapshot-premium_interactions": snapshot(seat.entitlement, percent),
  };
}

/** The first moment of the next month in UTC, when quotas start anew; milliseconds since the epoch. */
export function nextMonthMs(nowMs: number): number {
  const now = new Date(nowMs);
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
}
