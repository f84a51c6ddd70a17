/**
 * The simulated `auth.openai.com`: device sign-in (not RFC 8628: the poll hands out an authorization code and the PKCE
 * verifier that the server made), token endpoint, revocation, and the page on which a person decides.
 *
 * Where the sources are silent: an unknown or expired device id is answered like the pending one, with 404, because
 * clients know no other answer and give up by their own clock; a poll that comes too early gets 403 with the code
 * `slow_down`, which every known client takes for pending.
 *
 * Source: the facts page on ChatGPT, sections 1, 2 and 10.
 *
 * @module
 */
import {
  type ChatGptTokens,
  CLIENT_ID,
  createChatGptTokens,
  type IssuedTokens,
  type Redemption,
} from "./chatgpt_tokens.ts";
import type { RecordedRequest, SandboxContext, SimulatedUpstream } from "./contract.ts";
import { createDeviceGrants, type DeviceGrants } from "./device_grants.ts";
import { createPromptCache, type PromptCache } from "./prompt_cache.ts";
import { answerDevicePage, type DevicePageBrand } from "./device_page.ts";
import { mediaType, readForm } from "./form_body.ts";
import { isMembers, type Members, parseJson } from "./members.ts";
import { beginStep } from "./step.ts";

/** What authorization server and API of the simulated ChatGPT share. */
export interface ChatGptState {
  readonly devices: DeviceGrants;
  readonly tokens: ChatGptTokens;
  readonly promptCache: PromptCache;
}

const DEVICE_CODE_SECONDS = 15 * 60;
const PAGE_BRAND: DevicePageBrand = Object.freeze({
  upstream: "chatgpt",
  product: "ChatGPT",
  accent: "#0b6b53",
});

/** RFC 6749 section 5.1: answers with tokens are not to be stored. */
const NO_STORE = Object.freeze({ "cache-control": "no-store", pragma: "no-cache" });

const REFRESH_REFUSALS = Object.freeze({
  unknown: {
    code: "refresh_token_invalidated",
    message: "Your refresh token is not valid. Please try signing in again.",
  },
  reused: {
    code: "refresh_token_reused",
    message:
      "Your refresh token has already been used to generate a new access token. Please try signing in again.",
  },
  invalidated: {
    code: "refresh_token_invalidated",
    message: "Your session has ended. Please try signing in again.",
  },
  expired: {
    code: "refresh_token_expired",
    message: "Your refresh token has expired. Please try signing in again.",
  },
});

type Step = (
  context: SandboxContext,
  state: ChatGptState,
  request: Request,
  record: RecordedRequest,
) => Promise<Response>;

const ROUTES: Readonly<Record<string, Step>> = Object.freeze({
  "POST /api/accounts/deviceauth/usercode": giveUserCode,
  "POST /api/accounts/deviceauth/token": answerPoll,
  "POST /oauth/token": answerToken,
  "POST /oauth/revoke": revoke,
});

/** State of a fresh ChatGPT: nobody is signed in. */
export function createChatGptState(context: SandboxContext): ChatGptState {
  return {
    devices: createDeviceGrants(context, "chatgpt", DEVICE_CODE_SECONDS),
    tokens: createChatGptTokens(context, () => issuerOf(context)),
    promptCache: createPromptCache(),
  };
}

/** The authorization server, mounted at `/openai/auth`. */
export function createChatGptAuth(context: SandboxContext, state: ChatGptState): SimulatedUpstream {
  return {
    async handle(request, path, record) {
      if (path === "/codex/device") {
        record.on = "page";
        return await answerDevicePage(context, request, PAGE_BRAND);
      }
      const step = ROUTES[`${request.method} ${path}`];
      return await step?.(context, state, request, record) ?? new Response("Not Found", { status: 404 });
    },
  };
}

function issuerOf(context: SandboxContext): string {
  return `${context.origin()}/openai/auth`;
}

async function giveUserCode(
  context: SandboxContext,
  state: ChatGptState,
  request: Request,
  record: RecordedRequest,
): Promise<Response> {
  const begun = await beginStep(context, request, record, "device", typicalAnswer);
  if (begun.kind === "answered") return begun.response;
  const body = await readJson(request);
  if (body?.["client_id"] !== CLIENT_ID) return problem(400, "invalid_client", "Unknown client_id.");
  const clientName = request.headers.get("originator") ?? "Codex";
  const { deviceCode, userCode } = state.devices.open(CLIENT_ID, "", clientName);
  return Response.json({
    // The user code rides in the opaque id, so that the poll can check the pair without another table.
    device_auth_id: `deviceauth_${deviceCode}.${userCode}`,
    user_code: userCode,
    interval: String(context.pollIntervalSeconds),
    expires_at: new Date(context.now() + DEVICE_CODE_SECONDS * 1000).toISOString(),
  }, { headers: NO_STORE });
}

async function answerPoll(
  context: SandboxContext,
  state: ChatGptState,
  request: Request,
  record: RecordedRequest,
): Promise<Response> {
  const begun = await beginStep(context, request, record, "poll", typicalAnswer);
  if (begun.kind === "answered") return begun.response;
  const body = await readJson(request);
  const id = /^deviceauth_(\w+)\.([\w-]+)$/.exec(String(body?.["device_auth_id"]));
  const [, deviceCode, userCode] = id ?? [];
  if (deviceCode === undefined || userCode !== body?.["user_code"]) {
    return problem(404, "deviceauth_not_found", "No device authorization waits under this id and code.");
  }
  const poll = state.devices.poll(deviceCode, CLIENT_ID, begun.fault?.type === "slow_down");
  switch (poll.kind) {
    case "unknown":
    case "expired":
      return problem(404, "deviceauth_not_found", "No device authorization waits under this id and code.");
    case "slow_down":
      return problem(403, "slow_down", "Polling too frequently.");
    case "pending":
      return problem(
        context.switches().chatgpt.pendingStatus,
        "deviceauth_authorization_pending",
        "Device authorization is pending.",
      );
    case "denied":
      return Response.json({ error: "authorization_declined", error_description: "Denied" }, { status: 401 });
    case "approved": {
      const { code, challenge, verifier } = state.tokens.issueCode(poll.user);
      return Response.json(
        { authorization_code: code, code_challenge: challenge, code_verifier: verifier },
        { headers: NO_STORE },
      );
    }
  }
}

/** The exchange takes forms only; a refresh may also be JSON, and clients use both. */
async function answerToken(
  context: SandboxContext,
  state: ChatGptState,
  request: Request,
  record: RecordedRequest,
): Promise<Response> {
  const isJson = mediaType(request) === "application/json";
  const fields = isJson ? textMembers(await readJson(request)) : await formFields(request);
  if (fields === undefined) return oauthError(400, "invalid_request", "The body could not be read.");
  const grantType = fields.get("grant_type");
  if (grantType !== "authorization_code" && grantType !== "refresh_token") {
    return oauthError(400, "unsupported_grant_type", "The grant_type is not supported.");
  }
  const on = grantType === "refresh_token" ? "refresh" : "exchange";
  const begun = await beginStep(context, request, record, on, typicalAnswer);
  if (begun.kind === "answered") return begun.response;
  if (fields.get("client_id") !== CLIENT_ID) return oauthError(401, "invalid_client", "Unknown client_id.");
  if (on === "refresh") {
    const omits = context.switches().chatgpt.tokenAnswerOmits;
    const redemption = state.tokens.refresh(fields.get("refresh_token") ?? "", omits !== "refresh_token");
    if (redemption.kind === "issued") return tokenAnswer(redemption.tokens, omits);
    const { code, message } = REFRESH_REFUSALS[redemption.reason];
    return problem(401, code, message);
  }
  if (isJson) return oauthError(400, "invalid_request", "The exchange has to be form encoded.");
  return answerExchange(fields, issuerOf(context), state);
}

function answerExchange(fields: ReadonlyMap<string, string>, issuer: string, state: ChatGptState): Response {
  const code = fields.get("code");
  const verifier = fields.get("code_verifier");
  if (code === undefined || verifier === undefined) {
    return oauthError(400, "invalid_request", "The parameters code and code_verifier are required.");
  }
  if (fields.get("redirect_uri") !== `${issuer}/deviceauth/callback`) {
    return oauthError(400, "invalid_grant", "The redirect_uri is not the one of the authorization.");
  }
  const redemption: Redemption = state.tokens.redeemCode(code, verifier);
  return redemption.kind === "issued"
    ? tokenAnswer(redemption.tokens, "nothing")
    : oauthError(400, "invalid_grant", "The code is unknown, used, expired, or its verifier is wrong.");
}

function tokenAnswer(tokens: IssuedTokens, omits: "nothing" | "id_token" | "refresh_token"): Response {
  return Response.json({
    ...(omits === "id_token" ? {} : { id_token: tokens.idToken }),
    access_token: tokens.accessToken,
    ...(omits === "refresh_token" ? {} : { refresh_token: tokens.refreshToken }),
    token_type: "Bearer",
    expires_in: tokens.expiresInSeconds,
  }, { headers: NO_STORE });
}

async function revoke(
  context: SandboxContext,
  state: ChatGptState,
  request: Request,
  record: RecordedRequest,
): Promise<Response> {
  const begun = await beginStep(context, request, record, "revoke", typicalAnswer);
  if (begun.kind === "answered") return begun.response;
  const body = await readJson(request);
  const token = body?.["token"];
  const hint = body?.["token_type_hint"];
  if (typeof token !== "string" || (hint !== "refresh_token" && hint !== "access_token")) {
    return oauthError(400, "invalid_request", "The members token and token_type_hint are required.");
  }
  if (hint === "refresh_token" && body?.["client_id"] !== CLIENT_ID) {
    return oauthError(401, "invalid_client", "Unknown client_id.");
  }
  state.tokens.revoke(token);
  return Response.json({});
}

async function readJson(request: Request): Promise<Members | undefined> {
  if (mediaType(request) !== "application/json") return undefined;
  const value = parseJson(await request.text());
  return isMembers(value) ? value : undefined;
}

async function formFields(request: Request): Promise<ReadonlyMap<string, string> | undefined> {
  const form = await readForm(request);
  return form.kind === "form" ? form.fields : undefined;
}

function textMembers(body: Members | undefined): ReadonlyMap<string, string> | undefined {
  if (body === undefined) return undefined;
  return new Map(
    Object.entries(body).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value] as const] : []
    ),
  );
}

function oauthError(status: number, error: string, description: string): Response {
  return Response.json({ error, error_description: description }, { status, headers: NO_STORE });
}

function problem(status: number, code: string, message: string): Response {
  return Response.json(
    { error: { message, type: "invalid_request_error", param: null, code } },
    { status, headers: NO_STORE },
  );
}

/** The typical body of this server for a scripted status. */
function typicalAnswer(status: number): Response {
  return problem(
    status,
    status >= 500 ? "server_error" : "invalid_request",
    "The request could not be completed.",
  );
}
