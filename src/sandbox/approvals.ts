/**
 * Finding and deciding the device sign-ins that wait for a person.
 *
 * @module
 */
import type { PendingApproval, SandboxContext, SandboxUser } from "./contract.ts";

/** What a user code leads to. */
export type FoundApproval =
  | { readonly kind: "waiting"; readonly approval: PendingApproval }
  /** `message` is a sentence for the person. */
  | { readonly kind: "unknown"; readonly message: string };

/**
 * The sign-in that waits under `userCode`, at one upstream or at any. Case, spaces and the dash do not matter, as on the
 * real pages.
 */
export function findApproval(
  context: Pick<SandboxContext, "approvals" | "now">,
  userCode: string,
  upstream?: PendingApproval["upstream"],
): FoundApproval {
  const wanted = plain(userCode);
  const approval = context.approvals.findLast((one) =>
    plain(one.userCode) === wanted && (upstream === undefined || one.upstream === upstream)
  );
  if (approval === undefined || wanted === "") {
    return { kind: "unknown", message: "No sign-in waits under this code. Check it and try again." };
  }
  if (approval.expiresAtMs <= context.now()) {
    return { kind: "unknown", message: "This code has expired. Start the sign-in again to get a new one." };
  }
  if (approval.state !== "waiting") {
    return {
      kind: "unknown",
      message: "This code was already used. Start the sign-in again to get a new one.",
    };
  }
  return { kind: "waiting", approval };
}

/** Notes the person's decision. */
export function decide(
  approval: PendingApproval,
  decision: { readonly approvedBy: SandboxUser } | "denied",
): void {
  approval.state = decision;
}

function plain(userCode: string): string {
  return userCode.toUpperCase().replace(/[^A-Z0-9]/g, "");
}
