/**
 * `GET /v1/relay/status`: what the owner may know of the running relay, in the shape of the older personal relay where that
 * had one. Nothing of it is a secret; still it is for the owner alone, because it tells how the relay is used.
 *
 * @module
 */
import type { Hono } from "hono";
import type { RelayToken } from "../credential/relay_token.ts";
import type { ClientAddress } from "../guard/client_address.ts";
import type { Limiter, LimiterState } from "../guard/limits.ts";
import type { FileStore } from "../store/file_store.ts";
import type { TrafficCounts } from "../traffic/counts.ts";
import { version } from "../version.ts";
import { isObject } from "../wire/json.ts";
import { unsupportedEndpointResponse } from "./errors.ts";
import type { Owner, OwnerLogin } from "./owner.ts";
import { listLifeMs } from "./owner_models.ts";
import type { CallerEnv } from "./relay_env.ts";

/** What the status is made of. */
export interface StatusDependencies {
  readonly owner: Owner;
  readonly relayToken?: RelayToken | undefined;
  readonly requireBearerAuth: boolean;
  readonly limiter?: Limiter | undefined;
  readonly files: Pick<FileStore, "usage">;
  /** What the relay has done since it started. */
  readonly counts: () => TrafficCounts;
  /** The configuration without secrets, in sections. */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** Method and path of each route that needs a credential. */
  readonly routes: () => readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Adds the status to the routes below `/v1`. To everybody but the owner it is a route that does not exist. */
export function addStatusRoutes(
  routes: Hono<CallerEnv>,
  dependencies: StatusDependencies | undefined,
): void {
  routes.get("/relay/status", async (context) => {
    const { caller, address } = context.var;
    if (caller.kind !== "owner" || dependencies === undefined) {
      return unsupportedEndpointResponse(context.req.path);
    }
    context.header("cache-control", "no-store");
    return context.json(await relayStatus(address, dependencies));
  });
}

async function relayStatus(
  address: ClientAddress,
  dependencies: StatusDependencies,
): Promise<Record<string, unknown>> {
  const { owner, relayToken, requireBearerAuth, limiter, files, counts, configuration, routes, now } =
    dependencies;
  const nowMs = now();
  const [logins, token, usage] = await Promise.all([
    owner.logins(),
    relayToken?.describe(),
    files.usage(nowMs),
  ]);
  const traffic = counts();
  const hasToken = token !== undefined && token.source !== "none";
  const ready = Object.fromEntries(logins.map(({ provider, state }) => [provider.id, state === "signed_in"]));
  const anyProvider = Object.values(ready).includes(true);
  const { security, ...rest } = configuration;
  return {
    object: "relay.status",
    app_name: "authai-relay",
    version,
    captured_at: seconds(nowMs),
    started_at: seconds(traffic.sinceMs),
    requests_total: traffic.requests,
    ready: {
      upstream_auth: anyProvider,
      relay_token: hasToken || !requireBearerAuth,
      any_provider: anyProvider,
      providers: ready,
    },
    providers: Object.fromEntries(logins.map((login) => [login.provider.id, describeLogin(login, nowMs)])),
    relay: {
      ...rest,
      token: {
        present: hasToken,
        source: token?.source ?? "none",
        path: token?.path,
        fingerprint: token?.fingerprint,
      },
    },
    security: {
      protected_routes: ["/v1/*", "/no-tools/v1/*"],
      ...(isObject(security) ? security : {}),
      require_bearer_auth: requireBearerAuth,
      bearer_token_present: hasToken,
      ...(limiter === undefined ? {} : describeLimiter(limiter.state(address))),
    },
    storage: { file_count: usage.files, total_bytes: usage.bytes },
    traffic: describeCounts(traffic),
    supported_routes: routes(),
  };
}

function describeLogin(
  { provider, state, session, models }: OwnerLogin,
  nowMs: number,
): Record<string, unknown> {
  return {
    display_name: provider.displayName,
    authenticated: state === "signed_in",
    // A login that has ended is still in the file: `logout` or a new `login` takes it out.
    credentials_present: state !== "missing",
    ready_for_requests: state === "signed_in",
    session_expires_at: session?.expiresAtS,
    access_expires_at: session && seconds(session.grant.accessExpiresAtMs),
    last_refresh: session && seconds(session.storedAtMs),
    next_command: state === "signed_in" ? undefined : `authai-relay login ${provider.id}`,
    models_cache: {
      ttl_seconds: listLifeMs / 1000,
      age_seconds: models && Math.max(0, seconds(nowMs - models.readAtMs)),
      expires_in_seconds: models && Math.max(0, seconds(models.expiresAtMs - nowMs)),
      cached_model_count: models?.modelCount,
    },
  };
}

function describeLimiter(
  { trackedClients, blockedClients, activeClients, client }: LimiterState,
): Record<string, unknown> {
  return {
    tracked_clients: trackedClients,
    blocked_clients: blockedClients,
    active_clients: activeClients,
    client: client && {
      ip: client.address,
      allowance_remaining: client.allowanceRemaining,
      active_requests: client.activeRequests,
      failed_auth_attempts: client.failedAuthAttempts,
      blocked_for_seconds: client.blockedForSeconds,
    },
  };
}

function describeCounts(counts: TrafficCounts): Record<string, unknown> {
  const { requests, responses, failedAuthentications, rejected, retries, ends, faults, tokens, providers } =
    counts;
  return {
    requests,
    responses,
    failed_authentications: failedAuthentications,
    rejected,
    retries,
    answers: ends,
    faults,
    tokens,
    providers,
  };
}

/** Whole seconds of milliseconds. */
function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
