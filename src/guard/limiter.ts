/**
 * The limiter that `limits.ts` promises.
 *
 * @module
 */
import { ulid } from "ulid";
import type { SharedState } from "../store/shared_state.ts";
import { requestLimitHeaders } from "../wire/rate_limit_headers.ts";
import { type ClientAddress, createAddressReader } from "./client_address.ts";
import { type Client, ClientTable } from "./client_table.ts";
import { createFailedAuthentications } from "./failed_authentications.ts";
import { type Schedule, startLimitExchange } from "./limit_exchange.ts";
import type { Entered, LimitCode, Limiter, LimitSettings, Refused } from "./limits.ts";

/** What {@linkcode createLimiter} takes. */
export interface LimiterOptions {
  /** The limits. */
  readonly settings: LimitSettings;
  /** The state that all instances share. Close the limiter before it. */
  readonly shared: SharedState;
  /** Milliseconds since the epoch. Default: `Date.now`. */
  readonly now?: () => number;
  /** Default: timers that, once the limiter is ready, do not keep the process alive. */
  readonly schedule?: Schedule;
  /** This instance's name: unique among all, ever. Default: a new ULID. */
  readonly instanceId?: string;
  /** Told when the shared state cannot be reached, of every attempt. Default: nobody is. */
  readonly onError?: (error: unknown) => void;
}

/**
 * How many clients are remembered at most, those with requests under way apart: about 10 MB. An ordinary client is forgotten
 * within a minute.
 */
const maxClients = 50_000;

/** Sums of many small numbers end a little beside the whole ones that they stand for. */
const rounding = 1e-6;

/**
 * Builds a limiter, and starts its exchange with the other instances on the shared state; `close` ends it.
 *
 * @throws {TypeError} when a limit is no whole number above 0, or an exempt address is none.
 */
export function createLimiter(options: LimiterOptions): Limiter {
  const { settings, shared, now = Date.now, onError = () => {} } = options;
  requireLimits(settings);
  const { ratePerMinute, rateBurst, concurrentRequests } = settings;
  const ratePerMs = ratePerMinute / 60_000;
  const addressOf = createAddressReader(settings);
  const table = new ClientTable({ burst: rateBurst, ratePerMs, maxClients });
  const failures = createFailedAuthentications({
    shared,
    windowMs: settings.failedAuthWindowMs,
    maxAttempts: settings.failedAuthMaxAttempts,
    blockMs: settings.failedAuthBlockMs,
    now,
    onError,
  });
  let isReady = false;
  const exchange = startLimitExchange({
    shared,
    table,
    failures,
    places: concurrentRequests,
    recoveryMs: rateBurst / ratePerMs,
    id: options.instanceId ?? ulid(),
    now,
    schedule: options.schedule ?? scheduleWhile(() => !isReady),
    onError,
  });
  void exchange.ready.then(() => isReady = true);

  function judge(key: string, concurrent: boolean): Entered {
    const client = table.see(key, now(), exchange.holdingOf);
    const { burst, places } = client.holding ?? table.equal;
    if (concurrent && client.active >= places) {
      starve(key, client, places < concurrentRequests);
      return refuse("too_many_concurrent_requests", 1, quotaHeaders(client));
    }
    if (client.spent + 1 > burst * rateBurst + rounding) {
      starve(key, client, burst < 1 - rounding);
      return refuse("rate_limit_exceeded", secondsUntilNext(client, burst), quotaHeaders(client));
    }
    client.spent++;
    if (concurrent) client.active++;
    exchange.used(key, client);
    return admit(quotaHeaders(client), concurrent ? client : undefined);
  }

  function starve(key: string, client: Client, isElsewhere: boolean): void {
    if (!isElsewhere) return;
    client.starvedAtMs = client.atMs;
    exchange.used(key, client);
  }

  /** Another instance may lend its part within a second. */
  function secondsUntilNext(client: Client, burst: number): number {
    const missing = client.spent + 1 - burst * rateBurst;
    return burst < 1 - rounding
      ? 1
      : Math.max(1, Math.ceil(missing / table.rateOf(client) / 1000 - rounding));
  }

  function quotaHeaders(client: Client): Readonly<Record<string, string>> {
    return requestLimitHeaders({
      limit: rateBurst,
      remaining: remaining(client),
      resetSeconds: client.spent / table.rateOf(client) / 1000,
    });
  }

  function remaining(client: Client): number {
    const { burst } = client.holding ?? table.equal;
    return Math.max(0, Math.floor(burst * rateBurst - client.spent + rounding));
  }

  function refuseBlocked(address: ClientAddress): Refused | undefined {
    const untilMs = address.exempt ? undefined : failures.blockedUntilMs(failureKey(address));
    if (untilMs === undefined) return undefined;
    return refuse("ip_temporarily_blocked", Math.ceil((untilMs - now()) / 1000), {});
  }

  return {
    ready: exchange.ready,
    addressOf,
    enter(subject) {
      if (subject.kind === "session") return judge(sessionKey(subject.recordId), true);
      const { address } = subject;
      if (address.exempt) return free;
      return refuseBlocked(address) ?? judge(addressKey(address), true);
    },
    admitStart: (address) => address.exempt ? free : judge(startKey(address), false),
    async authenticationFailed(address) {
      if (address.exempt) return { blocked: false };
      const outcome = await failures.count(failureKey(address));
      const refused = refuseBlocked(address);
      if (refused === undefined) return { blocked: false };
      return outcome === "late" ? { blocked: true, refused } : { blocked: true };
    },
    state(address) {
      let activeClients = 0;
      for (const [, { active }] of table.entries()) if (active > 0) activeClients++;
      const figures = {
        trackedClients: table.size,
        blockedClients: failures.blockedAddresses(),
        activeClients,
      };
      if (address === undefined || address.exempt) return figures;
      const client = table.find(addressKey(address), now());
      return {
        ...figures,
        client: {
          address: address.key,
          allowanceRemaining: client === undefined
            ? Math.floor(table.equal.burst * rateBurst + rounding)
            : remaining(client),
          activeRequests: client?.active ?? 0,
          failedAuthAttempts: failures.attempts(failureKey(address)),
          blockedForSeconds: refuseBlocked(address)?.retryAfterSeconds ?? 0,
        },
      };
    },
    close: () => exchange.close(),
  };
}

function addressKey({ key }: ClientAddress): string {
  return `address ${key}`;
}

function failureKey({ failureKey, key }: ClientAddress): string {
  return failureKey ?? key;
}

function startKey({ key }: ClientAddress): string {
  return `start ${key}`;
}

function sessionKey(recordId: string): string {
  return `session ${recordId}`;
}

function refuse(
  code: LimitCode,
  retryAfterSeconds: number,
  quotaHeaders: Readonly<Record<string, string>>,
): Refused {
  return {
    kind: "refused",
    code,
    retryAfterSeconds,
    headers: { "retry-after": String(retryAfterSeconds), ...quotaHeaders },
  };
}

/** `client` has a place to give back; undefined when it has none. */
function admit(headers: Readonly<Record<string, string>>, client: Client | undefined): Entered {
  let holders = 0;
  const take = (): () => void => {
    holders++;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      holders--;
      if (holders === 0 && client !== undefined) client.active--;
    };
  };
  const leave = take();
  return {
    kind: "admitted",
    headers,
    hold() {
      if (holders === 0) throw new Error("A request that has left cannot be held. Hold it before it leaves.");
      return take();
    },
    leave,
  };
}

/** The admission of an exempt address. */
const free: Entered = Object.freeze({
  kind: "admitted",
  headers: Object.freeze({}),
  hold: () => () => {},
  leave: () => {},
});

function requireLimits(settings: LimitSettings): void {
  const {
    ratePerMinute,
    rateBurst,
    concurrentRequests,
    failedAuthWindowMs,
    failedAuthMaxAttempts,
    failedAuthBlockMs,
  } = settings;
  const limits = {
    ratePerMinute,
    rateBurst,
    concurrentRequests,
    failedAuthWindowMs,
    failedAuthMaxAttempts,
    failedAuthBlockMs,
  };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new TypeError(`The limit ${name} must be a whole number above 0.`);
    }
  }
}

/** Timers that keep the process alive only as long as `isNeeded`. */
function scheduleWhile(isNeeded: () => boolean): Schedule {
  return (run, delayMs) => {
    const timer = setTimeout(run, delayMs);
    if (!isNeeded()) Deno.unrefTimer(timer);
    return () => clearTimeout(timer);
  };
}
