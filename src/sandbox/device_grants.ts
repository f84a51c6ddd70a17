/**
 * The life of device codes at a simulated authorization server (RFC 8628): opened, waiting for a person, then granted
 * once, denied or expired. How each outcome looks on the wire is the upstream's business.
 *
 * @module
 */
import type { Fault, PendingApproval, SandboxContext, SandboxUser } from "./contract.ts";

/** A device authorization as it was opened. */
export interface DeviceGrant {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly clientId: string;
  /** Space separated, as asked for. */
  readonly scope: string;
}

/** How one poll ends. */
export type DevicePoll =
  /** No such device code, it belongs to another client, or it was consumed by an earlier poll. */
  | { readonly kind: "unknown" }
  | { readonly kind: "pending" }
  /** RFC 8628 section 3.5: the poll came too early; from now on the interval is this. */
  | { readonly kind: "slow_down"; readonly intervalSeconds: number }
  | { readonly kind: "denied" }
  | { readonly kind: "expired" }
  /** The code is consumed by this answer. */
  | { readonly kind: "approved"; readonly user: SandboxUser; readonly scope: string };

/** The open device authorizations of one upstream. */
export interface DeviceGrants {
  /** Opens an authorization and lists it in `ctx.approvals`, unless every sign-in is approved at once. */
  open(clientId: string, scope: string, clientName: string): DeviceGrant;
  /** Judges one poll. `forceSlowDown` answers as if it had come too early. */
  poll(deviceCode: string, clientId: string, forceSlowDown: boolean): DevicePoll;
  /** How many polls were answered `slow_down` since the start. */
  readonly slowDowns: number;
}

/** RFC 8628 section 3.5: "the interval MUST be increased by 5 seconds for this and all subsequent requests". */
const SLOW_DOWN_SECONDS = 5;

interface OpenGrant extends DeviceGrant {
  readonly approval: PendingApproval;
  intervalSeconds: number;
  lastPollMs: number;
}

/** Keeps device authorizations that live `lifetimeSeconds`. */
export function createDeviceGrants(
  ctx: SandboxContext,
  upstream: Fault["upstream"],
  lifetimeSeconds: number,
): DeviceGrants {
  const grants = new Map<string, OpenGrant>();
  let slowDowns = 0;

  const close = (grant: OpenGrant): void => {
    const index = ctx.approvals.indexOf(grant.approval);
    if (index >= 0) ctx.approvals.splice(index, 1);
  };
  /** Codes are remembered for one more lifetime, so that a late poll hears `expired` and not `unknown`. */
  const forgetOld = (): void => {
    const now = ctx.now();
    for (const grant of grants.values()) {
      if (grant.approval.expiresAtMs > now) continue;
      close(grant);
      if (grant.approval.expiresAtMs + lifetimeSeconds * 1000 <= now) grants.delete(grant.deviceCode);
    }
  };

  return {
    get slowDowns() {
      return slowDowns;
    },

    open(clientId, scope, clientName) {
      forgetOld();
      const userCode = printUserCode(ctx.token("", `${upstream} user code`));
      const approval: PendingApproval = {
        upstream,
        userCode,
        expiresAtMs: ctx.now() + lifetimeSeconds * 1000,
        clientName,
        state: ctx.autoApproveAs === null ? "waiting" : { approvedBy: ctx.autoApproveAs },
      };
      if (ctx.autoApproveAs === null) ctx.approvals.push(approval);
      const grant: OpenGrant = {
        deviceCode: ctx.token("", `${upstream} device code`),
        userCode,
        clientId,
        scope,
        approval,
        intervalSeconds: ctx.pollIntervalSeconds,
        lastPollMs: Number.NEGATIVE_INFINITY,
      };
      grants.set(grant.deviceCode, grant);
      return grant;
    },

    poll(deviceCode, clientId, forceSlowDown) {
      const grant = grants.get(deviceCode);
      if (grant === undefined || grant.clientId !== clientId) return { kind: "unknown" };
      const now = ctx.now();
      if (grant.approval.expiresAtMs <= now) {
        close(grant);
        return { kind: "expired" };
      }
      const tooEarly = now - grant.lastPollMs < grant.intervalSeconds * 1000;
      grant.lastPollMs = now;
      if (tooEarly || forceSlowDown) {
        slowDowns += 1;
        grant.intervalSeconds += SLOW_DOWN_SECONDS;
        return { kind: "slow_down", intervalSeconds: grant.intervalSeconds };
      }
      const { state } = grant.approval;
      if (state === "waiting") return { kind: "pending" };
      close(grant);
      if (state === "denied") return { kind: "denied" };
      grants.delete(deviceCode);
      return { kind: "approved", user: state.approvedBy, scope: grant.scope };
    },
  };
}

/** Eight letters and digits in the shape that both upstreams show to people, e.g. `ABCD-1234`. */
function printUserCode(token: string): string {
  const code = token.replaceAll(/[^A-Za-z0-9]/g, "").toUpperCase();
  return `${code.slice(0, 4)}-${code.slice(4, 8)}`;
}
