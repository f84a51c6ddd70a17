/**
 * The simulated xAI authorization server: discovery, device authorization, token endpoint with rotation, revocation
 * and user info. Unlike GitHub's, its failures are HTTP 400 with an OAuth error in JSON.
 *
 * Sources: facts page xai-grok, sections 1 to 4; RFC 6749, RFC 7009, RFC 8628.
 *
 * @module
 */
import type { Fault, RecordedRequest, SandboxContext, SimulatedUpstream } from "./contract.ts";
import { createDeviceGrants, type DeviceGrants } from "./device_grants.ts";
import { createPromptCache, type PromptCache } from "./prompt_cache.ts";
import { answerDevicePage, type DevicePageBrand } from "./device_page.ts";
import { readForm } from "./form_body.ts";
import { createGrokTokens, type GrokTokens, type IssuedTokens } from "./grok_tokens.ts";
import { beginStep } from "./step.ts";

/** What authorization server and API of the simulated xAI share. */
export interface GrokState {
  readonly devices: DeviceGrants;
  readonly tokens: GrokTokens;
  /** Output and input tokens used by free accounts so far, by `sub`. */
  readonly freeTokensUsed: Map<string, number>;
  readonly promptCache: PromptCache;
}

/** The public client id that every known client uses; it has no secret. */
const CLIENT_ID = "b1a00492-073a-47ea-816f-4c329264a828";
const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const DEVICE_CODE_SECONDS = 1800;

const DEVICE_PAGE_PATH = "/oauth2/device";
const PAGE_BRAND: DevicePageBrand = Object.freeze({ upstream: "grok", product: "Grok", accent: "#3b3f4a" });

/** What a person's account may be asked for; `team:read` belongs to team logins. */
const SCOPES: readonly string[] = Object.freeze([
  "openid",
  "profile",
  "email",
  "offline_access",
  "grok-cli:access",
  "api:access",
  "conversations:read",
  "conversations:write",
  "workspaces:read",
  "workspaces:write",
]);

const REFUSED_REFRESH = Object.freeze({
  unknown: "Invalid or unknown refresh token",
  revoked: "Refresh token has been revoked",
  expired: "Refresh token has expired",
});

/** State of a fresh xAI: nobody is signed in. */
export function createGrokState(ctx: SandboxContext): GrokState {
  return {
    devices: createDeviceGrants(ctx, "grok", DEVICE_CODE_SECONDS),
    tokens: createGrokTokens(ctx, () => issuerOf(ctx)),
    freeTokensUsed: new Map(),
    promptCache: createPromptCache(),
  };
}

/** The authorization server, mounted at `/xai/auth`. */
export function createGrokAuth(ctx: SandboxContext, state: GrokState): SimulatedUpstream {
  const routes: Readonly<Record<string, (request: Request, record: RecordedRequest) => Promise<Response>>> = {
    "GET /.well-known/openid-configuration": () => Promise.resolve(Response.json(discovery(issuerOf(ctx)))),
    "GET /.well-known/jwks.json": () => Promise.resolve(Response.json({ keys: [] })),
    "POST /oauth2/device/code": (request, record) => authorizeDevice(ctx, state, request, record),
    "POST /oauth2/token": (request, record) => answerToken(ctx, state, request, record),
    "POST /oauth2/revoke": (request, record) => revoke(ctx, state, request, record),
    "GET /oauth2/userinfo": (request, record) => userInfo(ctx, state, request, record),
  };
  return {
    handle(request, path, record) {
      if (path === DEVICE_PAGE_PATH) {
        record.on = "page";
        return answerDevicePage(ctx, request, PAGE_BRAND);
      }
      const route = routes[`${request.method} ${path}`];
      return route?.(request, record) ?? Promise.resolve(new Response("Not Found", { status: 404 }));
    },
  };
}

function issuerOf(ctx: SandboxContext): string {
  return `${ctx.origin()}/xai/auth`;
}

function discovery(issuer: string): Readonly<Record<string, unknown>> {
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth2/authorize`,
    token_endpoint: `${issuer}/oauth2/token`,
    device_authorization_endpoint: `${issuer}/oauth2/device/code`,
    revocation_endpoint: `${issuer}/oauth2/revoke`,
    userinfo_endpoint: `${issuer}/oauth2/userinfo`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    grant_types_supported: ["authorization_code", "refresh_token", DEVICE_GRANT],
    id_token_signing_alg_values_supported: ["ES256"],
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none"],
    scopes_supported: [...SCOPES, "team:read"],
  };
}

async function authorizeDevice(
  ctx: SandboxContext,
  state: GrokState,
  request: Request,
  record: RecordedRequest,
): Promise<Response> {
  const step = await beginStep(ctx, request, record, "device", typicalFailure);
  if (step.kind === "answered") return step.response;
  const form = await readForm(request);
  if (form.kind === "wrong") return refuse("invalid_request", form.reason);
  const { fields } = form;
  if (fields.get("client_id") !== CLIENT_ID) return refuseClient();
  const scope = fields.get("scope") ?? "";
  const unknown = scope.split(" ").find((word) => !SCOPES.includes(word));
  if (unknown !== undefined) return refuse("invalid_scope", `The scope '${unknown}' is not allowed here.`);
  const grant = state.devices.open(CLIENT_ID, scope, fields.get("referrer") ?? "");
  const page = `${issuerOf(ctx)}${DEVICE_PAGE_PATH}`;
  return Response.json({
    device_code: grant.deviceCode,
    user_code: grant.userCode,
    verification_uri: page,
    verification_uri_complete: `${page}?user_code=${grant.userCode}`,
    expires_in: DEVICE_CODE_SECONDS,
    interval: ctx.pollIntervalSeconds,
  }, { headers: NO_STORE });
}

/** The step is only known once the form is read, so faults of both kinds of grant are met after it. */
async function answerToken(
  ctx: SandboxContext,
  state: GrokState,
  request: Request,
  record: RecordedRequest,
): Promise<Response> {
  const form = await readForm(request);
  if (form.kind === "wrong") return refuse("invalid_request", form.reason);
  const { fields } = form;
  const grantType = fields.get("grant_type");
  const on = grantType === DEVICE_GRANT ? "poll" : grantType === "refresh_token" ? "refresh" : undefined;
  if (on === undefined) return refuse("unsupported_grant_type", "The grant_type is not supported.");
  const step = await beginStep(ctx, request, record, on, typicalFailure);
  if (step.kind === "answered") return step.response;
  const clientId = fields.get("client_id");
  if (clientId !== CLIENT_ID) return refuseClient();
  return on === "poll"
    ? answerPoll(state, clientId, fields.get("device_code"), step.fault)
    : answerRefresh(state, clientId, fields.get("refresh_token"));
}

function answerPoll(
  state: GrokState,
  clientId: string,
  deviceCode: string | undefined,
  fault: Fault["kind"] | undefined,
): Response {
  if (deviceCode === undefined) return refuse("invalid_request", "The parameter device_code is missing.");
  const poll = state.devices.poll(deviceCode, clientId, fault?.type === "slow_down");
  switch (poll.kind) {
    case "unknown":
      return refuse("invalid_grant", "The device code is invalid or was used.");
    case "pending":
      return refuse("authorization_pending", "User has not yet authorized");
    case "slow_down":
      return refuse("slow_down", "Polling too frequently");
    case "denied":
      return refuse("access_denied", "The user rejected the request");
    case "expired":
      return refuse("expired_token", "The device code has expired");
    case "approved":
      return answerTokens(state.tokens.issue(poll.user, clientId, poll.scope));
  }
}

function answerRefresh(state: GrokState, clientId: string, refreshToken: string | undefined): Response {
  if (refreshToken === undefined) return refuse("invalid_request", "The parameter refresh_token is missing.");
  const result = state.tokens.refresh(refreshToken, clientId);
  return result.kind === "issued"
    ? answerTokens(result.tokens)
    : refuse("invalid_grant", REFUSED_REFRESH[result.reason]);
}

function answerTokens(tokens: IssuedTokens): Response {
  return Response.json({
    access_token: tokens.accessToken,
    ...(tokens.refreshToken === undefined ? {} : { refresh_token: tokens.refreshToken }),
    ...(tokens.idToken === undefined ? {} : { id_token: tokens.idToken }),
    token_type: "Bearer",
    expires_in: tokens.expiresInSeconds,
    scope: tokens.scope,
  }, { headers: NO_STORE });
}

async function revoke(
  ctx: SandboxContext,
  state: GrokState,
  request: Request,
  record: RecordedRequest,
): Promise<Response> {
  const step = await beginStep(ctx, request, record, "revoke", typicalFailure);
  if (step.kind === "answered") return step.response;
  const form = await readForm(request);
  if (form.kind === "wrong") return refuse("invalid_request", form.reason);
  if (form.fields.get("client_id") !== CLIENT_ID) return refuseClient();
  const token = form.fields.get("token");
  if (token === undefined) return refuse("invalid_request", "The parameter token is missing.");
  state.tokens.revoke(token);
  return new Response(null, { status: 200, headers: NO_STORE });
}

async function userInfo(
  ctx: SandboxContext,
  state: GrokState,
  request: Request,
  record: RecordedRequest,
): Promise<Response> {
  const step = await beginStep(ctx, request, record, "user", typicalFailure);
  if (step.kind === "answered") return step.response;
  const token = /^Bearer (\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  const user = token === undefined ? undefined : state.tokens.userOf(token);
  if (user === undefined) {
    return Response.json({ error: "invalid_token" }, {
      status: 401,
      headers: { "www-authenticate": 'Bearer error="invalid_token"' },
    });
  }
  return Response.json({
    sub: user.xaiSubject,
    email: user.email,
    email_verified: true,
    name: user.displayName,
  });
}

/** RFC 6749 section 5.1: answers with tokens are not to be stored. */
const NO_STORE = Object.freeze({ "cache-control": "no-store", pragma: "no-cache" });

function refuse(error: string, description: string): Response {
  return Response.json({ error, error_description: description }, { status: 400, headers: NO_STORE });
}

function refuseClient(): Response {
  return Response.json({ error: "invalid_client", error_description: "Unknown client." }, {
    status: 401,
    headers: NO_STORE,
  });
}

/** The typical body of this server for a scripted status. */
function typicalFailure(status: number): Response {
  const errors: Readonly<Record<number, string>> = {
    400: "invalid_grant",
    401: "invalid_client",
    403: "access_denied",
    429: "temporarily_unavailable",
  };
  const error = errors[status] ?? (status >= 500 ? "temporarily_unavailable" : "invalid_request");
  return Response.json({ error }, {
    status,
    headers: status === 429 ? { ...NO_STORE, "retry-after": "2" } : NO_STORE,
  });
}
