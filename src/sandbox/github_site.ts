/**
 * The simulated github.com: OAuth device flow. Unlike RFC 8628 demands, failed polls are HTTP 200 with an `error`; and
 * all answers are form encoded unless the client asks for JSON.
 *
 * Source: facts page github-copilot, section 1; GitHub Docs, "Authorizing OAuth apps", device flow.
 *
 * @module
 */
import type { Fault, RecordedRequest, SandboxContext, SandboxUser, SimulatedUpstream } from "./contract.ts";
import { createDeviceGrants, type DeviceGrants } from "./device_grants.ts";
import { createPromptCache, type PromptCache } from "./prompt_cache.ts";
import { answerDevicePage, type DevicePageBrand } from "./device_page.ts";
import { mediaType } from "./form_body.ts";
import { isMembers, parseJson } from "./members.ts";
import { beginStep } from "./step.ts";

/** What github.com, api.github.com and the Copilot API of the sandbox share. */
export interface GithubState {
  readonly devices: DeviceGrants;
  /** Live OAuth tokens (`ghu_...`, `gho_...`), which do not expire. */
  readonly oauthTokens: Map<string, OauthToken>;
  /** Exchanged Copilot tokens, also expired ones: their late use has its own answer. */
  readonly copilotTokens: Map<string, { readonly user: SandboxUser; readonly expiresAtMs: number }>;
  /** Premium requests spent so far, by GitHub user id. */
  readonly premiumSpent: Map<number, number>;
  readonly promptCache: PromptCache;
}

/** An OAuth token of a person. */
export interface OauthToken {
  readonly user: SandboxUser;
  /** True for tokens of the Copilot editor-plugin app, which alone may be exchanged. */
  readonly exchangeable: boolean;
  /** How many Copilot tokens it was exchanged for. */
  exchanges: number;
}

/** The apps that may start a device flow, and the kind of token that each gets. */
const APPS: Readonly<Record<string, { readonly prefix: string; readonly name: string }>> = Object.freeze({
  "Iv1.b507a08c87ecfe98": { prefix: "ghu_", name: "GitHub Copilot Plugin" },
  "Ov23li8tweQw6odWQebz": { prefix: "gho_", name: "opencode" },
});

const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const DEVICE_CODE_SECONDS = 900;
const DEVICE_PAGE_PATH = "/login/device";
const PAGE_BRAND: DevicePageBrand = Object.freeze({
  upstream: "copilot",
  product: "GitHub Copilot",
  accent: "#0a5bc4",
});
const ERROR_URI = "https://docs.github.com/developers/apps/authorizing-oauth-apps" +
  "#error-codes-for-the-device-flow";

/** State of a fresh GitHub: nobody is signed in. */
export function createGithubState(ctx: SandboxContext): GithubState {
  return {
    devices: createDeviceGrants(ctx, "copilot", DEVICE_CODE_SECONDS),
    oauthTokens: new Map(),
    copilotTokens: new Map(),
    premiumSpent: new Map(),
    promptCache: createPromptCache(),
  };
}

/** github.com, mounted at `/github`. */
export function createGithubSite(ctx: SandboxContext, state: GithubState): SimulatedUpstream {
  return {
    async handle(request, path, record) {
      if (path === DEVICE_PAGE_PATH) {
        record.on = "page";
        return await answerDevicePage(ctx, request, PAGE_BRAND);
      }
      if (request.method !== "POST") return new Response("Not Found", { status: 404 });
      if (path === "/login/device/code") return await startDevice(ctx, state, request, record);
      if (path === "/login/oauth/access_token") return await poll(ctx, state, request, record);
      return new Response("Not Found", { status: 404 });
    },
  };
}

async function startDevice(
  ctx: SandboxContext,
  state: GithubState,
  request: Request,
  record: RecordedRequest,
): Promise<Response> {
  const step = await beginStep(ctx, request, record, "device", typicalFailure);
  if (step.kind === "answered") return step.response;
  const fields = await readFields(request);
  const clientId = fields.get("client_id") ?? "";
  const app = APPS[clientId];
  if (app === undefined) return answer(request, { error: "Not Found" }, 404);
  const grant = state.devices.open(clientId, fields.get("scope") ?? "", app.name);
  return answer(request, {
    device_code: grant.deviceCode,
    user_code: grant.userCode,
    verification_uri: `${ctx.origin()}/github${DEVICE_PAGE_PATH}`,
    // One second has passed since the code was made, as a live capture shows.
    expires_in: DEVICE_CODE_SECONDS - 1,
    interval: ctx.pollIntervalSeconds,
  });
}

async function poll(
  ctx: SandboxContext,
  state: GithubState,
  request: Request,
  record: RecordedRequest,
): Promise<Response> {
  const step = await beginStep(ctx, request, record, "poll", typicalFailure);
  if (step.kind === "answered") return step.response;
  const fields = await readFields(request);
  const clientId = fields.get("client_id") ?? "";
  const app = APPS[clientId];
  if (app === undefined) {
    return refuse(
      request,
      "incorrect_client_credentials",
      "The client_id and/or client_secret passed are incorrect.",
    );
  }
  if (fields.get("grant_type") !== DEVICE_GRANT) {
    return refuse(request, "unsupported_grant_type", "The grant type is not supported.");
  }
  return answerPoll(ctx, state, request, clientId, app.prefix, fields.get("device_code") ?? "", step.fault);
}

function answerPoll(
  ctx: SandboxContext,
  state: GithubState,
  request: Request,
  clientId: string,
  prefix: string,
  deviceCode: string,
  fault: Fault["kind"] | undefined,
): Response {
  const outcome = state.devices.poll(deviceCode, clientId, fault?.type === "slow_down");
  switch (outcome.kind) {
    case "unknown":
      return refuse(request, "incorrect_device_code", "The device_code provided is not valid.");
    case "pending":
      return refuse(request, "authorization_pending", "The authorization request is still pending.");
    case "slow_down":
      return refuse(
        request,
        "slow_down",
        "Too many requests have been made in the same timeframe.",
        outcome.intervalSeconds,
      );
    case "denied":
      return refuse(request, "access_denied", "The authorization request was denied.");
    case "expired":
      return refuse(request, "expired_token", "This 'device_code' has expired.");
    case "approved": {
      const token = ctx.token(prefix, `github ${prefix}`);
      state.oauthTokens.set(token, { user: outcome.user, exchangeable: prefix === "ghu_", exchanges: 0 });
      return answer(request, { access_token: token, token_type: "bearer", scope: outcome.scope });
    }
  }
}

/** The parameters of a JSON or form body; what is no string is left out. */
async function readFields(request: Request): Promise<ReadonlyMap<string, string>> {
  const text = await request.text();
  if (mediaType(request) !== "application/json") return new Map(new URLSearchParams(text));
  const body = parseJson(text);
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(isMembers(body) ? body : {})) {
    if (typeof value === "string") fields.set(name, value);
  }
  return fields;
}

function refuse(request: Request, error: string, description: string, interval?: number): Response {
  return answer(request, {
    error,
    error_description: description,
    error_uri: ERROR_URI,
    ...(interval === undefined ? {} : { interval }),
  });
}

function answer(
  request: Request,
  members: Readonly<Record<string, string | number>>,
  status = 200,
): Response {
  if ((request.headers.get("accept") ?? "").includes("application/json")) {
    return Response.json(members, { status, headers: NO_STORE });
  }
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) form.set(name, String(value));
  return new Response(form, { status, headers: NO_STORE });
}

const NO_STORE = Object.freeze({ "cache-control": "no-store" });

/** github.com's typical answer for a scripted status: a page for people. */
function typicalFailure(status: number): Response {
  const headers = {
    "content-type": "text/html; charset=utf-8",
    ...(status === 429 ? { "retry-after": "60" } : {}),
  };
  const page =
    `<!DOCTYPE html><html><head><title>Error ${status}</title></head><body>Whoa there!</body></html>`;
  return new Response(page, { status, headers });
}
