/**
 * The Copilot seats of the simulated people, and what each means for token, host, models and quota.
 *
 * Source: facts page github-copilot, sections 3, 5, 8 and 12.
 *
 * @module
 */
import type { SandboxUser } from "./contract.ts";

/** The API hosts; each seat belongs to one. */
export type CopilotHost = "individual" | "business";

/** A seat that works, at least as far as the token exchange. */
export interface CopilotSeat {
  readonly sku: string;
  /** `copilot_plan` of `/copilot_internal/user`. */
  readonly plan: "free" | "individual" | "business";
  readonly host: CopilotHost;
  /** Premium requests per month; for the free plan, chats per month. */
  readonly entitlement: number;
  /** True: models with a `restricted_to` list are not for this seat. */
  readonly baseModelsOnly: boolean;
  /** What every call is answered, if the seat may not call at present. */
  readonly refusesCalls: "quota_exceeded" | "weekly_limit" | null;
}

/** The seat of a person; null when the exchange has to refuse. */
export function seatOf(user: SandboxUser): CopilotSeat | null {
  return SEATS[user.copilotSeat];
}

const INDIVIDUAL: CopilotSeat = Object.freeze({
  sku: "monthly_subscriber",
  plan: "individual",
  host: "individual",
  entitlement: 300,
  baseModelsOnly: false,
  refusesCalls: null,
});

const SEATS: Readonly<Record<SandboxUser["copilotSeat"], CopilotSeat | null>> = Object.freeze({
  free: {
    ...INDIVIDUAL,
    sku: "free_limited_copilot",
    plan: "free",
    entitlement: 50,
    baseModelsOnly: true,
  },
  individual: INDIVIDUAL,
  business: { ...INDIVIDUAL, sku: "copilot_for_business_seat_quota", plan: "business", host: "business" },
  exhausted: { ...INDIVIDUAL, refusesCalls: "quota_exceeded" },
  weekly_limit: { ...INDIVIDUAL, refusesCalls: "weekly_limit" },
  none: null,
  suspended: null,
});
